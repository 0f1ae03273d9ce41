package guard_test

import (
	_ "embed"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

//go:embed testdata/relay.py
var relay string

// TestConformance_T209 runs the suite of adapters against the guard in front of a service of
// Python's http.server, over sockets: from the suite to the guard, from there to the service,
// and from the service, which has read the request, to the handler of the suite. The handler
// gets what the service has received. The identity in its context is the one that the headers
// describe.
func TestConformance_T209(t *testing.T) {
	needs.Long(t) // sends the suite's requests through Python's server
	python := servePython(t, relay)
	h := &handlers{open: map[string]handler{}}
	answers := httptest.NewServer(h)
	defer answers.Close()
	h.T, h.address = t, answers.Listener.Addr().String()
	to, err := guard.ParseTarget("http://" + python)
	if err != nil {
		t.Fatal(err)
	}
	transport := guard.NewTransport(to)
	defer transport.CloseIdleConnections()
	coretest.RunExcept(t, func(v *core.Verifier, next http.Handler) http.Handler {
		return guard.New(guard.Config{Verifier: v, To: to, Logger: slog.New(slog.DiscardHandler), PathParameters: true, Transport: marked{h, next, transport}})
	}, notCarried)
}

// notCarried are the cases that a proxy cannot carry.
var notCarried = map[string]string{
	"T042 P1 changed to |v1|items<#>f":                   "the proxy itself refuses a fragment, with 400: see TestChangedTargets_T200",
	"T062 read, closed twice, and read again by GetBody": "a service in another process has no GetBody",
	"T062 the original body is closed once":              "a service in another process has no GetBody",
	"T062 a body read after the handler has returned":    "the service reads a body of its own, which its server closes after the response is sent",
	"T115 other values of the context change nothing":    "the context of a request ends at the proxy",
	"T117 StripPrefix in front of the adapter":           "the service gets the target that was signed, not the one that a handler in front made of it",
}

// handlers are the handlers of the suite, each for one request.
type handlers struct {
	*testing.T
	address string
	last    atomic.Int64
	mu      sync.Mutex
	open    map[string]handler
}

type handler struct {
	next http.Handler
	id   *core.Identity
}

const (
	headerAnswers = "X-Coretest-Answers"
	headerID      = "X-Coretest-Id"
)

// marked marks a request with the handler that is to answer it.
type marked struct {
	*handlers
	next      http.Handler
	transport http.RoundTripper
}

func (m marked) RoundTrip(r *http.Request) (*http.Response, error) {
	id, _ := core.FromContext(r.Context())
	number := strconv.FormatInt(m.last.Add(1), 10)
	m.mu.Lock()
	m.open[number] = handler{m.next, id}
	m.mu.Unlock()
	r.Header.Set(headerAnswers, m.address)
	r.Header.Set(headerID, number)
	return m.transport.RoundTrip(r)
}

func (h *handlers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number := r.Header.Get(headerID)
	h.mu.Lock()
	found, ok := h.open[number]
	delete(h.open, number)
	h.mu.Unlock()
	if !ok {
		h.Errorf("the service got the request %q twice, or without its mark", number)
		return
	}
	got := map[string]string{}
	for name := range r.Header {
		if strings.HasPrefix(name, guard.Prefix) {
			got[name] = strings.Join(r.Header[name], "|")
			delete(r.Header, name)
		}
	}
	delete(r.Header, headerID)
	delete(r.Header, headerAnswers)
	ctx := r.Context()
	if id := found.id; id == nil {
		if got["X-Gatewayauth-Verified"] != "false" || len(got) != 2 {
			h.Errorf("the service got the identity %v of a request that is not verified", got)
		}
	} else {
		for name, want := range map[string]string{"Verified": "true", "Environment": id.Environment(), "Key": id.Key(), "Key-Id": id.KeyID(),
			"Scheme": id.Scheme(), "Payload": id.Payload().String(), "Signed-Headers": strings.Join(id.SignedHeaders(), ";")} {
			if got[guard.Prefix+name] != want {
				h.Errorf("the service got %s %q, want %q", name, got[guard.Prefix+name], want)
			}
		}
		ctx = core.NewContext(ctx, id)
	}
	found.next.ServeHTTP(w, r.WithContext(ctx))
}
