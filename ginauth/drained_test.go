package ginauth_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// TestDrainedBodies_T174: a body that middleware in front has read is not taken for an
// empty body, also if Gin keeps it for handlers.
func TestDrainedBodies_T174(t *testing.T) {
	on := func(mount func(e *gin.Engine, front, verify, handler gin.HandlerFunc)) adaptertest.DrainedMount {
		return func(v *core.Verifier, front func(*http.Request), next http.Handler) http.Handler {
			e := gin.New()
			mount(e, func(c *gin.Context) { front(c.Request) }, ginauth.Middleware(v), gin.WrapH(next))
			return e
		}
	}
	adaptertest.TestDrained(t, map[string]adaptertest.DrainedMount{
		"Use": on(func(e *gin.Engine, front, verify, handler gin.HandlerFunc) {
			e.Use(front, verify)
			e.POST("/*path", handler)
		}),
		"a group": on(func(e *gin.Engine, front, verify, handler gin.HandlerFunc) {
			e.Use(front)
			e.Group("/", verify).POST("/*path", handler)
		}),
		"a route": on(func(e *gin.Engine, front, verify, handler gin.HandlerFunc) {
			e.POST("/*path", front, verify, handler)
		}),
	}, adaptertest.Fronts())

	var order struct {
		Amount int `json:"amount" form:"amount"`
	}
	for name, bind := range map[string]gin.HandlerFunc{
		"ShouldBindBodyWith": func(c *gin.Context) { c.ShouldBindBodyWith(&order, binding.JSON) },
		"ShouldBind, PostForm": func(c *gin.Context) {
			c.ShouldBind(&order)
			c.PostForm("amount")
		},
		"GetRawData": func(c *gin.Context) { c.GetRawData() },
	} {
		adaptertest.TestDrained(t, map[string]adaptertest.DrainedMount{name: func(v *core.Verifier, _ func(*http.Request), next http.Handler) http.Handler {
			e := gin.New()
			e.Use(bind, ginauth.Middleware(v))
			e.POST("/*path", gin.WrapH(next))
			return e
		}}, []adaptertest.Front{{Name: "in front"}})
	}
}
