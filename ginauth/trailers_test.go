package ginauth_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestTrailers_T191: no handler gets the trailers of a verified request.
func TestTrailers_T191(t *testing.T) {
	on := func(mount func(e *gin.Engine, verify, handler gin.HandlerFunc)) adaptertest.Mount {
		return func(v *core.Verifier, next http.Handler) http.Handler {
			e := gin.New()
			mount(e, ginauth.Middleware(v), gin.WrapH(next))
			return e
		}
	}
	adaptertest.TestTrailers(t, map[string]adaptertest.Mount{
		"Use": on(func(e *gin.Engine, verify, handler gin.HandlerFunc) {
			e.Use(verify)
			e.POST("/:scheme/items", handler)
		}),
		"a group": on(func(e *gin.Engine, verify, handler gin.HandlerFunc) {
			e.Group("/", verify).POST("/:scheme/items", handler)
		}),
		"a route": on(func(e *gin.Engine, verify, handler gin.HandlerFunc) {
			e.POST("/:scheme/items", verify, handler)
		}),
		"no route": on(func(e *gin.Engine, verify, handler gin.HandlerFunc) { e.NoRoute(verify, handler) }),
		"nethttp around it": func(v *core.Verifier, next http.Handler) http.Handler {
			e := gin.New()
			e.POST("/:scheme/items", gin.WrapH(next))
			return nethttp.Middleware(v)(e)
		},
	})
}
