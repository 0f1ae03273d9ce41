package ginauth_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestNothingRunsAfterARefusal_T114, neither later middleware nor the handler,
// whoever answers.
func TestNothingRunsAfterARefusal_T114(t *testing.T) {
	for _, options := range [][]ginauth.Option{nil, {ginauth.LeaveAnswer()}} {
		var later, handler atomic.Int32
		counting := func(c *gin.Context) {
			later.Add(1)
			c.Next()
		}
		engine := gin.New()
		engine.Use(ginauth.Middleware(newVerifier(t, nil), options...), counting, counting)
		engine.Any("/v1/items", counting, counted(&handler))
		for _, tt := range refusals[:4] {
			if w := serve(engine, tt.request()); w.Code != tt.status || later.Load() != 0 || handler.Load() != 0 {
				t.Errorf("%s: got %d, later middleware ran %d times, the handler %d; want %d and never", tt.name, w.Code, later.Load(), handler.Load(), tt.status)
			}
		}
		if w := serve(engine, signed(orders, "POST", "/v1/items", "a=1")); w.Code != 200 || later.Load() != 3 || handler.Load() != 1 {
			t.Errorf("signed: got %d, later middleware ran %d times, the handler %d; want 200, 3, 1", w.Code, later.Load(), handler.Load())
		}
	}
}

// exchange is a request and what must come of it.
type exchange struct {
	name    string
	request *http.Request
	status  int
	runs    int32 // of the handlers that count
}

func check(t *testing.T, h http.Handler, runs *atomic.Int32, list []exchange) {
	t.Helper()
	for _, x := range list {
		runs.Store(0)
		if w := serve(h, x.request); w.Code != x.status || runs.Load() != x.runs {
			t.Errorf("%s: got %d, %d runs; want %d, %d runs", x.name, w.Code, runs.Load(), x.status, x.runs)
		}
	}
}

// TestTheWireTargetIsJudged_T117 wherever the adapter is mounted.
func TestTheWireTargetIsJudged_T117(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	engine := gin.New()
	engine.Group("/v1").Group("/inner", ginauth.Middleware(v)).GET("/items/:id", counted(runs))
	engine.GET("/one/:id", ginauth.Middleware(v), counted(runs))
	engine.GET("/free", counted(runs))
	list := func(prefix string) []exchange {
		return []exchange{
			{"group", signed(orders, "GET", prefix+"/v1/inner/items/7", ""), 200, 1},
			{"group, unsigned", unsigned("GET", prefix+"/v1/inner/items/7"), 401, 0},
			{"route", signed(orders, "GET", prefix+"/one/7", ""), 200, 1},
			{"route, unsigned", unsigned("GET", prefix+"/one/7"), 401, 0},
			{"elsewhere", unsigned("GET", prefix+"/free"), 200, 1},
		}
	}
	moved := signed(orders, "GET", "/items/7", "")
	moved.RequestURI, moved.URL.Path = "/v1/inner/items/7", "/v1/inner/items/7"
	check(t, engine, runs, append(list(""), exchange{"signed for the path within the group", moved, 401, 0}))
	check(t, http.StripPrefix("/api", engine), runs, list("/api"))
}

// TestMethodOverride_T118: Gin routes before middleware runs, so an override can
// only stand in front of the engine.
func TestMethodOverride_T118(t *testing.T) {
	v, deleted := newVerifier(t, nil), new(atomic.Int32)
	engine := gin.New()
	engine.Use(ginauth.Middleware(v))
	engine.POST("/v1/items", counted(new(atomic.Int32)))
	engine.DELETE("/v1/items", counted(deleted))
	override := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if method := r.Header.Get("X-Http-Method-Override"); method != "" {
				r.Method = method
			}
			next.ServeHTTP(w, r)
		})
	}
	post := func(lines ...string) *http.Request { return signed(orders, "POST", "/v1/items", "a=1", lines...) }
	added := func(r *http.Request) *http.Request {
		r.Header.Set("X-Http-Method-Override", "DELETE")
		return r
	}
	check(t, override(engine), deleted, []exchange{
		{"unsigned override", added(post()), 401, 0},
		{"signed override", post("X-Http-Method-Override: DELETE"), 401, 0},
		{"override without signature", added(unsigned("POST", "/v1/items")), 401, 0},
	})
	free := gin.New()
	free.DELETE("/v1/items", counted(deleted))
	check(t, nethttp.Middleware(v)(override(free)), deleted, []exchange{
		{"verified before, unsigned override", added(post()), 401, 0},
		{"verified before, signed override", post("X-Http-Method-Override: DELETE"), 200, 1},
	})
}

// TestUnknownRoutes_T119: Use covers what no route matches as well, but not
// Gin's redirects; a group's and a route's adapter covers routes alone.
func TestUnknownRoutes_T119(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	for _, notAllowed := range []bool{false, true} {
		engine := gin.New()
		engine.HandleMethodNotAllowed = notAllowed
		engine.Use(ginauth.Middleware(v))
		engine.GET("/v1/items", counted(runs))
		wrong := http.StatusNotFound
		if notAllowed {
			wrong = http.StatusMethodNotAllowed
		}
		covered := []exchange{
			{"unknown", unsigned("GET", "/nothing"), 401, 0},
			{"wrong method", unsigned("DELETE", "/v1/items"), 401, 0},
			{"no method of HTTP", unsigned("BREW", "/v1/items"), 401, 0},
			{"OPTIONS", unsigned("OPTIONS", "/v1/items"), 401, 0},
			{"two slashes", unsigned("GET", "//v1/items"), 401, 0},
			{"unknown, signed", signed(orders, "GET", "/nothing", ""), 404, 0},
			{"wrong method, signed", signed(orders, "DELETE", "/v1/items", ""), wrong, 0},
		}
		check(t, engine, runs, append(covered, exchange{"a final slash", unsigned("GET", "/v1/items/"), 301, 0}))
		engine.RedirectTrailingSlash = false
		check(t, engine, runs, append(covered, exchange{"a final slash without redirects", unsigned("GET", "/v1/items/"), 401, 0}))
		engine.RedirectTrailingSlash, engine.RedirectFixedPath = true, true
		check(t, engine, runs, []exchange{{"upper case, with RedirectFixedPath", unsigned("GET", "/V1/items"), 301, 0}})
		check(t, nethttp.Middleware(v)(engine), runs, []exchange{{"a final slash, the engine wrapped", unsigned("GET", "/v1/items/"), 401, 0}})
		if allow := serve(engine, unsigned("DELETE", "/v1/items")).Header().Get("Allow"); (allow == "GET") != notAllowed {
			t.Errorf("HandleMethodNotAllowed %v: a refusal has Allow %q", notAllowed, allow)
		}
	}
	parts := gin.New()
	parts.GET("/one", ginauth.Middleware(v), counted(runs))
	parts.Group("/v1", ginauth.Middleware(v)).GET("/items", counted(runs))
	check(t, parts, runs, []exchange{
		{"group, unknown", unsigned("GET", "/v1/nothing"), 404, 0},
		{"group, wrong method", unsigned("DELETE", "/v1/items"), 404, 0},
		{"group, OPTIONS", unsigned("OPTIONS", "/v1/items"), 404, 0},
		{"route, wrong method", unsigned("POST", "/one"), 404, 0},
		{"unknown", unsigned("GET", "/nothing"), 404, 0},
	})
}

// TestUseComesFirst_T119 shows the trap that the package comment warns of: Use
// covers only routes that are registered after it.
func TestUseComesFirst_T119(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	engine := gin.New()
	engine.GET("/before", counted(runs))
	engine.Use(ginauth.Middleware(v))
	engine.GET("/after", counted(runs))
	check(t, engine, runs, []exchange{
		{"a route before Use", unsigned("GET", "/before"), 200, 1},
		{"a route after Use", unsigned("GET", "/after"), 401, 0},
	})
	check(t, nethttp.Middleware(v)(engine), runs, []exchange{{"the engine wrapped", unsigned("GET", "/before"), 401, 0}})
}

// TestOnlyTheOpenRouteIsOpen_T120 in every way that Gin reads paths.
func TestOnlyTheOpenRouteIsOpen_T120(t *testing.T) {
	for n := range 16 {
		open, other := new(atomic.Int32), new(atomic.Int32)
		engine := gin.New()
		engine.RedirectTrailingSlash = false
		engine.UseRawPath, engine.UnescapePathValues = n&1 != 0, n&2 != 0
		engine.RemoveExtraSlash, engine.UseEscapedPath = n&4 != 0, n&8 != 0
		engine.Use(ginauth.Middleware(newVerifier(t, func(c *core.Config) {
			c.APIs = append(c.APIs, core.API{Match: "GET /files/", Open: true})
		})))
		engine.GET("/health", counted(open))
		engine.GET("/files/*path", counted(open))
		engine.GET("/admin", counted(other))
		engine.NoRoute(counted(other))
		check(t, engine, open, []exchange{
			{"the route", unsigned("GET", "/health"), 200, 1},
			{"the route and a query", unsigned("GET", "/health?x=1"), 200, 1},
			{"below the other", unsigned("GET", "/files/a/b"), 200, 1},
		})
		for _, target := range []string{"/health/", "/health%2f..%2fadmin", "/health/../admin", "/health/%2e%2e/admin", "/healthz", "//health",
			"/./health", "/admin/../health", "/admin?x=/health", "/admin;/health", "/health;x", "/HEALTH", "/health%2f", "/health%00",
			"/files/../admin", "/files/%2e%2e/admin", "/files/..%2fadmin", "/files%2f..%2fadmin", "//files/../admin", "/files//../../admin"} {
			open.Store(0)
			w := serve(engine, unsigned("GET", target))
			if w.Code != 400 && w.Code != 401 || open.Load() != 0 || other.Load() != 0 {
				t.Errorf("%s, settings %04b: got %d, %d runs of an open and %d of another route; want a refusal", target, n, w.Code, open.Load(), other.Load())
			}
		}
	}
}

// TestPreflight_T122: refused like everything else that is unsigned, unless CORS
// middleware stands in front and answers it.
func TestPreflight_T122(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	cors := func(c *gin.Context) {
		if c.Request.Method == http.MethodOptions {
			c.AbortWithStatus(http.StatusNoContent)
		}
	}
	preflight := unsigned("OPTIONS", "/v1/items")
	preflight.Header.Set("Origin", "https://app.example")
	preflight.Header.Set("Access-Control-Request-Method", "DELETE")
	for _, tt := range []struct {
		name   string
		chain  []gin.HandlerFunc
		status int
	}{
		{"no CORS", []gin.HandlerFunc{ginauth.Middleware(v)}, 401},
		{"CORS behind", []gin.HandlerFunc{ginauth.Middleware(v), cors}, 401},
		{"CORS in front", []gin.HandlerFunc{cors, ginauth.Middleware(v)}, 204},
	} {
		engine := gin.New()
		engine.Use(tt.chain...)
		engine.Any("/*path", counted(runs))
		check(t, engine, runs, []exchange{
			{tt.name, preflight, tt.status, 0},
			{tt.name + ", the request after it", unsigned("DELETE", "/v1/items"), 401, 0},
		})
	}
}
