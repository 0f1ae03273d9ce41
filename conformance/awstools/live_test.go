package awstools_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// live is a server for programs: the middleware in front of a handler. Its connections
// are recorded, and have one request each.
type live struct {
	url string

	mu       sync.Mutex
	requests []*bytes.Buffer
	codes    []core.Code // the code of every verdict
	runs     int         // number of handler runs
}

// serve starts a server with the policy and the handler, which stops when the test ends.
// With TLS, the decrypted bytes are recorded.
func serve(t *testing.T, c core.Config, handler http.HandlerFunc, certificate *tls.Certificate) *live {
	t.Helper()
	l := new(live)
	c.Logger = slog.New(slog.DiscardHandler)
	c.Observers = append(c.Observers, core.ObserverFunc(func(_ context.Context, e core.Event) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.codes = append(l.codes, e.Code)
	}))
	v, err := core.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.runs++
		l.mu.Unlock()
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		handler(w, r)
	})))
	l.url = "http://" + server.Listener.Addr().String()
	if certificate != nil {
		l.url = "https://" + server.Listener.Addr().String()
		server.Listener = tls.NewListener(server.Listener, &tls.Config{Certificates: []tls.Certificate{*certificate}})
	}
	server.Listener = recorder{server.Listener, l}
	server.Config.SetKeepAlivesEnabled(false)
	server.Start()
	t.Cleanup(server.Close)
	return l
}

// recorder is a listener that records the bytes that its connections receive.
type recorder struct {
	net.Listener
	l *live
}

func (r recorder) Accept() (net.Conn, error) {
	conn, err := r.Listener.Accept()
	if err != nil {
		return nil, err
	}
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	received := new(bytes.Buffer)
	r.l.requests = append(r.l.requests, received)
	return recorded{conn, r.l, received}, nil
}

type recorded struct {
	net.Conn
	l        *live
	received *bytes.Buffer
}

func (r recorded) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	r.received.Write(b[:n])
	return n, err
}

// run runs a program against the server, and checks the verdict on the n requests that it
// sends. It calls [totals.try] with each accepted request.
func (l *live) run(t *testing.T, counts *totals, e expected, n int, cmd *exec.Cmd) (output string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()

	l.mu.Lock()
	var raws [][]byte
	for _, request := range l.requests {
		raws = append(raws, bytes.Clone(request.Bytes()))
	}
	codes, runs := slices.Clone(l.codes), l.runs
	l.mu.Unlock()

	ran := 0
	if e.want == "" {
		ran = n
		if err != nil {
			t.Errorf("the program failed: %v", err)
		}
	}
	if want := slices.Repeat([]core.Code{e.want}, n); !slices.Equal(codes, want) || len(raws) != n || runs != ran {
		t.Errorf("got %d requests, verdicts %q, handler run %d times; want %d, %q, %d: %s", len(raws), codes, runs, n, want, ran, e.why)
	}
	if t.Failed() {
		t.Fatalf("%s\n%.500s\n%.2000s\n%.900q", cmd, &stdout, &stderr, raws)
	}
	for _, raw := range raws {
		if e.want != "" {
			counts.refused.Add(1)
			continue
		}
		counts.try(t, e, raw)
	}
	return stdout.String()
}
