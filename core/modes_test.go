package core_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestOffMode_T169: off is told at the switch; it judges and replaces nothing, gives
// nobody an identity, and Verify still tells the truth. (Report mode is tested with
// coretest, over every adapter.)
func TestOffMode_T169(t *testing.T) {
	var codes testkit.Codes
	var log strings.Builder
	observed := func(c *core.Config) {
		c.Observers, c.Logger = []core.Observer{&codes}, jsonLogger(&log)
	}
	v := verifier(t, observed)
	if v.Mode() != core.Enforce || log.Len() > 0 {
		t.Errorf("enforce: mode %v, log %s", v.Mode(), &log)
	}
	if err := v.Reload(config(observed, func(c *core.Config) { c.Mode = core.Off })); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), `"level":"WARN"`) || !strings.Contains(log.String(), core.Off.String()) {
		t.Errorf("no warning at the switch: %s", &log)
	}
	wrong := request(t, strings.Replace(p1, "/v1/items", "/v1/other", 1))
	for name, r := range map[string]*http.Request{"right": request(t, p1), "wrong": wrong} {
		admitted := admit(t, v, r, core.BodyForHandler).Request
		if _, ok := core.FromContext(admitted.Context()); ok || admitted != r {
			t.Errorf("%s: identity %v, request replaced %v", name, ok, admitted != r)
		}
	}
	if got := codes.Take(); len(got) > 0 {
		t.Errorf("got events of %q, want none", got)
	}
	wantVerdict(t, v, wrong, core.CodeSignatureMismatch)
}

// TestReportKeepsTheBody: what report mode lets through reaches the handler
// whole, whatever verification read of it.
func TestReportKeepsTheBody(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 20000) // 320,000 bytes
	for _, limit := range []int64{1, 4096, 4097, 100000, 1 << 20} {
		v := verifier(t, func(c *core.Config) { c.Mode, c.MaxBody, c.MaxBuffered = core.Report, limit, limit })
		r := signed(t, k2, "POST", "/v1/items", body, apig.SignOptions{}) // not bound: refused after reading
		r.ContentLength = -1
		admitted := admit(t, v, r, core.BodyForHandler).Request
		got, err := io.ReadAll(admitted.Body)
		if err != nil || string(got) != body {
			t.Errorf("limit %d: handler read %d bytes, error %v; want all %d", limit, len(got), err, len(body))
		}
	}
}
