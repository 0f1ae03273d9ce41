package core_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestObserverFaults_F15: observers and log handlers that panic change no verdict.
func TestObserverFaults_F15(t *testing.T) {
	ran := 0
	v := verifier(t, func(c *core.Config) {
		c.Observers = []core.Observer{
			core.ObserverFunc(func(context.Context, core.Event) { panic("x") }),
			core.ObserverFunc(func(context.Context, core.Event) { ran++ }),
		}
		c.Logger = slog.New(slog.NewJSONHandler(panicWriter{}, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	if _, err := v.Verify(request(t, p1)); err != nil || ran != 1 {
		t.Errorf("verdict %v, the second observer ran %d times", err, ran)
	}
	wantVerdict(t, v, request(t, strings.Replace(p1, "items", "other", 1)), core.CodeSignatureMismatch)
}

type panicWriter struct{}

func (panicWriter) Write([]byte) (int, error) { panic("disk") }

// TestEventOfMalformedScope: an event names a key id only where there is one.
func TestEventOfMalformedScope(t *testing.T) {
	scoped := core.Key{Name: "scoped", ID: "SCOPED", Secret: core.NewSecret("a-third-secret"), Region: "r", Service: "s"}
	var seen []core.Event
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{apig.NewScoped(apig.Config{Keys: core.Keys(scoped)})}
		c.Default = "scoped"
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { seen = append(seen, e) })}
	})
	r := request(t, p1)
	replaceIn(r, "Access=AKTESTAKTEST0001", "Credential=SCOPED/20260115/r")
	if _, err := v.Verify(r); core.CodeOf(err) != core.CodeCredentialMalformed || len(seen) != 1 || seen[0].KeyID != "" {
		t.Errorf("got %v, %+v", err, seen)
	}
}
