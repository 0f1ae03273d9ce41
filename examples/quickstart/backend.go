package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

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
