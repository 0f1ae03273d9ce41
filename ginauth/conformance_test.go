package ginauth_test

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/ginauth"
)

// TestMain (F18): nothing runs on.
func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // every case makes an engine, and debug mode prints its routes
	goleak.VerifyTestMain(m)
}

// mutantVariable names the adapter that TestConformance runs over: unset, the
// right one.
const mutantVariable = "GINAUTH_MUTANT"

// adapters are the right adapter and mutants of it, each wrong in one way.
var adapters = map[string]func(*core.Verifier) gin.HandlerFunc{
	"": func(v *core.Verifier) gin.HandlerFunc { return ginauth.Middleware(v) },
	"it does not abort": func(v *core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) {
			r := c.Request
			admitted, err := v.Admit(r)
			defer core.Release(r)
			if err != nil {
				c.Error(err)
				core.WriteProblem(c.Writer, r, err)
				return
			}
			c.Request = admitted
			c.Next()
		}
	},
	"it does not replace the request": func(v *core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) {
			_, err := v.Admit(c.Request)
			defer core.Release(c.Request)
			if err != nil {
				core.WriteProblem(c.Writer, c.Request, err)
				c.Abort()
				return
			}
			c.Next()
		}
	},
	"it never calls Release": func(v *core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) {
			admitted, err := v.Admit(c.Request)
			if err != nil {
				core.WriteProblem(c.Writer, c.Request, err)
				c.Abort()
				return
			}
			c.Request = admitted
		}
	},
	"it releases before the handler runs": func(v *core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) {
			r := c.Request
			admitted, err := v.Admit(r)
			defer core.Release(r)
			if err != nil {
				core.WriteProblem(c.Writer, r, err)
				c.Abort()
				return
			}
			c.Request = admitted // and returns without c.Next
		}
	},
}

// TestConformance mounts the adapter for the whole engine.
func TestConformance(t *testing.T) {
	middleware, ok := adapters[os.Getenv(mutantVariable)]
	if !ok {
		t.Fatalf("no adapter %q", os.Getenv(mutantVariable))
	}
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		engine := gin.New()
		engine.Use(middleware(v))
		engine.Any("/*path", gin.WrapH(next))
		return engine
	})
}

// TestConformanceOfGroupAndRoute_T117 mounts it on a group and, for what is
// outside the group, where no route matches.
func TestConformanceOfGroupAndRoute_T117(t *testing.T) {
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		engine := gin.New()
		engine.RedirectTrailingSlash = false // Gin redirects before any middleware
		engine.Group("/v1", ginauth.Middleware(v)).Any("/*path", gin.WrapH(next))
		for _, path := range []string{"/health", "/upload", "/partner/*path", "/basic/*path"} {
			engine.Any(path, ginauth.Middleware(v), gin.WrapH(next))
		}
		engine.NoRoute(ginauth.Middleware(v), func(c *gin.Context) {
			c.Status(http.StatusOK) // 404 stands there before
			next.ServeHTTP(c.Writer, c.Request)
		})
		return engine
	})
}

// TestMutantsTurnConformanceRed runs TestConformance over each mutant, in a
// process of its own: the cases named must fail.
func TestMutantsTurnConformanceRed(t *testing.T) {
	for name, red := range map[string][]string{
		"it does not abort":                   {"T010", "T055", "T114"},
		"it does not replace the request":     {"T001", "T002", "T031"},
		"it never calls Release":              {"T002", "T055", "T062"},
		"it releases before the handler runs": {"T002", "T062"},
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
