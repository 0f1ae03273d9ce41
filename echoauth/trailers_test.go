package echoauth_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestTrailers_T191: no handler gets the trailers of a verified request, neither in the
// original request nor in another one.
func TestTrailers_T191(t *testing.T) {
	mounted := func(do func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc)) adaptertest.Mount {
		return func(v *core.Verifier, next http.Handler) http.Handler {
			e := echo.New()
			do(e, echoauth.Middleware(v), echo.WrapHandler(next))
			return e
		}
	}
	derived := func(next echo.HandlerFunc) echo.HandlerFunc { // as tracing middleware does
		return func(c echo.Context) error {
			type key struct{}
			c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), key{}, 1)))
			return next(c)
		}
	}
	adaptertest.TestTrailers(t, map[string]adaptertest.Mount{
		"Use": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Use(verify)
			e.POST("/:scheme/items", handler)
		}),
		"Pre": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Pre(verify)
			e.POST("/:scheme/items", handler)
		}),
		"Pre, and another request behind it": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Pre(verify)
			e.Use(derived)
			e.POST("/:scheme/items", handler)
		}),
		"Pre, and another request in front": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Pre(derived, verify)
			e.POST("/:scheme/items", handler)
		}),
		"Pre and Use": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Pre(verify)
			e.Use(verify)
			e.POST("/:scheme/items", handler)
		}),
		"a group": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Group("", verify).POST("/:scheme/items", handler)
		}),
		"a route": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.POST("/:scheme/items", handler, verify)
		}),
		"Use, and no route": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Use(verify)
			e.HTTPErrorHandler = func(_ error, c echo.Context) { handler(c) }
		}),
		"Pre, and no route": mounted(func(e *echo.Echo, verify echo.MiddlewareFunc, handler echo.HandlerFunc) {
			e.Pre(verify)
			e.RouteNotFound("/*", handler)
		}),
		"nethttp around it": func(v *core.Verifier, next http.Handler) http.Handler {
			e := echo.New()
			e.POST("/:scheme/items", echo.WrapHandler(next))
			return nethttp.Middleware(v)(e)
		},
	})
}
