package redis_test

import (
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestLongerSkewAfterReload_T088: what was accepted once is refused for as long as
// any policy takes its date: after a reload to a longer clock skew, and by another
// instance that has one, whatever ClockStep a program chose. The request is
// accepted in the last instant of the short policy, so that an entry that lived by
// that policy would be gone from the server at once.
func TestLongerSkewAfterReload_T088(t *testing.T) {
	const short = time.Minute
	server := startServer(t)
	memory, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	key := core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}
	for _, tt := range []struct {
		name  string
		store core.ReplayStore
	}{
		{"redis", open(t, server.url(""), func(c *redis.Config) { c.ClockStep = 1 })},
		{"memory", memory},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var clock atomic.Int64 // seconds since signed
			signed := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
			policy := func(skew time.Duration) core.Config {
				return core.Config{
					Environment: "prod", Default: "k1", ClockSkew: skew, AllowPresigned: true, Logger: quiet,
					Schemes: []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
					Replay:  core.Replay{Store: tt.store},
					Now:     func() time.Time { return signed.Add(time.Duration(clock.Load()) * time.Second) },
				}
			}
			v := testkit.New(t, policy(short))
			send := func(v *core.Verifier, target string, at time.Time, options apig.SignOptions, want core.Code) {
				t.Helper()
				r := httptest.NewRequest("POST", target, nil)
				testkit.Sign(apig.NewSigner(key, options), r, "", at)
				got := core.Code("")
				if _, err := v.Verify(r); err != nil {
					got = core.CodeOf(err)
				}
				if got != want {
					t.Errorf("%s at %ds: got %q, want %q", target, clock.Load(), got, want)
				}
			}
			link := apig.SignOptions{Expires: time.Hour}

			send(v, "/first", signed, apig.SignOptions{}, "")
			send(v, "/link", signed, link, "")
			clock.Store(int64(short / time.Second))
			send(v, "/last", signed, apig.SignOptions{}, "")
			clock.Add(17) // the first is past the policy's skew, and a store may forget it
			send(v, "/now", signed.Add(short+17*time.Second), apig.SignOptions{}, "")
			send(v, "/first", signed, apig.SignOptions{}, core.CodeSignatureExpired)

			other := testkit.New(t, policy(core.MaxClockSkew)) // an instance that was configured before this one
			if err := v.Reload(policy(core.MaxClockSkew)); err != nil {
				t.Fatal(err)
			}
			for _, seconds := range []int64{78, 600, 3600} {
				clock.Store(seconds)
				for _, v := range []*core.Verifier{v, other} {
					send(v, "/first", signed, apig.SignOptions{}, core.CodeReplayed)
					send(v, "/last", signed, apig.SignOptions{}, core.CodeReplayed)
					send(v, "/link", signed, link, core.CodeReplayed)
				}
			}
		})
	}
}
