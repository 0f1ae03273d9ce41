package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestTrailers_T191: no handler gets the trailers of a verified request.
func TestTrailers_T191(t *testing.T) {
	mux := func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("POST /{scheme}/items", next)
		return mux
	}
	adaptertest.TestTrailers(t, map[string]adaptertest.Mount{
		"around the router": func(v *core.Verifier, next http.Handler) http.Handler { return nethttp.Middleware(v)(mux(next)) },
		"behind the router": func(v *core.Verifier, next http.Handler) http.Handler { return mux(nethttp.Middleware(v)(next)) },
		"twice": func(v *core.Verifier, next http.Handler) http.Handler {
			return nethttp.Middleware(v)(mux(nethttp.Middleware(v)(next)))
		},
		"behind StripPrefix": func(v *core.Verifier, next http.Handler) http.Handler {
			return http.StripPrefix("", nethttp.Middleware(v)(next))
		},
	})
}
