package ginauth_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestMethodOverride_T118: Gin routes before middleware runs, so a method override works
// only in front of the engine.
func TestMethodOverride_T118(t *testing.T) {
	v, deleted := newVerifier(t, nil), new(counter)
	engine := gin.New()
	engine.Use(ginauth.Middleware(v))
	engine.POST("/v1/items", counted(new(counter)))
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
	deleted.Check(t, override(engine), []exchange{
		expect("unsigned override", added(post()), 401, 0),
		expect("signed override", post("X-Http-Method-Override: DELETE"), 401, 0),
		expect("override without signature", added(unsigned("POST", "/v1/items")), 401, 0),
	})
	free := gin.New()
	free.DELETE("/v1/items", counted(deleted))
	deleted.Check(t, nethttp.Middleware(v)(override(free)), []exchange{
		expect("verified before, unsigned override", added(post()), 401, 0),
		expect("verified before, signed override", post("X-Http-Method-Override: DELETE"), 200, 1),
	})
}

// TestUnknownRoutes_T119: with Use, the adapter also covers requests that match no route,
// but not Gin's redirects. Mounted on a group or a route, it covers only routes.
func TestUnknownRoutes_T119(t *testing.T) {
	v, runs := newVerifier(t, nil), new(counter)
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
			expect("unknown", unsigned("GET", "/nothing"), 401, 0),
			expect("wrong method", unsigned("DELETE", "/v1/items"), 401, 0),
			expect("unknown method", unsigned("BREW", "/v1/items"), 401, 0),
			expect("OPTIONS", unsigned("OPTIONS", "/v1/items"), 401, 0),
			expect("two slashes", unsigned("GET", "//v1/items"), 401, 0),
			expect("unknown, signed", signed(orders, "GET", "/nothing", ""), 404, 0),
			expect("wrong method, signed", signed(orders, "DELETE", "/v1/items", ""), wrong, 0),
		}
		runs.Check(t, engine, append(covered, expect("a final slash", unsigned("GET", "/v1/items/"), 301, 0)))
		engine.RedirectTrailingSlash = false
		runs.Check(t, engine, append(covered, expect("a final slash without redirects", unsigned("GET", "/v1/items/"), 401, 0)))
		engine.RedirectTrailingSlash, engine.RedirectFixedPath = true, true
		runs.Check(t, engine, []exchange{expect("upper case, with RedirectFixedPath", unsigned("GET", "/V1/items"), 301, 0)})
		runs.Check(t, nethttp.Middleware(v)(engine), []exchange{expect("a final slash, the engine wrapped", unsigned("GET", "/v1/items/"), 401, 0)})
		if allow := serve(engine, unsigned("DELETE", "/v1/items")).Header().Get("Allow"); (allow == "GET") != notAllowed {
			t.Errorf("HandleMethodNotAllowed %v: a refusal has Allow %q", notAllowed, allow)
		}
	}
	parts := gin.New()
	parts.GET("/one", ginauth.Middleware(v), counted(runs))
	parts.Group("/v1", ginauth.Middleware(v)).GET("/items", counted(runs))
	runs.Check(t, parts, []exchange{
		expect("group, unknown", unsigned("GET", "/v1/nothing"), 404, 0),
		expect("group, wrong method", unsigned("DELETE", "/v1/items"), 404, 0),
		expect("group, OPTIONS", unsigned("OPTIONS", "/v1/items"), 404, 0),
		expect("route, wrong method", unsigned("POST", "/one"), 404, 0),
		expect("unknown", unsigned("GET", "/nothing"), 404, 0),
	})
}

// TestUseComesFirst_T119: as the package comment warns, Use covers only routes that are
// registered after it.
func TestUseComesFirst_T119(t *testing.T) {
	v, runs := newVerifier(t, nil), new(counter)
	engine := gin.New()
	engine.GET("/before", counted(runs))
	engine.Use(ginauth.Middleware(v))
	engine.GET("/after", counted(runs))
	runs.Check(t, engine, []exchange{
		expect("a route before Use", unsigned("GET", "/before"), 200, 1),
		expect("a route after Use", unsigned("GET", "/after"), 401, 0),
	})
	runs.Check(t, nethttp.Middleware(v)(engine), []exchange{expect("the engine wrapped", unsigned("GET", "/before"), 401, 0)})
}
