package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestKeySet: All yields the keys in their order, and a nil set is a problem of the
// configuration.
func TestKeySet(t *testing.T) {
	var names []string
	for key := range core.Keys(k2, k1, user).All() {
		names = append(names, key.Name)
	}
	if want := []string{"k2", "k1", "user"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	for range new(core.KeySet).All() {
		t.Error("the zero set has a key")
	}
	var none *core.KeySet
	_, err := core.New(config(func(c *core.Config) { c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: none})} }))
	if err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("got %v for a nil set", err)
	}
}

// TestSecretsAt: the current secret comes first, and a previous one is accepted
// until its time.
func TestSecretsAt(t *testing.T) {
	key := core.Key{Secret: core.NewSecret("current"), Previous: []core.PreviousSecret{
		{Secret: core.NewSecret("ended"), Until: instant}, {Secret: core.NewSecret("later"), Until: instant.Add(time.Second)}, {Secret: core.NewSecret("ever")}}}
	var got []string
	for _, secret := range key.SecretsAt(instant) {
		got = append(got, secret.Reveal())
	}
	if want := []string{"current", "later", "ever"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
