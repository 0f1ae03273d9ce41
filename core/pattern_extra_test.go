package core_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestPatternsThatNeverMatch: the API would silently be the default key's.
func TestPatternsThatNeverMatch(t *testing.T) {
	for _, match := range []string{"get /admin", "Get /admin", "API.example.com/admin", "api.example.com./admin", "b\u00fccher.example/admin",
		"api.example.com:443/admin", "[::1]/admin", "GET API.example.com/admin"} {
		if _, err := core.New(config(func(c *core.Config) { c.APIs = []core.API{{Match: match, Key: "k2"}} })); err == nil {
			t.Errorf("%q: taken", match)
		}
	}
	_, err := core.New(config(func(c *core.Config) {
		c.APIs, c.Rewrite.Host = []core.API{{Match: "orders.internal/", Key: "k2"}}, "api.example.com"
	}))
	if err == nil {
		t.Error("bound by a host that nobody signs")
	}
}
