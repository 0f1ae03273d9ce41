package echoauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// adapters has the correct adapter and mutants of it with one mistake each.
var adapters = map[string]func(*core.Verifier) echo.MiddlewareFunc{
	"": echoauth.Middleware,
	"it calls next after a refusal": mutant(func(v *core.Verifier, c echo.Context, next echo.HandlerFunc) error {
		err := echoauth.Middleware(v)(next)(c)
		if err != nil {
			c.Error(err)
			return next(c)
		}
		return nil
	}),
	"it does not replace the request": mutant(func(v *core.Verifier, c echo.Context, next echo.HandlerFunc) error {
		received := c.Request()
		return echoauth.Middleware(v)(func(c echo.Context) error {
			c.SetRequest(received)
			return next(c)
		})(c)
	}),
	"it never calls Release": mutant(func(v *core.Verifier, c echo.Context, next echo.HandlerFunc) error {
		r := c.Request()
		id, err := v.Verify(r)
		if err != nil {
			core.WriteProblem(c.Response(), r, err)
			return nil
		}
		c.SetRequest(r.WithContext(core.NewContext(r.Context(), id)))
		return next(c)
	}),
}

func mutant(serve func(*core.Verifier, echo.Context, echo.HandlerFunc) error) func(*core.Verifier) echo.MiddlewareFunc {
	return func(v *core.Verifier) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error { return serve(v, c, next) }
		}
	}
}

// TestConformance runs the suite with the adapter mounted for the whole server (T113).
func TestConformance(t *testing.T) {
	middleware := adaptertest.Chosen(t, adapters)
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		e := echo.New()
		e.Use(middleware(v))
		e.Any("/*", echo.WrapHandler(next))
		return e
	})
}

// TestConformanceOfGroupAndRoute_T117 runs the suite with the adapter mounted on a group
// and, for paths outside the group, on single routes. Targets that are not paths match no
// route.
func TestConformanceOfGroupAndRoute_T117(t *testing.T) {
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		verify, handler := echoauth.Middleware(v), echo.WrapHandler(next)
		e := echo.New()
		e.Group("/v1", verify).Any("/*", handler)
		e.Any("/*", handler, verify)
		e.RouteNotFound("/*", handler, verify) // for methods that Any does not have
		e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				if !strings.HasPrefix(c.Request().URL.Path, "/") {
					return verify(next)(c)
				}
				return next(c)
			}
		})
		return e
	})
}

func TestMutantsTurnConformanceRed(t *testing.T) {
	adaptertest.TestMutantsTurnConformanceRed(t, map[string][]string{
		"it calls next after a refusal":   {"T010", "T055", "T114"},
		"it does not replace the request": {"T001", "T002", "T031"},
		"it never calls Release":          {"T002", "T055", "T062"},
	})
}
