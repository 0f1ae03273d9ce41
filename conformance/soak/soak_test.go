package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestSoak runs the soak for some seconds: with Redis down (F01), bad files (F06), a clock
// that steps back (F10), keys that are removed and rotated (F11, F12), slow bodies (F13) and
// clients that disconnect (F14).
func TestSoak(t *testing.T) {
	needs.Program(t, "redis-server", "redis-server")
	var out strings.Builder
	ok, err := run(t.Context(), options{lasts: 8 * time.Second, clients: 16, rate: 100, seed: 1}, &out)
	if err != nil || !ok {
		t.Errorf("the soak found something wrong, or did not run: %v\n%s", err, out.String())
	}
}
