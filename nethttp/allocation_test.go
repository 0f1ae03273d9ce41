//go:build !race

package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// With the race detector, pools drop values, so this file is excluded.

// nobody is a ResponseWriter that is never used.
type nobody struct{ http.ResponseWriter }

// TestAllocations: a verified request costs three allocations: the identity, a context
// with it, and a copy of the request with that context.
func TestAllocations(t *testing.T) {
	identified := 0
	handler := nethttp.Middleware(testkit.Verifier(t, func(c *core.Config) { c.APIs = nil }))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := core.FromContext(r.Context()); ok {
			identified++
		}
	}))
	received := testkit.Signed(testkit.Orders, "GET", "/v1/items", "")
	received.Body = http.NoBody
	var w http.ResponseWriter = nobody{}
	r := new(http.Request)
	const runs = 100
	got := testing.AllocsPerRun(runs, func() {
		*r = *received
		handler.ServeHTTP(w, r)
	})
	if got != 3 || identified != runs+1 {
		t.Errorf("got %v allocations, want 3; %d of %d requests were verified", got, identified, runs+1)
	}
}
