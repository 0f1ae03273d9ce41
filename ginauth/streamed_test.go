package ginauth_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

func TestStreamedBodies(t *testing.T) {
	adaptertest.TestStreamed(t, func(v *core.Verifier, next http.Handler) http.Handler {
		e := gin.New()
		e.Use(ginauth.Middleware(v))
		e.Any("/*path", gin.WrapH(next))
		return e
	})
}
