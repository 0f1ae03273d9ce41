package echotest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestDrained: a body that middleware in front has read is not taken for an empty body.
func TestDrained[M any](t *testing.T, f Echo[M]) {
	mounted := func(mount func(e Server[M], front, verify M, handler http.Handler)) adaptertest.DrainedMount {
		return func(v *core.Verifier, front func(*http.Request), next http.Handler) http.Handler {
			e := f.New()
			mount(e, f.before(front), f.Verify(v), next)
			return e
		}
	}
	adaptertest.TestDrained(t, map[string]adaptertest.DrainedMount{
		"Use": mounted(func(e Server[M], front, verify M, handler http.Handler) {
			e.Use(front, verify)
			e.Handle("POST", "/*", handler)
		}),
		"Pre": mounted(func(e Server[M], front, verify M, handler http.Handler) {
			e.Pre(front, verify)
			e.Handle("POST", "/*", handler)
		}),
		"a group": mounted(func(e Server[M], front, verify M, handler http.Handler) {
			e.Use(front)
			e.Group("", verify).Handle("POST", "/*", handler)
		}),
		"a route": mounted(func(e Server[M], front, verify M, handler http.Handler) {
			e.Handle("POST", "/*", handler, front, verify)
		}),
	}, adaptertest.Fronts())
	bound := func(v *core.Verifier, _ func(*http.Request), next http.Handler) http.Handler {
		e := f.New()
		e.Use(f.Bind, f.Verify(v))
		e.Handle("POST", "/*", next)
		return e
	}
	adaptertest.TestDrained(t, map[string]adaptertest.DrainedMount{"Bind": bound}, []adaptertest.Front{{Name: "in front"}})
}

// TestTrailers: no handler gets the trailers of a verified request, neither in the
// original request nor in another one.
func TestTrailers[M any](t *testing.T, f Echo[M]) {
	const route = "/:scheme/items"
	mounted := func(do func(e Server[M], verify M, handler http.Handler)) adaptertest.Mount {
		return func(v *core.Verifier, next http.Handler) http.Handler {
			e := f.New()
			do(e, f.Verify(v), next)
			return e
		}
	}
	derived := f.Step(func(_ http.ResponseWriter, r *http.Request, next func(*http.Request)) { // as tracing middleware does
		type key struct{}
		next(r.WithContext(context.WithValue(r.Context(), key{}, 1)))
	})
	adaptertest.TestTrailers(t, map[string]adaptertest.Mount{
		"Use": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Use(verify)
			e.Handle("POST", route, handler)
		}),
		"Pre": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Pre(verify)
			e.Handle("POST", route, handler)
		}),
		"Pre, and another request behind it": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Pre(verify)
			e.Use(derived)
			e.Handle("POST", route, handler)
		}),
		"Pre, and another request in front": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Pre(derived, verify)
			e.Handle("POST", route, handler)
		}),
		"Pre and Use": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Pre(verify)
			e.Use(verify)
			e.Handle("POST", route, handler)
		}),
		"a group": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Group("", verify).Handle("POST", route, handler)
		}),
		"a route": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Handle("POST", route, handler, verify)
		}),
		"Use, and no route": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Use(verify)
			e.OnError(func(_ error, c Context, w http.ResponseWriter) { handler.ServeHTTP(w, c.Request()) })
		}),
		"Pre, and no route": mounted(func(e Server[M], verify M, handler http.Handler) {
			e.Pre(verify)
			e.NotFound("/*", handler)
		}),
		"nethttp around it": func(v *core.Verifier, next http.Handler) http.Handler {
			e := f.New()
			e.Handle("POST", route, next)
			return nethttp.Middleware(v)(e)
		},
	})
}

// TestUnreadBodies: the unread rest of a body is never read as the next request, whether
// the handler closes the body or not, and the server does not panic.
func TestUnreadBodies[M any](t *testing.T, f Echo[M]) {
	verify := f.Verify(newVerifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(orders)})}
		c.APIs = []core.API{{Match: "GET /open", Open: true}}
	}))
	const smuggled = "GET /open?smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	long := strings.Repeat("A", 256<<10) // as much as net/http reads to keep the connection
	bodies := map[string]string{"short": "12345678", "long": long, "request after it": long + smuggled, "request in front": smuggled + long + long}
	var all sync.WaitGroup // at once, since net/http waits before it closes such a connection
	for mount, use := range map[string]func(Server[M], M){"Pre": pre[M], "Use": use[M]} {
		for _, path := range []string{"/items", "/nothing"} { // only the first has a route
			for name, body := range bodies {
				for n := range 4 {
					closes, chunked := n&1 != 0, n&2 != 0
					e := f.New()
					use(e, verify)
					all.Go(func() {
						ran, logged := leaveUnread(t, e, path, body, closes, chunked)
						what := fmt.Sprintf("%s, %s, %s, chunked: %v, closed by the handler: %v", mount, path, name, chunked, closes)
						if slices.Contains(ran, "/open?smuggled") || path == "/items" && (len(ran) == 0 || ran[0] != "/items") {
							t.Errorf("%s: the handlers ran for %v", what, ran)
						}
						if logged != "" {
							t.Errorf("%s: the server logs %s", what, logged)
						}
					})
				}
			}
		}
	}
	all.Wait()
}

// leaveUnread sends a verified request and then another one to e with handlers that do
// not read the body. It returns the targets for which handlers ran, and the log of the
// server.
func leaveUnread[M any](t *testing.T, e Server[M], path, body string, closes, chunked bool) (ran []string, logged string) {
	t.Helper()
	var mu sync.Mutex
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ran = append(ran, r.URL.RequestURI())
		mu.Unlock()
		if closes {
			r.Body.Close()
		}
		io.WriteString(w, "ok")
	})
	e.Handle("POST", "/items", handler)
	e.Handle("GET", "/open", handler)
	var text bytes.Buffer
	server := httptest.NewUnstartedServer(e)
	server.Config.ErrorLog = log.New(&text, "", 0)
	server.Start()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Error(err)
		return nil, ""
	}
	go func() { // the server may stop reading
		const second = "GET /open?second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
		r, _ := http.NewRequest("POST", "/", nil)
		r.SetBasicAuth(orders.ID, orders.Secret.Reveal())
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n", path, r.Header.Get("Authorization"))
		if chunked {
			fmt.Fprintf(conn, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n%s", len(body), body, second)
		} else {
			fmt.Fprintf(conn, "Content-Length: %d\r\n\r\n%s%s", len(body), body, second)
		}
	}()
	io.Copy(io.Discard, conn) // until the server closes the connection
	conn.Close()
	server.Close()
	return ran, text.String()
}
