package core_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/nethttp"
	"go.uber.org/goleak"
)

// TestClientAbort_F14: clients that reset the connection in the middle of a body
// leave nothing behind: the handler does not run, no replay is recorded, no
// memory and no goroutine stays.
func TestClientAbort_F14(t *testing.T) {
	const clients = 100
	existing := goleak.IgnoreCurrent()
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	verdicts := make(chan core.Code, clients)
	var ran atomic.Int32
	v := verifier(t, func(c *core.Config) {
		c.Replay.Store = store
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { verdicts <- e.Code })}
	})
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran.Add(1) })))
	body := strings.Repeat("x", 64<<10)
	raw := func(i int) string {
		options := apig.SignOptions{Payload: []core.Payload{core.PayloadHashed, core.PayloadDeclared}[i%2]}
		r := signed(t, k1, "POST", fmt.Sprintf("/v1/items/%d", i), body, options)
		return wire(r, body)
	}
	for i := range clients {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		text := raw(i)
		if _, err := io.WriteString(conn, text[:len(text)-len(body)/2]); err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).SetLinger(0) // a reset, not an end
		conn.Close()
	}
	for range clients { // each request that was begun comes to a verdict
		if code := <-verdicts; code != core.CodeBodyMismatch && code != core.CodeUnavailable {
			t.Errorf("got %q", code)
		}
	}
	if ran.Load() != 0 {
		t.Errorf("the handler ran %d times", ran.Load())
	}
	for i := range 2 { // whole, they are the first of their kind
		r := request(t, raw(i))
		if _, err := v.Verify(r); err != nil {
			t.Errorf("the same request, whole: %v", err)
		}
		core.Release(r)
	}
	server.Close()
	if v.Buffered() != 0 {
		t.Errorf("%d bytes are held", v.Buffered())
	}
	if err := goleak.Find(existing); err != nil {
		t.Error(err)
	}
}

// slowly opens a connection and sends a signed request whose body stops after a
// byte; what the server answers to it, when it does, is the result.
func slowly(t *testing.T, addr string, r *http.Request) (status int, closed bool) {
	t.Helper()
	return stalls(t, addr, r, 1_000_000)
}

// stalls announces a body of a length and sends its first byte.
func stalls(t *testing.T, addr string, r *http.Request, length int) (status int, closed bool) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return 0, false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second)) // of the test, not what is tested
	head, _, _ := strings.Cut(wire(r, strings.Repeat("x", length)), "\r\n\r\n")
	io.WriteString(conn, head+"\r\n\r\nx")
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Errorf("no answer: %v", err)
		return 0, false
	}
	io.Copy(io.Discard, answer.Body)
	_, err = reader.ReadByte()
	return answer.StatusCode, err == io.EOF
}

// TestSlowBody_F13: senders that stop are cut off after BodyTimeout, with a
// refusal; what they had taken is free, and the handler did not run.
func TestSlowBody_F13(t *testing.T) {
	const connections = 200
	for name, payload := range map[string]core.Payload{"hashed": core.PayloadHashed, "declared": core.PayloadDeclared} {
		t.Run(name, func(t *testing.T) {
			var ran atomic.Int32
			v := verifier(t, func(c *core.Config) { c.BodyTimeout = 100 * time.Millisecond })
			server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran.Add(1) })))
			defer server.Close()
			var all sync.WaitGroup
			for range connections {
				r := signed(t, k1, "POST", "/v1/items", "x", apig.SignOptions{Payload: payload})
				all.Go(func() {
					if status, closed := slowly(t, server.Listener.Addr().String(), r); status != 401 || !closed {
						t.Errorf("got status %d, closed %v; want 401 and closed", status, closed)
					}
				})
			}
			all.Wait()
			if ran.Load() != 0 || v.Buffered() != 0 {
				t.Errorf("the handler ran %d times, %d bytes are held", ran.Load(), v.Buffered())
			}
		})
	}
}

// TestStalledRefusals_F13 is that a refused request is answered in time whatever its body,
// which the server may read before it answers, and whatever it is refused for.
func TestStalledRefusals_F13(t *testing.T) {
	declared := apig.SignOptions{Payload: core.PayloadDeclared}
	for name, tt := range map[string]struct {
		request func() *http.Request
		policy  func(*core.Config)
		status  int
	}{
		"no credential": {func() *http.Request {
			r := signed(t, k1, "POST", "/v1/items", "x", declared)
			r.Header.Del("Authorization")
			return r
		}, nil, 401},
		"unknown key": {func() *http.Request {
			return signed(t, core.Key{ID: "NOPE", Secret: k1.Secret}, "POST", "/v1/items", "x", declared)
		}, nil, 401},
		"wrong secret": {func() *http.Request {
			return signed(t, core.Key{ID: k1.ID, Secret: core.NewSecret("wrong-0123456789")}, "POST", "/v1/items", "x", declared)
		}, nil, 401},
		"wrong signature over the hash of the body": {func() *http.Request {
			return signed(t, core.Key{ID: k1.ID, Secret: core.NewSecret("wrong-0123456789")}, "POST", "/v1/items", "x", apig.SignOptions{})
		}, nil, 401},
		"ambiguous": {func() *http.Request {
			r := signed(t, k1, "POST", "/v1/items", "x", declared)
			r.Header["X_Sdk_Date"] = []string{"x"}
			return r
		}, nil, 400},
		"too large": {func() *http.Request { return signed(t, k1, "POST", "/v1/items", "x", declared) },
			func(c *core.Config) { c.MaxBody = 5 }, 413},
		"key of another API": {func() *http.Request { return signed(t, k2, "POST", "/v1/items", "x", declared) }, nil, 403},
		"replay store unavailable, streamed": {func() *http.Request { return signed(t, k1, "POST", "/v1/items", "x", declared) },
			func(c *core.Config) {
				c.APIs = []core.API{{Match: "/v1/items", Key: "k1", Stream: true}}
				c.Replay.Store = away{}
			}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verifier(t, func(c *core.Config) {
				if tt.policy != nil {
					tt.policy(c)
				}
				c.BodyTimeout = 100 * time.Millisecond
			})
			var ran atomic.Int32
			server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran.Add(1) })))
			defer server.Close()
			for _, length := range []int{10, 4096, 4097, 300_000} {
				status, closed := stalls(t, server.Listener.Addr().String(), tt.request(), length)
				if status != tt.status || !closed || ran.Load() != 0 || v.Buffered() != 0 {
					t.Errorf("%d bytes announced: got status %d, closed %v, %d runs, %d bytes held; want %d, closed", length, status, closed, ran.Load(), v.Buffered(), tt.status)
				}
			}
		})
	}
}

// away is a store that is never available.
type away struct{}

func (away) Add(context.Context, core.ReplayEntry) (bool, error) { return false, errors.New("away") }

// TestSlowStream_F13: where the handler reads, each Read has its time.
func TestSlowStream_F13(t *testing.T) {
	read := make(chan error, 1)
	v := verifier(t, func(c *core.Config) {
		c.BodyTimeout = 100 * time.Millisecond
		c.APIs = []core.API{{Match: "/v1/items", Key: "k1", Stream: true}}
	})
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	})))
	defer server.Close()
	slowly(t, server.Listener.Addr().String(), signed(t, k1, "POST", "/v1/items", "x", apig.SignOptions{Payload: core.PayloadDeclared}))
	wantCode(t, <-read, core.CodeBodyMismatch)
}

// TestSlowUnsigned_F13: a body that no verdict depends on takes as long as the handler waits,
// where the API is not streamed.
func TestSlowUnsigned_F13(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.BodyTimeout, c.AllowUnsignedPayload = 50*time.Millisecond, true })
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if text, err := io.ReadAll(r.Body); err != nil || string(text) != "text" {
			t.Errorf("got %q, %v", text, err)
		}
	})))
	defer server.Close()
	body, write := io.Pipe()
	go func() {
		io.WriteString(write, "te")
		<-time.After(200 * time.Millisecond) // longer than the body's time
		io.WriteString(write, "xt")
		write.Close()
	}()
	r := signed(t, k1, "POST", "/v1/items", "", apig.SignOptions{Payload: core.PayloadUnsigned})
	out, _ := http.NewRequest("POST", server.URL+"/v1/items", body)
	out.Host, out.Header = r.Host, r.Header
	answer, err := http.DefaultClient.Do(out)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("got status %d, want 200", answer.StatusCode)
	}
}

// TestBodyTimeoutLeavesTheConnection: a body in time leaves no deadline behind:
// the handler's context lives on, and so does the connection.
func TestBodyTimeoutLeavesTheConnection(t *testing.T) {
	for _, stream := range []bool{false, true} {
		v := verifier(t, func(c *core.Config) {
			c.BodyTimeout = 50 * time.Millisecond
			c.APIs = []core.API{{Match: "/v1/items", Key: "k1", Stream: stream}}
		})
		server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Connection-Of", r.RemoteAddr)
			select { // longer than the body's time; nothing may happen in it
			case <-r.Context().Done():
				t.Errorf("stream %v: the handler's context ended: %v", stream, context.Cause(r.Context()))
			case <-time.After(200 * time.Millisecond):
			}
		})))
		conns := map[string]bool{}
		for range 2 {
			r := signed(t, k1, "POST", "/v1/items", "text", apig.SignOptions{Payload: core.PayloadDeclared})
			out, _ := http.NewRequest("POST", server.URL+"/v1/items", strings.NewReader("text"))
			out.Host, out.Header = r.Host, r.Header
			answer, err := server.Client().Do(out)
			if err != nil || answer.StatusCode != 200 {
				t.Fatalf("stream %v: %v, %v", stream, answer, err)
			}
			answer.Body.Close()
			conns[answer.Header.Get("Connection-Of")] = true
		}
		server.Close()
		if len(conns) != 1 {
			t.Errorf("stream %v: %d connections, want the first one kept", stream, len(conns))
		}
	}
}
