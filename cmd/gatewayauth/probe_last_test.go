package main_test

import (
	"net/http"
	"sync/atomic"
	"testing"
)

// TestProbeRefusesEverybodyLater_T214: a service that verifies nothing, and refuses every
// request after the first one for a reason of its own, is not protected.
func TestProbeRefusesEverybodyLater_T214(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	for name, tt := range map[string]struct {
		status int
		args   []string
	}{
		"the order exists already": {400, []string{"-X", "POST", "-d", `{"order":7}`}},
		"rate limit of a firewall": {403, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			s := receiving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) > 1 {
					w.WriteHeader(tt.status)
				}
			}))
			r := probeJSON(t, dir, 2, append(tt.args, s.URL+"/orders/7")...)
			if r.Verdict != "unknown" {
				t.Errorf("got %q: %q", r.Verdict, r.Reason)
			}
		})
	}
}
