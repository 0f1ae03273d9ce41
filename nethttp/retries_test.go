package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

func TestRetries_T193(t *testing.T) {
	adaptertest.TestRetries(t, func(v *core.Verifier, next http.Handler) http.Handler { return nethttp.Middleware(v)(next) })
}
