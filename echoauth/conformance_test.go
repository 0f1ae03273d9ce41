package echoauth_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/echoauth"
)

// mutantVariable names the adapter that TestConformance runs over: unset, the
// right one.
const mutantVariable = "ECHOAUTH_MUTANT"

// adapters are the right adapter and mutants of it, each wrong in one way.
var adapters = map[string]func(*core.Verifier) echo.MiddlewareFunc{
	"": echoauth.Middleware,
	"it calls next after a refusal": mutant(func(v *core.Verifier, c echo.Context, next echo.HandlerFunc) error {
		r := c.Request()
		admitted, err := v.Admit(r)
		defer core.Release(r)
		if err != nil {
			c.Error(err)
			return next(c)
		}
		c.SetRequest(admitted)
		return next(c)
	}),
	"it does not replace the request": mutant(func(v *core.Verifier, c echo.Context, next echo.HandlerFunc) error {
		r := c.Request()
		_, err := v.Admit(r)
		defer core.Release(r)
		if err != nil {
			core.WriteProblem(c.Response(), r, err)
			return nil
		}
		return next(c)
	}),
	"it never calls Release": mutant(func(v *core.Verifier, c echo.Context, next echo.HandlerFunc) error {
		admitted, err := v.Admit(c.Request())
		if err != nil {
			core.WriteProblem(c.Response(), c.Request(), err)
			return nil
		}
		c.SetRequest(admitted)
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

// TestConformance mounts the adapter for the whole server.
func TestConformance(t *testing.T) {
	middleware, ok := adapters[os.Getenv(mutantVariable)]
	if !ok {
		t.Fatalf("no adapter %q", os.Getenv(mutantVariable))
	}
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		e := echo.New()
		e.Use(middleware(v))
		e.Any("/*", echo.WrapHandler(next))
		return e
	})
}

// TestConformanceOfGroupAndRoute_T117 mounts it on a group and, for what is
// outside the group, on single routes. Targets that are no path match no route.
func TestConformanceOfGroupAndRoute_T117(t *testing.T) {
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		verify, handler := echoauth.Middleware(v), echo.WrapHandler(next)
		e := echo.New()
		e.Group("/v1", verify).Any("/*", handler)
		e.Any("/*", handler, verify)
		e.RouteNotFound("/*", handler, verify) // methods that Any does not know
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

// TestMutantsTurnConformanceRed runs TestConformance over each mutant, in a
// process of its own: the cases named must fail.
func TestMutantsTurnConformanceRed(t *testing.T) {
	for name, red := range map[string][]string{
		"it calls next after a refusal":   {"T010", "T055", "T114"},
		"it does not replace the request": {"T001", "T002", "T031"},
		"it never calls Release":          {"T002", "T055", "T062"},
	} {
		t.Run(name, func(t *testing.T) {
			run := exec.Command(os.Args[0], "-test.run=^TestConformance$/^("+strings.Join(red, "|")+")_")
			run.Env = append(os.Environ(), mutantVariable+"="+name)
			out, err := run.CombinedOutput()
			if err == nil {
				t.Errorf("the suite stays green:\n%s", out)
			}
			for _, id := range red {
				if !strings.Contains(string(out), "--- FAIL: TestConformance/"+id+"_") {
					t.Errorf("%s stays green:\n%s", id, out)
				}
			}
		})
	}
}
