package guard_test

import (
	"context"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/guard"
)

// TestModeOfTheVerdict_T283: a reload from report mode to enforce, between the verdict on a
// request and its forwarding, does not make a body proven that report mode lets through.
func TestModeOfTheVerdict_T283(t *testing.T) {
	s := serveRaw(t, "")
	var enforced core.Config
	var v *core.Verifier
	p := start(t, "http://"+s.address, func(c *core.Config) {
		streams(c)
		enforced, c.Mode = *c, core.Report
		c.Observers = append(c.Observers, core.ObserverFunc(func(_ context.Context, e core.Event) {
			if e.Code == "" {
				if err := v.Reload(enforced); err != nil {
					t.Error(err)
				}
			}
		}))
	}, func(c *guard.Config) { v = c.Verifier })
	status, _ := p.send(t, text(declared(t, "/streams/x", "12345"), "/streams/x", "54321"))
	raw := s.request()
	if v.Mode() != core.Enforce || status != 200 || !strings.HasSuffix(raw, "54321") || identityOf(raw)["Verified"] != "false" {
		t.Errorf("got mode %v, status %d, service got %q; want a request that is forwarded and not verified", v.Mode(), status, raw)
	}
}
