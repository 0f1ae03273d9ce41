package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// TestStoreErrors_T219: the error of a replay store that cannot judge says once what
// happened, and which field of the file it is about.
func TestStoreErrors_T219(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config replay.Config
		want   string
	}{
		{"full", replay.Config{MaxEntries: 1}, "the replay store is unavailable: the store in memory is full: raise replay.max_entries"},
		{"before the start", replay.Config{RefuseBefore: instant.Add(time.Second)}, "replay.refuse_before_start is set: signed before this process began to remember requests"},
	} {
		store, err := replay.New(tt.config)
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, func(c *core.Config) { c.Replay.Store = store })
		for n := 0; n < 10_000 && err == nil; n++ {
			_, err = v.Verify(signed(t, k1, "GET", fmt.Sprintf("/%d", n), "", apig.SignOptions{}))
		}
		if want := "gatewayauth: unavailable: " + tt.want; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", tt.name, err, want)
		}
	}
}
