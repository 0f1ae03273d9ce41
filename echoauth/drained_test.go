package echoauth_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// TestDrainedBodies_T174: a body that middleware in front has read is not taken for an
// empty body.
func TestDrainedBodies_T174(t *testing.T) {
	mounted := func(mount func(e *echo.Echo, front, verify echo.MiddlewareFunc, handler echo.HandlerFunc)) adaptertest.DrainedMount {
		return func(v *core.Verifier, front func(*http.Request), next http.Handler) http.Handler {
			e := echo.New()
			mount(e, before(front), echoauth.Middleware(v), echo.WrapHandler(next))
			return e
		}
	}
	adaptertest.TestDrained(t, map[string]adaptertest.DrainedMount{
		"Use": mounted(func(e *echo.Echo, front, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Use(front, verify)
			e.POST("/*", handler)
		}),
		"Pre": mounted(func(e *echo.Echo, front, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Pre(front, verify)
			e.POST("/*", handler)
		}),
		"a group": mounted(func(e *echo.Echo, front, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Use(front)
			e.Group("", verify).POST("/*", handler)
		}),
		"a route": mounted(func(e *echo.Echo, front, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.POST("/*", handler, front, verify)
		}),
	}, adaptertest.Fronts())
	bound := func(v *core.Verifier, _ func(*http.Request), next http.Handler) http.Handler {
		e := echo.New()
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.FormValue("amount")
				var order struct{ Amount int }
				c.Bind(&order)
				return next(c)
			}
		}, echoauth.Middleware(v))
		e.POST("/*", echo.WrapHandler(next))
		return e
	}
	adaptertest.TestDrained(t, map[string]adaptertest.DrainedMount{"Bind": bound}, []adaptertest.Front{{Name: "in front"}})
}
