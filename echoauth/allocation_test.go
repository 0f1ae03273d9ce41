//go:build !race

package echoauth_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// With the race detector, pools drop values, so this file is excluded.

// nobody is a ResponseWriter that is never used.
type nobody struct{ http.ResponseWriter }

// TestAllocations_T223: a verified request costs exactly so many allocations more than one
// without the middleware.
func TestAllocations_T223(t *testing.T) {
	v := testkit.Verifier(t, func(c *core.Config) { c.APIs = nil })
	received := testkit.Signed(testkit.Orders, "GET", "/v1/items", "")
	received.Body = http.NoBody
	count := func(middleware ...echo.MiddlewareFunc) float64 {
		e := echo.New()
		e.Use(middleware...)
		runs, identified := 0, 0
		e.GET("/v1/items", func(c echo.Context) error {
			runs++
			if _, ok := core.FromContext(c.Request().Context()); ok {
				identified++
			}
			return nil
		})
		r := new(http.Request)
		var w http.ResponseWriter = nobody{}
		got := testing.AllocsPerRun(100, func() {
			*r = *received
			e.ServeHTTP(w, r)
		})
		if runs != 101 || identified != runs*len(middleware) {
			t.Errorf("%d of %d requests were verified", identified, runs)
		}
		return got
	}
	if got := count(echoauth.Middleware(v)) - count(); got != 4 { // three as with nethttp, and the handler that Echo makes of middleware for each request
		t.Errorf("got %v more allocations, want 4", got)
	}
}
