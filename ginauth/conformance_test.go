package ginauth_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestMain (F18) fails if a goroutine is running when all tests have ended.
func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // every case makes an engine, and debug mode prints its routes
	goleak.VerifyTestMain(m)
}

// adapters has the correct adapter and mutants of it with one mistake each.
var adapters = map[string]adaptertest.Mount{
	"": mounted(verify),
	"it does not abort": func(v *core.Verifier, next http.Handler) http.Handler {
		return mounted(func(*core.Verifier) gin.HandlerFunc {
			return func(c *gin.Context) {
				if c.Next(); c.IsAborted() {
					next.ServeHTTP(c.Writer, c.Request)
				}
			}
		}, verify)(v, next)
	},
	"it does not replace the request": mounted(func(v *core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) { c.Set("received", c.Request) }
	}, verify, func(*core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) { c.Request = c.MustGet("received").(*http.Request) }
	}),
	"it never calls Release": mounted(func(v *core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) {
			r := c.Request
			id, err := v.Verify(r)
			if err != nil {
				core.WriteProblem(c.Writer, r, err)
				c.Abort()
				return
			}
			c.Request = r.WithContext(core.NewContext(r.Context(), id))
		}
	}),
	"it releases before the handler runs": mounted(func(v *core.Verifier) gin.HandlerFunc {
		return func(c *gin.Context) {
			r := c.Request
			id, err := v.Verify(r)
			defer core.Release(r)
			if err != nil {
				core.WriteProblem(c.Writer, r, err)
				c.Abort()
				return
			}
			c.Request = r.WithContext(core.NewContext(r.Context(), id)) // and returns without c.Next
		}
	}),
}

// TestConformance runs the suite with the adapter mounted for the whole engine (T113).
func TestConformance(t *testing.T) { coretest.Run(t, coretest.Mount(adaptertest.Chosen(t, adapters))) }

// TestConformanceOfGroupAndRoute_T117 runs the suite with the adapter mounted on a group
// and, for paths outside the group, with NoRoute.
func TestConformanceOfGroupAndRoute_T117(t *testing.T) {
	needs.Long(t) // the suite a second time
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		engine := gin.New()
		engine.RedirectTrailingSlash = false // Gin redirects before any middleware
		engine.Group("/v1", ginauth.Middleware(v)).Any("/*path", gin.WrapH(next))
		for _, path := range []string{"/health", "/upload", "/partner/*path", "/basic/*path"} {
			engine.Any(path, ginauth.Middleware(v), gin.WrapH(next))
		}
		engine.NoRoute(ginauth.Middleware(v), func(c *gin.Context) {
			c.Status(http.StatusOK) // Gin has set 404
			next.ServeHTTP(c.Writer, c.Request)
		})
		return engine
	})
}

func TestMutantsTurnConformanceRed(t *testing.T) {
	adaptertest.TestMutantsTurnConformanceRed(t, map[string][]string{
		"it does not abort":                   {"T010", "T055", "T114"},
		"it does not replace the request":     {"T001", "T002", "T031"},
		"it never calls Release":              {"T002", "T055", "T062"},
		"it releases before the handler runs": {"T002", "T062"},
	})
}
