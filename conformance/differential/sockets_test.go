package differential_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	echoauth5 "github.com/gatewayauth/gatewayauth/echoauth/v5"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// An adapter puts a verifier in front of a handler.
type adapter struct {
	name string
	wrap func(v *core.Verifier, h http.HandlerFunc) http.Handler
}

var adapters = []adapter{
	{"net/http", func(v *core.Verifier, h http.HandlerFunc) http.Handler { return nethttp.Middleware(v)(h) }},
	{"Echo", func(v *core.Verifier, h http.HandlerFunc) http.Handler {
		e := echo.New()
		e.Use(echoauth.Middleware(v))
		e.RouteNotFound("/*", func(c echo.Context) error {
			h(c.Response(), c.Request())
			return nil
		})
		return e
	}},
	{"Echo behind Pre", func(v *core.Verifier, h http.HandlerFunc) http.Handler {
		e := echo.New()
		e.Pre(echoauth.Middleware(v))
		e.RouteNotFound("/*", func(c echo.Context) error {
			h(c.Response(), c.Request())
			return nil
		})
		return e
	}},
	{"Echo v5", func(v *core.Verifier, h http.HandlerFunc) http.Handler {
		e := echo5.New()
		e.Use(echoauth5.Middleware(v))
		e.RouteNotFound("/*", echo5.WrapHandler(h))
		return e
	}},
	{"Echo v5 behind Pre", func(v *core.Verifier, h http.HandlerFunc) http.Handler {
		e := echo5.New()
		e.Pre(echoauth5.Middleware(v))
		e.RouteNotFound("/*", echo5.WrapHandler(h))
		return e
	}},
	{"Gin", func(v *core.Verifier, h http.HandlerFunc) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		e := gin.New()
		e.Use(ginauth.Middleware(v))
		e.NoRoute(func(c *gin.Context) {
			c.Status(http.StatusOK)
			h(c.Writer, c.Request)
		})
		return e
	}},
}

// backends are the servers of one run: for each world and adapter one, started when it is
// first needed.
type backends struct {
	testing.TB
	mu      sync.Mutex
	servers map[string]*httptest.Server
	grpc    map[string]string // addresses of the gRPC servers, by world
	// exchanges has the connections by the address of their client, and the requests of
	// HTTP/2 by their number.
	exchanges sync.Map
	client    *http.Transport // of HTTP/2
	number    atomic.Uint64
}

// An exchange is what became of the requests of one connection, in their order.
type exchange struct {
	mu       sync.Mutex
	arrivals []*outcome
}

type outcomeKey struct{}

func newBackends(t testing.TB) *backends {
	b := &backends{TB: t, servers: map[string]*httptest.Server{}, grpc: map[string]string{}, client: newHTTP2Client()}
	t.Cleanup(b.client.CloseIdleConnections)
	return b
}

func (b *backends) server(w *world, a adapter) *httptest.Server {
	b.mu.Lock()
	defer b.mu.Unlock()
	name := a.name + " " + w.name
	if s := b.servers[name]; s != nil {
		return s
	}
	inner := a.wrap(b.observed(w), handle)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		o, name := new(outcome), r.RemoteAddr
		if r.ProtoMajor == 2 {
			name = r.Header.Get(exchangeHeader)
			r.Header.Del(exchangeHeader)
		}
		if x, ok := b.exchanges.Load(name); ok {
			x := x.(*exchange)
			x.mu.Lock()
			x.arrivals = append(x.arrivals, o)
			x.mu.Unlock()
		}
		*r = *r.WithContext(context.WithValue(r.Context(), outcomeKey{}, o)) // no copy: the server writes trailers into its own r
		inner.ServeHTTP(rw, r)
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	b.Cleanup(s.Close)
	b.servers[name] = s
	return s
}

// observed returns a verifier of the world that writes refusals into the outcome.
func (b *backends) observed(w *world) *core.Verifier {
	c := w.config
	c.Observers = []core.Observer{core.ObserverFunc(func(ctx context.Context, e core.Event) {
		if o, ok := ctx.Value(outcomeKey{}).(*outcome); ok && e.Code != "" {
			o.code, o.refusal = e.Code, string(e.Code)
		}
	})}
	v, err := core.New(c)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// handle is the handler behind the adapters.
func handle(_ http.ResponseWriter, r *http.Request) {
	o := r.Context().Value(outcomeKey{}).(*outcome)
	o.runs++
	o.identity, _ = core.FromContext(r.Context())
	var err error
	o.body, err = io.ReadAll(r.Body)
	o.accepted = err == nil
	if err != nil {
		o.refusal = err.Error()
	}
	o.request = r
}

// send sends a message on a connection of its own, and returns what became of it; nil where
// the server answered without asking the adapter.
func (b *backends) send(w *world, a adapter, raw []byte) (*outcome, error) {
	conn, err := net.Dial("tcp", b.server(w, a).Listener.Addr().String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	x, name := new(exchange), conn.LocalAddr().String()
	b.exchanges.Store(name, x)
	defer b.exchanges.Delete(name)
	conn.SetDeadline(time.Now().Add(time.Minute)) // against hanging for ever; no result depends on it
	var writing sync.WaitGroup
	writing.Go(func() {
		conn.Write(raw)
		if !complete(raw) { // the server waits for the rest
			conn.(*net.TCPConn).CloseWrite()
		}
	})
	defer writing.Wait()
	status := 0
	reader := bufio.NewReader(conn)
	for status < 200 {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return nil, fmt.Errorf("no answer: %w", err)
		}
		status = response.StatusCode
	}
	conn.(*net.TCPConn).CloseWrite() // not before: that would cancel the request's context
	io.Copy(io.Discard, reader)      // the server closes when it has read the end: then every handler has returned
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.arrivals) == 0 {
		return nil, nil
	}
	o := x.arrivals[0]
	if o.runs == 0 && status < 400 || o.runs > 1 {
		return o, fmt.Errorf("the handler ran %d times, and the status is %d", o.runs, status)
	}
	return o, nil
}

// complete reports whether a message arrives whole.
func complete(raw []byte) bool {
	r, err := read(raw)
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	return err == nil
}

// overSockets sends a message through every adapter, and reports the first disagreement.
func (b *backends) overSockets(w *world, raw []byte, v reference.Verdict, each func(name string)) (o *outcome, found *disagreement) {
	for _, a := range adapters {
		for version, send := range map[string]func(*world, adapter, []byte) (*outcome, error){"HTTP/1": b.send, "HTTP/2": b.sendHTTP2} {
			name := a.name + " over " + version
			o, err := send(w, a, raw)
			switch {
			case err != nil:
				return &outcome{refusal: err.Error()}, &disagreement{name + ": " + err.Error(), ""}
			case o == nil:
				continue
			}
			each(name)
			if found := w.compare(raw, v, o); found != nil {
				found.class = name + ": " + found.class
				return o, found
			}
		}
	}
	return nil, nil
}
