package echoauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/echoauth/v5"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The tests of this file are of what only Echo v5 has.

// TestVirtualHosts_T215: as the package comment says, middleware of the Echo that
// NewVirtualHostHandler returns does not run for the virtual hosts, and requests for
// another spelling of a host run its routes. With a Verifier for each Echo no key is
// accepted for the routes of the other.
func TestVirtualHosts_T215(t *testing.T) {
	key := func(name string) core.Key {
		return core.Key{Name: name, ID: name, Secret: core.NewSecret("password-of-the-" + name)}
	}
	shop, admin := key("shop"), key("admin")
	ran := ""
	routes := func(e *echo.Echo, name string) {
		e.Use(echoauth.Middleware(testkit.Verifier(t, func(c *core.Config) {
			c.Schemes, c.Default, c.APIs = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(key(name))})}, name, nil
		})))
		e.GET("/users/:id", func(c *echo.Context) error { ran = name; return c.NoContent(200) })
	}
	inner := echo.New()
	outer := echo.NewVirtualHostHandler(map[string]*echo.Echo{"shop.example": inner})
	routes(outer, "admin")
	inner.GET("/open", func(c *echo.Context) error { ran = "open"; return c.NoContent(200) })
	ask := func(host, path string, key core.Key, status int, want string) {
		t.Helper()
		r := httptest.NewRequest("GET", path, nil)
		r.Host, ran = host, ""
		r.SetBasicAuth(key.ID, key.Secret.Reveal())
		if w := testkit.Serve(outer, r); w.Code != status || ran != want {
			t.Errorf("%s%s by %s: got %d, the handler of %q ran; want %d, %q", host, path, key.Name, w.Code, ran, status, want)
		}
	}
	ask("shop.example", "/open", key("nobody"), 200, "open") // only the outer Echo has the middleware
	routes(inner, "shop")
	ask("shop.example", "/open", key("nobody"), 401, "")
	ask("shop.example", "/users/7", shop, 200, "shop")
	ask("shop.example", "/users/7", admin, 401, "")
	for _, host := range []string{"other.example", "shop.example:80", "SHOP.example", "shop.example."} {
		ask(host, "/users/7", admin, 200, "admin")
		ask(host, "/users/7", shop, 401, "")
	}
}

// TestRouters_T215: the middleware finds the route with every setting of Echo's router, for
// encoded paths, and the request that the server passes in gets its pattern.
func TestRouters_T215(t *testing.T) {
	configured := func(config echo.RouterConfig) func() echo.Router {
		return func() echo.Router { return echo.NewRouter(config) }
	}
	for _, tt := range []struct {
		name       string
		router     func() echo.Router
		encoded    int // the status of a parameter with an encoded slash
		headStatus int
	}{
		{"the default", configured(echo.RouterConfig{}), 200, 405},
		{"concurrent", func() echo.Router { return echo.NewConcurrentRouter(echo.NewRouter(echo.RouterConfig{})) }, 200, 405},
		{"values unescaped", configured(echo.RouterConfig{UnescapePathParamValues: true}), 400, 405},
		{"decoded paths matched", configured(echo.RouterConfig{UseEscapedPathForMatching: true}), 400, 405},
		{"HEAD handled", configured(echo.RouterConfig{AutoHandleHEAD: true}), 200, 200},
	} {
		for _, before := range []bool{false, true} {
			e := echo.NewWithConfig(echo.Config{Router: tt.router()})
			verify := echoauth.Middleware(testkit.Verifier(t, func(c *core.Config) {
				c.APIs, c.Schemes = nil, []core.Scheme{basic.New(basic.Config{Keys: core.Keys(testkit.Orders)})}
			}))
			if before {
				e.Pre(verify)
			} else {
				e.Use(verify)
			}
			pattern := ""
			e.GET("/orders/:id", func(c *echo.Context) error { pattern = c.Request().Pattern; return c.NoContent(200) })
			e.GET("/files/*", func(c *echo.Context) error { pattern = c.Request().Pattern; return c.NoContent(200) })
			ask := func(method, path string, status int, want string) {
				t.Helper()
				r := testkit.Unsigned(method, path)
				r.SetBasicAuth(testkit.Orders.ID, testkit.Orders.Secret.Reveal())
				pattern = ""
				if w := testkit.Serve(e, r); w.Code != status || pattern != want {
					t.Errorf("%s, Pre %v, %s %s: got %d, the route %q ran; want %d, %q", tt.name, before, method, path, w.Code, pattern, status, want)
				}
				if r.Pattern != want && status == 200 {
					t.Errorf("%s, Pre %v, %s %s: the server's request has the pattern %q, want %q", tt.name, before, method, path, r.Pattern, want)
				}
			}
			ran := func(status int, route string) string {
				if status == 200 {
					return route
				}
				return ""
			}
			ask("GET", "/orders/7", 200, "/orders/:id")
			ask("GET", "/orders/7/x", 400, "")
			ask("GET", "/orders/7%2Fx", tt.encoded, ran(tt.encoded, "/orders/:id"))
			ask("GET", "/files/a/b", 200, "/files/*")
			ask("HEAD", "/orders/7", tt.headStatus, ran(tt.headStatus, "/orders/:id"))
			for range 10 { // contexts are used again, with the names of the parameters of other requests
				ask("GET", "/orders/7", 200, "/orders/:id")
				ask("DELETE", "/files/a/b", 405, "")
				ask("DELETE", "/orders/7/x", 405, "")
			}
		}
	}
}

// TestOtherWriters_T215: the middleware works behind middleware whose ResponseWriter hides
// Echo's, and behind net/http middleware.
func TestOtherWriters_T215(t *testing.T) {
	hiding := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			w := c.Response()
			c.SetResponse(struct{ http.ResponseWriter }{w})
			defer c.SetResponse(w)
			return next(c)
		}
	}
	nethttp := echo.WrapMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrapped{w}, r) })
	})
	for name, front := range map[string]middleware{"hidden": hiding, "net/http": nethttp} {
		runs := new(testkit.Counter)
		e := echo.New()
		e.Use(front, echoauth.Middleware(testkit.Verifier(t, nil)))
		e.GET("/v1/items", echo.WrapHandler(runs))
		runs.Check(t, e, []testkit.Exchange{
			testkit.Expect(name+", signed", testkit.Signed(testkit.Orders, "GET", "/v1/items", ""), 200, 1),
			testkit.Expect(name+", unsigned", testkit.Unsigned("GET", "/v1/items"), 401, 0),
			testkit.Expect(name+", no route", testkit.Signed(testkit.Orders, "GET", "/nothing", ""), 404, 0),
		})
	}
}
