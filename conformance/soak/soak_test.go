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
	needs.Long(t) // runs for seconds
	needs.Program(t, "redis-server", "redis-server")
	var out strings.Builder
	ok, err := run(t.Context(), options{lasts: 8 * time.Second, clients: 16, rate: 100, seed: 1}, &out)
	if err != nil || !ok {
		t.Errorf("the soak found something wrong, or did not run: %v\n%s", err, out.String())
	}
}

// TestGrowth: what rises with each sample is found, and a single high one is not.
func TestGrowth(t *testing.T) {
	of := func(goroutines ...int) (all []sample) {
		for _, n := range goroutines {
			all = append(all, sample{goroutines: n})
		}
		return all
	}
	if found := growth(of(100, 150, 200, 250, 300, 350)); len(found) != 1 {
		t.Errorf("a leak: got %q", found)
	}
	for _, steady := range [][]sample{of(121, 127, 118, 118, 136, 121), of(200, 90, 100, 100), of(100), nil} {
		if found := growth(steady); len(found) > 0 {
			t.Errorf("%v: got %q", steady, found)
		}
	}
}
