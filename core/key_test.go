package core_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
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

// TestScopedKeysTakeTurns: keys that have one secret, and differ in id, region or service,
// are not verified with the derived keys of one another, whichever signs first.
func TestScopedKeysTakeTurns(t *testing.T) {
	secret := core.NewSecret("the-secret-of-all-of-them")
	scoped := func(id, region, service string) core.Key {
		return core.Key{Name: id, ID: id, Secret: secret, Region: region, Service: service}
	}
	keys := []core.Key{scoped("first", "r1", "s1"), scoped("other id", "r1", "s1"), scoped("other region", "r2", "s1"), scoped("other service", "r1", "s2")}
	for i := range keys {
		keys[i].ID = strings.ReplaceAll(keys[i].ID, " ", "-")
	}
	apis := apig.Config{Keys: core.Keys(keys...)}
	for name, tt := range map[string]struct {
		scheme core.Scheme
		signer func(core.Key) signer.Signer
	}{
		"aksk":   {apig.NewScoped(apis), func(k core.Key) signer.Signer { return apig.NewScopedSigner(k, apig.SignOptions{}) }},
		"v11":    {apig.NewV11(apis), func(k core.Key) signer.Signer { return apig.NewV11Signer(k, apig.SignOptions{}) }},
		"sigv4":  {sigv4.New(sigv4.Config{Keys: apis.Keys}), func(k core.Key) signer.Signer { return sigv4.NewSigner(k, sigv4.SignOptions{}) }},
		"sigv4a": {sigv4.NewA(sigv4.ConfigA{Keys: apis.Keys}), func(k core.Key) signer.Signer { return sigv4.NewSignerA(k, sigv4.SignOptions{}) }},
	} {
		day := instant
		v := verifier(t, func(c *core.Config) {
			c.Schemes, c.Default, c.Now = []core.Scheme{tt.scheme}, "", func() time.Time { return day }
			for _, key := range keys {
				c.APIs = append(c.APIs, core.API{Match: "/" + key.ID, Key: key.Name})
			}
		})
		for turn := range 6 {
			for _, key := range keys {
				// The signer has a secret of its own.
				key.Secret = core.NewSecret(secret.Reveal())
				day = instant.Add(time.Duration(turn%2) * 24 * time.Hour)
				r := httptest.NewRequest("GET", "/"+key.ID, nil)
				testkit.Sign(tt.signer(key), r, "", day)
				if id, err := v.Verify(r); err != nil || id.Key() != key.Name {
					t.Fatalf("%s, turn %d, %s: got %v", name, turn, key.Name, err)
				}
			}
		}
	}
}

// TestShortSecrets_T227: secrets that are shorter than any gateway's are refused, unless
// that is allowed.
func TestShortSecrets_T227(t *testing.T) {
	for _, tt := range []struct {
		current, previous string
		field             string
	}{
		{"1234567", "", "Secret"}, {"12345678", "", ""}, {"12345678", "1234567", "Previous[0].Secret"}, {"12345678", "abcdefgh", ""},
	} {
		key := core.Key{Name: "k", ID: "id", Secret: core.NewSecret(tt.current)}
		if tt.previous != "" {
			key.Previous = []core.PreviousSecret{{Secret: core.NewSecret(tt.previous)}}
		}
		policy := config(func(c *core.Config) { c.Schemes, c.APIs, c.Default = []core.Scheme{hmacScheme(key)}, nil, "k" })
		_, err := core.New(policy)
		problem, _ := errors.AsType[*core.ConfigError](err)
		if (problem != nil) != (tt.field != "") || problem != nil && (problem.Field != tt.field || problem.Key != "k") {
			t.Errorf("%+v: got %v", tt, err)
		}
		policy.AllowShortSecrets = true
		if _, err := core.New(policy); err != nil {
			t.Errorf("%+v, allowed: got %v", tt, err)
		}
	}
}
