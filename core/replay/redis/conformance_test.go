package redis_test

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestConformance runs the replay cases of coretest (T088 to T099) with a Redis server.
func TestConformance(t *testing.T) {
	server := startServer(t)
	coretest.RunReplay(t, func(v *core.Verifier, next http.Handler) http.Handler { return nethttp.Middleware(v)(next) }, func() core.ReplayStore {
		s := open(t, server.url(""))
		works(t, s)
		server.ask("FLUSHALL")
		return s
	})
}
