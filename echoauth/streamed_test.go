package echoauth_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

func TestStreamedBodies(t *testing.T) {
	adaptertest.TestStreamed(t, func(v *core.Verifier, next http.Handler) http.Handler {
		e := echo.New()
		e.Use(echoauth.Middleware(v))
		e.Any("/*", echo.WrapHandler(next))
		return e
	})
}
