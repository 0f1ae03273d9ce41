package adaptertest

import (
	"net/http"
	"slices"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// counting returns middleware that counts requests in c and passes them on.
func (f *Framework[M]) counting(c *testkit.Counter) M {
	return f.Step(func(_ http.ResponseWriter, r *http.Request, next func(*http.Request)) {
		c.ServeHTTP(discard{}, r)
		next(r)
	})
}

// discard is a ResponseWriter that discards the response.
type discard struct{}

func (discard) Header() http.Header         { return nil }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// TestNothingRunsAfterARefusal: after a refusal, neither later middleware nor the handler
// runs.
func TestNothingRunsAfterARefusal[M any](t *testing.T, f Framework[M]) {
	var later, handler testkit.Counter
	router := f.New()
	router.Use(f.Verify(testkit.Verifier(t, func(c *core.Config) { c.MaxBody = 8 })), f.counting(&later), f.counting(&later))
	router.Handle("", "/v1/items", &handler, f.counting(&later))
	for _, tt := range refusals() {
		if w := testkit.Serve(router, tt.request()); w.Code != tt.status {
			t.Errorf("%s: got %d, want %d", tt.name, w.Code, tt.status)
		}
		if n, runs := later.Take(), handler.Take(); n != 0 || runs != 0 {
			t.Errorf("%s: later middleware ran %d times, the handler %d; want never", tt.name, n, runs)
		}
	}
	w := testkit.Serve(router, testkit.Signed(testkit.Orders, "POST", "/v1/items", "a=1"))
	if n, runs := later.Take(), handler.Take(); w.Code != 200 || n != 3 || runs != 1 {
		t.Errorf("signed: got %d, later middleware ran %d times, the handler %d; want 200, 3, 1", w.Code, n, runs)
	}
}

// TestReceivedTarget: the received target is verified, wherever the adapter is mounted.
func TestReceivedTarget[M any](t *testing.T, f Framework[M]) {
	signed := func(target string) *http.Request { return testkit.Signed(testkit.Orders, "GET", target, "") }
	unsigned := func(target string) *http.Request { return testkit.Unsigned("GET", target) }
	verify, runs := f.Verify(testkit.Verifier(t, nil)), new(testkit.Counter)
	router := f.New()
	router.Group("/v1").Group("/inner", verify).Handle("GET", "/items/:id", runs)
	router.Handle("GET", "/one/:id", runs, verify)
	router.Handle("GET", "/free", runs)
	list := func(prefix string) []testkit.Exchange {
		return []testkit.Exchange{
			testkit.Expect("group", signed(prefix+"/v1/inner/items/7"), 200, 1),
			testkit.Expect("group, unsigned", unsigned(prefix+"/v1/inner/items/7"), 401, 0),
			testkit.Expect("route", signed(prefix+"/one/7"), 200, 1),
			testkit.Expect("route, unsigned", unsigned(prefix+"/one/7"), 401, 0),
			testkit.Expect("elsewhere", unsigned(prefix+"/free"), 200, 1),
		}
	}
	moved := signed("/items/7")
	moved.RequestURI, moved.URL.Path = "/v1/inner/items/7", "/v1/inner/items/7"
	runs.Check(t, router, append(list(""), testkit.Expect("signed for the path within the group", moved, 401, 0)))
	runs.Check(t, http.StripPrefix("/api", router), list("/api"))
}

// TestOnlyTheOpenRouteIsOpen sends paths that resemble those of open routes. serve
// returns a server with the open routes GET /health and /files/ (with all paths below),
// and another route for all other paths.
func TestOnlyTheOpenRouteIsOpen(t *testing.T, serve func(v *core.Verifier, open, other http.Handler) http.Handler) {
	var open, other testkit.Counter
	server := serve(testkit.Verifier(t, func(c *core.Config) {
		c.APIs = append(c.APIs, core.API{Match: "GET /files/", Open: true})
	}), &open, &other)
	open.Check(t, server, []testkit.Exchange{
		testkit.Expect("the route", testkit.Unsigned("GET", "/health"), 200, 1),
		testkit.Expect("the route and a query", testkit.Unsigned("GET", "/health?x=1"), 200, 1),
		testkit.Expect("below the other", testkit.Unsigned("GET", "/files/a/b"), 200, 1),
	})
	for _, target := range []string{"/health/", "/health%2f..%2fadmin", "/health/../admin", "/health/%2e%2e/admin", "/healthz", "//health",
		"/./health", "/admin/../health", "/admin?x=/health", "/admin;/health", "/health;x", "/HEALTH", "/he%61lth", "/%68ealth", "/health%2f",
		"/health%00", "/files/../admin", "/files/%2e%2e/admin", "/files/..%2fadmin", "/files%2f..%2fadmin", "//files/../admin", "/files//../../admin"} {
		w := testkit.Serve(server, testkit.Unsigned("GET", target))
		if n, m := open.Take(), other.Take(); w.Code != 400 && w.Code != 401 || n != 0 || m != 0 {
			t.Errorf("%s: got %d, %d runs of an open and %d of another route; want a refusal", target, w.Code, n, m)
		}
	}
}

// TestPreflight: a preflight request is refused like every unsigned request, unless CORS
// middleware in front of the adapter answers it.
func TestPreflight[M any](t *testing.T, f Framework[M]) {
	verify := f.Verify(testkit.Verifier(t, nil))
	cors := f.Step(func(w http.ResponseWriter, r *http.Request, next func(*http.Request)) {
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			w.Write(nil) // Gin's writer sends the status with the first write
			return
		}
		next(r)
	})
	preflight := testkit.Unsigned("OPTIONS", "/v1/items")
	preflight.Header.Set("Origin", "https://app.example")
	preflight.Header.Set("Access-Control-Request-Method", "DELETE")
	for _, tt := range []struct {
		name   string
		chain  []M
		status int
	}{
		{"no CORS", []M{verify}, 401},
		{"CORS behind", []M{verify, cors}, 401},
		{"CORS in front", []M{cors, verify}, 204},
	} {
		runs := new(testkit.Counter)
		runs.Check(t, f.use(runs, slices.Clone(tt.chain)...), []testkit.Exchange{
			testkit.Expect(tt.name, preflight, tt.status, 0),
			testkit.Expect(tt.name+", the request after it", testkit.Unsigned("DELETE", "/v1/items"), 401, 0),
		})
	}
}
