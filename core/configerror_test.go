package core_test

import (
	"errors"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestConfigError: a problem says its field, and a pattern its cause.
func TestConfigError(t *testing.T) {
	_, err := core.New(config(func(c *core.Config) {
		c.APIs = []core.API{{Match: "/a", Key: "k1"}, {Match: "/orders/:id", Key: "k1"}}
	}))
	problem, ok := errors.AsType[*core.ConfigError](err)
	if !ok || problem.Field != "APIs[1].Match" || problem.Value != `"/orders/:id"` || problem.Key != "" {
		t.Fatalf("got %+v (%v), want the field APIs[1].Match", problem, err)
	}
	if _, ok := errors.AsType[*core.PatternError](problem); !ok {
		t.Errorf("got the cause %v, want a PatternError", problem.Err)
	}
	_, err = core.New(config(func(c *core.Config) { c.Limits.Target, c.Schemes[0] = -1, hmacScheme(core.Key{Name: "x", ID: "x"}) }))
	fields := map[string]string{}
	for err := range leaves(err) {
		if problem, ok := errors.AsType[*core.ConfigError](err); ok {
			fields[problem.Key+" "+problem.Field] = problem.Rule
		}
	}
	for _, want := range []string{" Limits.Target", "x Secret"} {
		if fields[want] == "" {
			t.Errorf("no problem of %q in %v", want, fields)
		}
	}
}

// leaves yields the errors that were joined.
func leaves(err error) func(func(error) bool) {
	return func(yield func(error) bool) {
		joined, _ := errors.Unwrap(err).(interface{ Unwrap() []error })
		for _, err := range joined.Unwrap() {
			if !yield(err) {
				return
			}
		}
	}
}
