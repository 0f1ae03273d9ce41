// Package wire sends the raw bytes of requests to a backend behind the middleware, and
// returns the verdicts. It uses no HTTP client, since a client corrects the requests that
// it sends.
package wire

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// Backend is a net/http server on a loopback socket: nethttp.Middleware in
// front of a handler that records what reaches it.
type Backend struct {
	addr string

	sending sync.Mutex // one request at a time, so that the records belong to it
	mu      sync.Mutex
	answer  Answer
}

// Answer is the result of one request.
type Answer struct {
	Status int
	// Codes has the code of every verdict, "" if the request was accepted. It is empty if
	// net/http refused the request without calling a handler.
	Codes []core.Code
	// Runs has an entry for every run of the handler.
	Runs []Arrival
}

// Arrival is a request as the handler received it.
type Arrival struct {
	Method, Target, Host string
	Header               http.Header
	Body                 []byte
	Identity             *core.Identity // nil if the context has none
}

// Start returns a Backend with the policy c, which stops when the test ends.
func Start(t testing.TB, c core.Config) *Backend {
	t.Helper()
	b := new(Backend)
	c.Logger = slog.New(slog.DiscardHandler)
	c.Observers = append(c.Observers, core.ObserverFunc(func(_ context.Context, e core.Event) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.answer.Codes = append(b.answer.Codes, e.Code)
	}))
	v, err := core.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(b.record)))
	t.Cleanup(server.Close)
	b.addr = server.Listener.Addr().String()
	return b
}

// record is the handler.
func (b *Backend) record(w http.ResponseWriter, r *http.Request) {
	a := Arrival{Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: r.Header.Clone()}
	a.Identity, _ = core.FromContext(r.Context())
	var err error
	if a.Body, err = io.ReadAll(r.Body); err != nil {
		a.Body = append(a.Body, "unreadable: "+err.Error()...)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer.Runs = append(b.answer.Runs, a)
}

// Send sends raw on a new connection, and returns when the server has closed it. By then
// every handler has returned, also one that wrongly ran after the response.
func (b *Backend) Send(t testing.TB, raw []byte) Answer {
	t.Helper()
	b.sending.Lock()
	defer b.sending.Unlock()
	b.mu.Lock()
	b.answer = Answer{}
	b.mu.Unlock()

	dialed, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	conn := dialed.(*net.TCPConn)
	defer conn.Close()
	// So that the test cannot hang; no result depends on it.
	conn.SetDeadline(time.Now().Add(time.Minute))

	// A refusal may come before the body is read, so Send writes and reads concurrently,
	// and ignores a failed write.
	var writing sync.WaitGroup
	writing.Go(func() { conn.Write(raw) })
	defer writing.Wait()
	defer conn.Close()

	method, _, _ := bytes.Cut(raw, []byte(" "))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, &http.Request{Method: string(method)})
	if err == nil && response.StatusCode == http.StatusContinue { // the request expects it
		response, err = http.ReadResponse(reader, &http.Request{Method: string(method)})
	}
	if err != nil {
		t.Fatalf("no response: %v\n%.300q", err, raw)
	}
	io.Copy(io.Discard, response.Body)
	conn.CloseWrite()
	io.Copy(io.Discard, conn)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer.Status = response.StatusCode
	return b.answer
}
