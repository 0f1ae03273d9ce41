package ginauth_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

func TestRetries_T193(t *testing.T) {
	for name, handler := range map[string]func(http.Handler) gin.HandlerFunc{
		"net/http's": gin.WrapH,
		"Gin's": func(next http.Handler) gin.HandlerFunc {
			return func(c *gin.Context) { next.ServeHTTP(c.Writer, c.Request) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestRetries(t, func(v *core.Verifier, next http.Handler) http.Handler {
				e := gin.New()
				e.Use(ginauth.Middleware(v))
				e.Any("/*path", handler(next))
				return e
			})
		})
	}
}
