package core_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestModes covers T168 and T169: report and off let through, report says what
// it would have done, and only a Reload changes the mode.
func TestModes(t *testing.T) {
	bad := strings.Replace(p1, "/v1/items", "/v1/other", 1)
	var mu sync.Mutex
	var events []core.Event
	var log strings.Builder
	observed := func(c *core.Config) {
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		})}
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	}
	v := verifier(t, observed)
	if v.Mode() != core.Enforce || log.Len() > 0 {
		t.Errorf("enforce: mode %v, log %s", v.Mode(), &log)
	}
	if _, err := v.Admit(nil, request(t, strings.Replace(bad, "Host", "X-Mode: report\r\nHost", 1)), core.BodyForHandler); core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("enforce admitted: %v", err)
	}
	for _, mode := range []core.Mode{core.Report, core.Off} {
		log.Reset()
		events = nil
		if err := v.Reload(config(observed, func(c *core.Config) { c.Mode = mode })); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), `"level":"WARN"`) || !strings.Contains(log.String(), mode.String()) {
			t.Errorf("%v: no warning at the switch: %s", mode, &log)
		}
		r := request(t, bad)
		admitted := admit(t, v, r, core.BodyForHandler).Request
		if _, ok := core.FromContext(admitted.Context()); ok {
			t.Errorf("%v: a wrong request has an identity", mode)
		}
		good := admit(t, v, request(t, p1), core.BodyForHandler).Request
		_, ok := core.FromContext(good.Context())
		if ok != (mode == core.Report) {
			t.Errorf("%v: identity of a right request: %v", mode, ok)
		}
		if mode == core.Off {
			if len(events) != 0 || admitted != r {
				t.Errorf("off: %d events, request replaced: %v", len(events), admitted != r)
			}
			continue
		}
		if len(events) != 2 || events[0].Code != core.CodeSignatureMismatch || events[0].Mode != core.Report || events[1].Code != "" {
			t.Errorf("report: events %+v", events)
		}
		if !strings.Contains(log.String(), "would be refused") {
			t.Errorf("report: the log does not say it: %s", &log)
		}
	}
	if _, err := v.Verify(request(t, bad)); core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("Verify does not tell the truth in off mode: %v", err)
	}
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
