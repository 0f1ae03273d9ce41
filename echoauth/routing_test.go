package echoauth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/echoauth"
)

// TestNothingRunsAfterARefusal_T114, neither later middleware nor the handler.
func TestNothingRunsAfterARefusal_T114(t *testing.T) {
	var later, handler atomic.Int32
	counting := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			later.Add(1)
			return next(c)
		}
	}
	e := echo.New()
	e.Use(echoauth.Middleware(newVerifier(t, nil)), counting, counting)
	e.POST("/v1/items", counted(&handler), counting)
	for _, tt := range refusals[:4] {
		r := tt.request()
		r.Method = http.MethodPost
		if w := serve(e, r); w.Code < 400 || later.Load() != 0 || handler.Load() != 0 {
			t.Errorf("%s: got %d, later middleware ran %d times, the handler %d; want a refusal and never", tt.name, w.Code, later.Load(), handler.Load())
		}
	}
	if w := serve(e, signed(orders, "POST", "/v1/items", "a=1")); w.Code != 200 || later.Load() != 3 || handler.Load() != 1 {
		t.Errorf("signed: got %d, later middleware ran %d times, the handler %d; want 200, 3, 1", w.Code, later.Load(), handler.Load())
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
	e := echo.New()
	e.Group("/v1").Group("/inner", echoauth.Middleware(v)).GET("/items/:id", counted(runs))
	e.GET("/one/:id", counted(runs), echoauth.Middleware(v))
	e.GET("/free", counted(runs))
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
	check(t, e, runs, append(list(""), exchange{"signed for the path within the group", moved, 401, 0}))
	check(t, http.StripPrefix("/api", e), runs, list("/api"))
}

// TestMethodOverrideAndRewrite_T118: what changes a request after it was
// verified needs a signature; what changes it before is not in doubt either.
func TestMethodOverrideAndRewrite_T118(t *testing.T) {
	const override = "X-Http-Method-Override"
	v, deleted := newVerifier(t, nil), new(atomic.Int32)
	mount := func(pre ...echo.MiddlewareFunc) *echo.Echo {
		e := echo.New()
		e.Pre(pre...)
		e.POST("/v1/items", counted(new(atomic.Int32)))
		e.DELETE("/v1/items", counted(deleted))
		return e
	}
	added := func(r *http.Request) *http.Request {
		r.Header.Set(override, "DELETE")
		return r
	}
	post := func(lines ...string) *http.Request { return signed(orders, "POST", "/v1/items", "a=1", lines...) }

	check(t, mount(echoauth.Middleware(v), before(methodOverride)), deleted, []exchange{
		{"not overridden", post(), 200, 0},
		{"unsigned override", added(post()), 401, 0},
		{"signed override", post(override + ": DELETE"), 200, 1},
		{"override without signature", added(unsigned("POST", "/v1/items")), 401, 0},
		{"override on the open API", added(unsigned("GET", "/health")), 401, 0},
	})
	check(t, mount(before(methodOverride), echoauth.Middleware(v)), deleted, []exchange{
		{"overridden before, unsigned", added(post()), 401, 0},
		{"overridden before, signed", post(override + ": DELETE"), 401, 0},
		{"signed as what it becomes", signed(orders, "DELETE", "/v1/items", ""), 200, 1},
	})

	for name, e := range map[string]*echo.Echo{
		"rewritten after":  mount(echoauth.Middleware(v), before(rewrite)),
		"rewritten before": mount(before(rewrite), echoauth.Middleware(v)),
	} {
		check(t, e, deleted, []exchange{
			{name, signed(orders, "DELETE", "/old/items", ""), 200, 1},
			{name + ", unsigned", unsigned("DELETE", "/old/items"), 401, 0},
		})
	}
}

// TestUnknownRoutes_T119: a global adapter refuses before the router answers; a
// group's covers its prefix; a route's covers nothing but the route.
func TestUnknownRoutes_T119(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	global, pre, parts := echo.New(), echo.New(), echo.New()
	global.Use(echoauth.Middleware(v))
	pre.Pre(echoauth.Middleware(v))
	for _, e := range []*echo.Echo{global, pre} {
		e.GET("/v1/items", counted(runs))
		check(t, e, runs, []exchange{
			{"unknown", unsigned("GET", "/nothing"), 401, 0},
			{"wrong method", unsigned("DELETE", "/v1/items"), 401, 0},
			{"no method of HTTP", unsigned("BREW", "/v1/items"), 401, 0},
			{"OPTIONS", unsigned("OPTIONS", "/v1/items"), 401, 0},
			{"a final slash", unsigned("GET", "/v1/items/"), 401, 0},
			{"two slashes", unsigned("GET", "//v1/items"), 401, 0},
			{"unknown, signed", signed(orders, "GET", "/nothing", ""), 404, 0},
			{"wrong method, signed", signed(orders, "DELETE", "/v1/items", ""), 405, 0},
			{"OPTIONS, signed", signed(orders, "OPTIONS", "/v1/items", ""), 204, 0},
		})
	}
	parts.GET("/one", counted(runs), echoauth.Middleware(v))
	group := parts.Group("/v1", echoauth.Middleware(v))
	group.GET("/items", counted(runs))
	check(t, parts, runs, []exchange{
		{"group, unknown", unsigned("GET", "/v1/nothing"), 401, 0},
		{"group, wrong method", unsigned("DELETE", "/v1/items"), 401, 0},
		{"group, OPTIONS", unsigned("OPTIONS", "/v1/items"), 401, 0},
		{"group, wrong method, signed", signed(orders, "DELETE", "/v1/items", ""), 404, 0}, // Echo's own choice for groups
		{"outside the group", unsigned("GET", "//v1/items"), 404, 0},
		{"route, wrong method", unsigned("POST", "/one"), 405, 0},
		{"route, OPTIONS", unsigned("OPTIONS", "/one"), 204, 0},
		{"unknown", unsigned("GET", "/nothing"), 404, 0},
	})
	parts.Any("/*", counted(runs))
	check(t, parts, runs, []exchange{
		{"group, unknown, beside a catch-all that is open", unsigned("GET", "/v1/nothing"), 401, 0},
		{"group, wrong method, beside a catch-all that is open", unsigned("DELETE", "/v1/items"), 401, 0},
		{"the catch-all", unsigned("GET", "/nothing"), 200, 1},
	})
}

// TestGroupUseComesFirst_T119 shows the trap that the package comment warns of:
// Group.Use covers only routes that are registered after it.
func TestGroupUseComesFirst_T119(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	e := echo.New()
	e.GET("/root", counted(runs))
	e.Use(echoauth.Middleware(v)) // of the server: for all routes, whenever registered
	check(t, e, runs, []exchange{{"a route before Echo.Use", unsigned("GET", "/root"), 401, 0}})

	e = echo.New()
	group := e.Group("/v1")
	group.GET("/before", counted(runs))
	group.Use(echoauth.Middleware(v))
	group.GET("/after", counted(runs))
	check(t, e, runs, []exchange{
		{"a route before Group.Use", unsigned("GET", "/v1/before"), 200, 1},
		{"a route after Group.Use", unsigned("GET", "/v1/after"), 401, 0},
	})
}

// TestOnlyTheOpenRouteIsOpen_T120 as Echo's router reads paths.
func TestOnlyTheOpenRouteIsOpen_T120(t *testing.T) {
	open, other := new(atomic.Int32), new(atomic.Int32)
	e := echo.New()
	e.Use(echoauth.Middleware(newVerifier(t, nil)))
	e.GET("/health", counted(open))
	e.Any("/*", counted(other))
	check(t, e, open, []exchange{
		{"the route", unsigned("GET", "/health"), 200, 1},
		{"the route and a query", unsigned("GET", "/health?x=1"), 200, 1},
	})
	for _, target := range []string{"/health/", "/health%2f..%2fadmin", "/health/../admin", "/health/%2e%2e/admin", "/healthz", "//health",
		"/./health", "/admin/../health", "/admin?x=/health", "/admin;/health", "/health;x", "/HEALTH", "/he%61lth", "/%68ealth", "/health%2f", "/health%00"} {
		open.Store(0)
		w := serve(e, unsigned("GET", target))
		if w.Code != 400 && w.Code != 401 || open.Load() != 0 || other.Load() != 0 {
			t.Errorf("%s: got %d, %d runs of the open and %d of another route; want a refusal", target, w.Code, open.Load(), other.Load())
		}
	}
	slashes := echo.New()
	slashes.Pre(echoauth.Middleware(newVerifier(t, nil)), before(removeTrailingSlash))
	slashes.GET("/health", counted(open))
	check(t, slashes, open, []exchange{{"a slash removed after the verdict", unsigned("GET", "/health/"), 401, 0}})
}

// TestPreflight_T122: refused like everything else that is unsigned, unless CORS
// middleware stands in front and answers it.
func TestPreflight_T122(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	preflight := unsigned("OPTIONS", "/v1/items")
	preflight.Header.Set("Origin", "https://app.example")
	preflight.Header.Set("Access-Control-Request-Method", "DELETE")
	for _, tt := range []struct {
		name   string
		chain  []echo.MiddlewareFunc
		status int
	}{
		{"no CORS", []echo.MiddlewareFunc{echoauth.Middleware(v)}, 401},
		{"CORS behind", []echo.MiddlewareFunc{echoauth.Middleware(v), cors}, 401},
		{"CORS in front", []echo.MiddlewareFunc{cors, echoauth.Middleware(v)}, 204},
	} {
		e := echo.New()
		e.Use(tt.chain...)
		e.Any("/*", counted(runs))
		check(t, e, runs, []exchange{
			{tt.name, preflight, tt.status, 0},
			{tt.name + ", the request after it", unsigned("DELETE", "/v1/items"), 401, 0},
		})
	}
}

// TestParametersThatSwallow_T120: Echo's last parameter takes slashes, so a route
// can serve a path that the policy has under another key, or open.
func TestParametersThatSwallow_T120(t *testing.T) {
	other := core.Key{Name: "other", ID: "OTHERKEY0001", Secret: core.NewSecret("other-secret-0123456789")}
	v, err := core.New(core.Config{
		Environment: "prod",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(other)})},
		APIs:        []core.API{{Match: "GET /users/{id}/avatar", Open: true}},
		Default:     "other",
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	e, runs := echo.New(), 0
	e.Use(echoauth.Middleware(v))
	e.GET("/users/:id", func(c echo.Context) error { runs++; return c.NoContent(http.StatusOK) })
	e.GET("/files/*", func(c echo.Context) error { runs++; return c.NoContent(http.StatusOK) })
	for _, tt := range []struct {
		target string
		want   int
	}{
		{"/users/7", 200}, {"/users/7/avatar", 400}, {"/users/7/orders", 400}, {"/files/a/b", 200},
	} {
		r := httptest.NewRequest("GET", tt.target, nil)
		if !strings.HasSuffix(tt.target, "avatar") {
			if err := apig.NewSigner(other, apig.SignOptions{}).Sign(r, emptyDigest, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		before, w := runs, httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != tt.want || (runs > before) != (tt.want == 200) {
			t.Errorf("%s: got %d, handler ran %v; want %d", tt.target, w.Code, runs > before, tt.want)
		}
	}
}

const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
