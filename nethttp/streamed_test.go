package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

func TestStreamedBodies(t *testing.T) {
	adaptertest.TestStreamed(t, func(v *core.Verifier, next http.Handler) http.Handler { return nethttp.Middleware(v)(next) })
}
