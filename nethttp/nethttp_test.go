package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

func TestConformance(t *testing.T) {
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		return nethttp.Middleware(v)(next)
	})
}
