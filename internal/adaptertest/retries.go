package adaptertest

import (
	"io"
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
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// firstAnswers are ways to answer the first request.
var firstAnswers = []struct {
	name   string
	answer http.HandlerFunc
}{
	{"200", status(200)},
	{"204", status(204)},
	{"301", status(301)},
	{"404", status(404)},
	{"499", status(499)},
	{"500", status(500)},
	{"502", status(502)},
	{"503", status(503)},
	{"503 with a body", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusServiceUnavailable) }},
	{"103 and 503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(503) }},
	{"503 and 200", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); w.Write(nil) }},
	{"nothing", func(http.ResponseWriter, *http.Request) {}},
	{"a body without a status", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "text") }},
	{"a panic", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{"a header and a panic", func(w http.ResponseWriter, _ *http.Request) {
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}},
	{torn, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "te")
		panic(http.ErrAbortHandler)
	}},
	{takenOver, func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
	}},
	{takenOver + " and a panic", func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
		panic(http.ErrAbortHandler)
	}},
	// So much does not stay in the server's buffers: the client gets 200.
	{"much of a body and a panic", func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 1<<20))
		panic(http.ErrAbortHandler)
	}},
	{"much of a text and a panic", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strings.Repeat("x", 1<<20))
		panic(http.ErrAbortHandler)
	}},
}

const takenOver, torn = "a connection that is taken over", "a part of a body and a panic"

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// TestRetries checks that a request may be sent once more where the policy permits it and the
// first one was not answered below 500, and never in another case.
func TestRetries(t *testing.T, mount Mount) {
	for _, first := range firstAnswers {
		t.Run(first.name, func(t *testing.T) {
			x := newRetry(t, mount, first.answer)
			want := http.StatusUnauthorized
			// What the client got decides. Where it got nothing, although the handler had
			// written something, a refusal is right as well.
			if got := x.send("PUT", "", x.here); got >= 500 || got == 0 && !strings.HasPrefix(first.name, takenOver) && first.name != torn {
				want = http.StatusOK
			}
			x.expect("the retry", "PUT", "", x.here, want)
			x.expect("a second retry", "PUT", "", x.here, http.StatusUnauthorized)
		})
	}
	away := status(503)
	t.Run("another method", func(t *testing.T) {
		x := newRetry(t, mount, away)
		x.send("POST", "", x.here)
		x.expect("the same again", "POST", "", x.here, http.StatusUnauthorized)
	})
	t.Run("another instance", func(t *testing.T) {
		x := newRetry(t, mount, away)
		x.send("PUT", "", x.here)
		x.expect("the retry", "PUT", "", x.there, http.StatusOK)
		x.expect("a second retry", "PUT", "", x.here, http.StatusUnauthorized)
	})
	t.Run("another body", func(t *testing.T) {
		x := newRetry(t, mount, away)
		x.send("PUT", "", x.here)
		x.expect("a changed one", "PUT", "other", x.here, http.StatusUnauthorized)
		x.expect("the retry", "PUT", "", x.here, http.StatusOK)
	})
	t.Run("in time", func(t *testing.T) {
		x := newRetry(t, mount, away)
		x.send("PUT", "", x.here)
		x.clock.Add(int64(5 * time.Second))
		x.expect("the retry", "PUT", "", x.here, http.StatusOK)
	})
	t.Run("too late", func(t *testing.T) {
		x := newRetry(t, mount, away)
		x.send("PUT", "", x.here)
		x.clock.Add(int64(5*time.Second + 1))
		x.expect("the same again", "PUT", "", x.here, http.StatusUnauthorized)
	})
	t.Run("while the first one runs", func(t *testing.T) {
		reached, leave := make(chan struct{}), make(chan struct{})
		x := newRetry(t, mount, func(w http.ResponseWriter, _ *http.Request) {
			close(reached)
			<-leave
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			x.send("PUT", "", x.here)
		}()
		<-reached
		x.expect("the retry", "PUT", "", x.here, http.StatusOK)
		close(leave)
		<-done
		x.expect("a second retry", "PUT", "", x.here, http.StatusUnauthorized)
	})
}

// retry is a policy that permits retries, on two servers.
type retry struct {
	t           *testing.T
	here, there *httptest.Server
	clock       atomic.Int64 // since testkit.Now
	retried     atomic.Bool  // what the identity of the last request says
}

func newRetry(t *testing.T, mount Mount, first http.HandlerFunc) *retry {
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	x := &retry{t: t}
	var runs atomic.Int32
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := core.FromContext(r.Context())
		x.retried.Store(id.Retry())
		if runs.Add(1) == 1 {
			first(w, r)
		}
	})
	start := func() *httptest.Server {
		v := testkit.New(t, testkit.Policy(func(c *core.Config) {
			c.Now = func() time.Time { return testkit.Now().Add(time.Duration(x.clock.Load())) }
			c.Replay = core.Replay{Store: store, Retries: core.Retries{Methods: []string{"PUT"}, Within: 5 * time.Second}}
		}))
		var running sync.WaitGroup
		mounted := mount(v, app)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Done()
			mounted.ServeHTTP(w, r)
		}))
		t.Cleanup(running.Wait) // for the server, a connection that is taken over has ended
		t.Cleanup(s.Close)
		return s
	}
	x.here, x.there = start(), start()
	return x
}

// send sends the same bytes each time, on a connection of their own. It returns the status,
// 0 for no answer.
func (x *retry) send(method, body string, to *httptest.Server) int {
	x.t.Helper()
	signed := testkit.SignedBy(x.t, testkit.K1, method, "/v1/items", "text", apig.SignOptions{})
	r, err := http.NewRequest(method, to.URL+"/v1/items", strings.NewReader("text"+body))
	if err != nil {
		x.t.Fatal(err)
	}
	r.Host, r.Header, r.Close = signed.Host, signed.Header, true
	r.GetBody = nil // the client shall not retry by itself
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return 0
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer.StatusCode
}

func (x *retry) expect(name, method, body string, to *httptest.Server, want int) {
	x.t.Helper()
	x.retried.Store(false)
	if got := x.send(method, body, to); got != want || x.retried.Load() != (want == http.StatusOK) {
		x.t.Errorf("%s: got %d, Retry %v; want %d", name, got, x.retried.Load(), want)
	}
}
