package core_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestRefuse_T195: a refusal of the adapter itself takes effect in every mode, and is told as such.
func TestRefuse_T195(t *testing.T) {
	own := core.Refuse(core.CodeRequestAmbiguous, "the adapter cannot pass it on")
	for _, mode := range []core.Mode{core.Enforce, core.Report, core.Off} {
		var log strings.Builder
		var events []core.Event
		v := verifier(t, func(c *core.Config) {
			c.Mode, c.Logger, c.Observers = mode, jsonLogger(&log), []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { events = append(events, e) })}
		})
		log.Reset()
		r := request(t, p1)
		err := v.Refuse(nil, r, own)
		if core.CodeOf(err) != core.CodeRequestAmbiguous || core.StatusCode(err) != http.StatusBadRequest {
			t.Errorf("%v: got %v", mode, err)
		}
		if len(events) != 1 || !events[0].ByAdapter || events[0].Mode != mode || events[0].Code != core.CodeRequestAmbiguous || events[0].Request != r || events[0].Path == "" {
			t.Errorf("%v: got events %+v", mode, events)
		}
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, `"request refused"`) || !strings.Contains(text, `"mode":"`+mode.String()+`"`) {
			t.Errorf("%v: got log %s", mode, text)
		}
		if apis := v.Status().APIs; len(apis) != 1 || apis[0].Refused[core.CodeRequestAmbiguous] != 1 || len(apis[0].WouldRefuse) > 0 {
			t.Errorf("%v: counted as %+v", mode, apis)
		}
		if err := v.Refuse(nil, nil, errors.New("not of this package")); core.CodeOf(err) != core.CodeUnavailable {
			t.Errorf("%v: without a request got %v", mode, err)
		}
	}
	for _, v := range []*core.Verifier{nil, new(core.Verifier)} {
		if err := v.Refuse(nil, request(t, p1), own); core.CodeOf(err) != core.CodeUnavailable {
			t.Errorf("got %v of a Verifier that was not made by New", err)
		}
	}
}
