// Command quickstart demonstrates the whole library. It needs no arguments and no
// services: on loopback it starts a signing gateway, a backend with each adapter and an
// identity service. It sends requests through the gateway, and modified requests directly
// to the backends, and prints which were accepted or refused, and why. It exits with 0
// only if every verdict is right.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

func main() {
	log.SetFlags(0)
	identity, err := startIdentity()
	if err != nil {
		log.Fatal(err)
	}
	wrong, err := httpTable(identity)
	if err != nil {
		log.Fatal(err)
	}
	more, err := grpcTable(identity)
	if err != nil {
		log.Fatal(err)
	}
	if wrong += more; wrong > 0 {
		log.Fatalf("%d verdicts are wrong", wrong)
	}
	fmt.Println("every verdict is right")
}

// httpTable sends every case to every HTTP adapter, and returns the number of wrong
// outcomes.
func httpTable(identity string) (wrong int, err error) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(out, "HTTP\tstatus\twhy, or key")
	var backends []*backend
	for _, adapter := range adapters {
		b, err := start(adapter.name, adapter.mount, identity)
		if err != nil {
			return 0, err
		}
		defer b.stop()
		backends = append(backends, b)
		fmt.Fprintf(out, "\t%s", adapter.name)
	}
	for _, c := range cases() {
		fmt.Fprintf(out, "\n  %s\t%d\t%s", c.what, c.want.status, c.want.why())
		for _, b := range backends {
			want := c.want
			if b.adapter == "Echo" && c.wantOfEcho != (outcome{}) {
				want = c.wantOfEcho
			}
			verdict, ok := want.compare(b.send(c))
			if !ok {
				wrong++
			}
			fmt.Fprintf(out, "\t%s", verdict)
		}
	}
	fmt.Fprintln(out)
	return wrong, out.Flush()
}

// outcome is the result of a request: the status, the code of the refusal, the key of the
// identity that the handler got, and how often the handler ran.
type outcome struct {
	status int
	code   core.Code
	key    string
	ran    int
}

func (o outcome) why() string { return cmp.Or(string(o.code), o.key) }

// compare compares got with the expected outcome, and returns the text for the table.
func (o outcome) compare(got outcome) (string, bool) {
	if got != o {
		return fmt.Sprintf("WRONG: %d %s, handler ran %d times", got.status, got.why(), got.ran), false
	}
	return "right", true
}

// backend is the application behind one adapter, and a gateway in front of it.
type backend struct {
	adapter         string
	gateway, direct string // addresses
	servers         []*http.Server

	mu   sync.Mutex
	got  outcome // of the current request
	late atomic.Bool
}

func start(adapter string, mount func(*core.Verifier, http.Handler) http.Handler, identity string) (*backend, error) {
	b := &backend{adapter: adapter}
	policy, err := policy(identity)
	if err != nil {
		return nil, err
	}
	policy.Observers = []core.Observer{core.ObserverFunc(b.observe)}
	policy.Now = b.now
	v, err := core.New(policy)
	if err != nil {
		return nil, err
	}
	if b.direct, err = b.serve(b.delay(mount(v, http.HandlerFunc(b.handle)))); err != nil {
		return nil, err
	}
	policy.Hosts = []string{b.direct}
	if err := v.Reload(policy); err != nil {
		return nil, err
	}
	b.gateway, err = b.serve(gateway(b.direct, nil))
	return b, err
}

func (b *backend) serve(h http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h}
	b.servers = append(b.servers, server)
	go server.Serve(listener)
	return listener.Addr().String(), nil
}

func (b *backend) stop() {
	for _, s := range b.servers {
		s.Close()
	}
}

// lateBody is a path whose bodies take an hour to arrive, by the verifier's clock.
const lateBody = "/orders/late"

// now is the verifier's clock.
func (b *backend) now() time.Time {
	if b.late.Load() {
		return time.Now().Add(time.Hour)
	}
	return time.Now()
}

// delay sets the clock an hour forward at the end of a body to the path lateBody.
func (b *backend) delay(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == lateBody {
			r.Body = &delayedBody{r.Body, &b.late}
			defer b.late.Store(false)
		}
		next.ServeHTTP(w, r)
	})
}

type delayedBody struct {
	io.ReadCloser
	late *atomic.Bool
}

func (b *delayedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.late.Store(true)
	}
	return n, err
}

// handle is the application.
func (b *backend) handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		core.WriteProblem(w, r, err) // the verdict on a streamed body
		return
	}
	key := "-"
	if id, ok := core.FromContext(r.Context()); ok {
		key = id.Key()
	}
	if r.Header.Get("X-Apig-Identity") != "" {
		key += " and an unsigned header"
	}
	b.mu.Lock()
	b.got.key, b.got.ran = key, b.got.ran+1
	b.mu.Unlock()
	fmt.Fprintf(w, "%d bytes for %s\n", len(body), key)
}

func (b *backend) observe(_ context.Context, e core.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got.code = e.Code
}

// send sends one request and waits for its outcome.
func (b *backend) send(c testCase) outcome {
	b.mu.Lock()
	b.got = outcome{}
	b.mu.Unlock()
	address := b.direct
	if c.throughGateway {
		address = b.gateway
	}
	status, err := exchange(address, c.request(b.direct))
	if err != nil {
		log.Printf("%s: %v", c.what, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got.status = status
	return b.got
}
