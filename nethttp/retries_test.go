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

// TestRetriesTwice_T193 is that the second of two verifiers in a row says of a retry that it
// is one.
func TestRetriesTwice_T193(t *testing.T) {
	adaptertest.TestRetries(t, func(v *core.Verifier, next http.Handler) http.Handler {
		return nethttp.Middleware(v)(nethttp.Middleware(v)(next))
	})
}
