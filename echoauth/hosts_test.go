package echoauth_test

import (
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestHostRoutes_T173: Echo has no routes for a host with a port or in another case,
// which the policy treats as the same host.
func TestHostRoutes_T173(t *testing.T) {
	shop := core.Key{Name: "shop", ID: "shop", Secret: core.NewSecret("password-of-the-shop")}
	admin := core.Key{Name: "admin", ID: "admin", Secret: core.NewSecret("password-of-the-admin")}
	config := func(apis ...core.API) func(*core.Config) {
		return func(c *core.Config) {
			c.Schemes, c.Default, c.APIs = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(shop, admin)})}, "admin", apis
		}
	}
	byHost := config(core.API{Match: "/users/", Key: "admin"}, core.API{Match: "shop.example/users/", Key: "shop"},
		core.API{Match: "port.example/users/", Key: "shop"})
	for mount, use := range map[string]func(*echo.Echo, echo.MiddlewareFunc){
		"Use": func(e *echo.Echo, m echo.MiddlewareFunc) { e.Use(m) },
		"Pre": func(e *echo.Echo, m echo.MiddlewareFunc) { e.Pre(m) },
	} {
		for _, tt := range []struct {
			host   string
			config func(*core.Config)
			key    core.Key
			status int
			ran    string
		}{
			{"shop.example", byHost, shop, 200, "shop"},
			{"other.example:80", byHost, admin, 200, "admin"},
			{"shop.example:80", byHost, shop, 400, ""},
			{"shop.example:80", byHost, admin, 403, ""},
			{"SHOP.example", byHost, shop, 400, ""},
			{"port.example:8080", byHost, shop, 200, "shop"},
			{"port.example", byHost, shop, 400, ""},
			{"[::2]", byHost, admin, 200, "admin"},
			// If no API is bound by host, the routes of one path are one API.
			{"shop.example:80", config(core.API{Match: "/users/", Key: "shop"}), shop, 200, "admin"},
		} {
			ran := ""
			e := echo.New()
			use(e, echoauth.Middleware(testkit.Verifier(t, tt.config)))
			handler := func(name string) echo.HandlerFunc {
				return func(c echo.Context) error { ran = name; return c.NoContent(200) }
			}
			e.GET("/users/:id", handler("admin"))
			for _, host := range []string{"shop.example", "port.example:8080", "[::1]"} {
				e.Host(host).GET("/users/:id", handler("shop"))
			}
			r := httptest.NewRequest("GET", "/users/7", nil)
			r.Host = tt.host
			r.SetBasicAuth(tt.key.ID, tt.key.Secret.Reveal())
			if w := testkit.Serve(e, r); w.Code != tt.status || ran != tt.ran {
				t.Errorf("%s, %s by %s: got %d, the handler of %q ran; want %d, %q", mount, tt.host, tt.key.Name, w.Code, ran, tt.status, tt.ran)
			}
		}
	}
}
