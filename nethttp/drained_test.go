package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestDrainedBodies_T174: a body that middleware in front has read is not taken for an
// empty body.
func TestDrainedBodies_T174(t *testing.T) {
	adaptertest.TestDrained(t, map[string]adaptertest.DrainedMount{
		"nethttp": func(v *core.Verifier, front func(*http.Request), next http.Handler) http.Handler {
			verified := nethttp.Middleware(v)(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				front(r)
				verified.ServeHTTP(w, r)
			})
		},
	}, adaptertest.Fronts())
}
