package differential_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// now is the clock of all verifiers.
var now = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// A world is a verifier, and the settings of the reference that mean the same. Every
// verifier has all keys; the API is bound to one of them.
type world struct {
	name     string
	key      *key
	stream   bool
	config   core.Config
	settings reference.Settings
	verifier *core.Verifier
}

// newWorlds returns the worlds: for every key one that accepts all forms of its scheme,
// a strict one, and others that share out the rest of the settings.
func newWorlds(t testing.TB) (worlds []*world) {
	for i, k := range keys {
		worlds = append(worlds,
			newWorld(t, k, "open", func(w *world) { w.config.AllowPresigned, w.config.AllowUnsignedPayload = true, true }),
			newWorld(t, k, "strict", func(*world) {}),
			newWorld(t, k, "stream", func(w *world) {
				w.stream, w.config.AllowPresigned = true, true
				w.config.APIs = []core.API{{Match: "/", Key: k.name, Stream: true}}
			}))
		change := []func(w *world){
			func(w *world) { w.config.Rewrite.AddPrefix = "/v1" },
			func(w *world) { w.config.Rewrite.Host = "api.example.com" },
			func(w *world) { w.config.RequireSigned = []string{} },
			func(w *world) { w.config.RequireSigned = []string{"host", "X-Role", "content-type"} },
			func(w *world) { w.config.RequireSignedWithBody = []string{"content-type"} },
			func(w *world) {
				w.config.AllowUnsigned = []string{"X-Amz-Foo", "x-sdk-foo"}
				w.config.ClockSkew = time.Minute
			},
		}[i%6]
		worlds = append(worlds, newWorld(t, k, "moved", func(w *world) {
			w.config.CredentialHeader, w.config.AllowUnsignedPayload = movedTo, true
		}))
		worlds = append(worlds, newWorld(t, k, "other", func(w *world) {
			w.config.AllowPresigned, w.config.AllowUnsignedPayload = true, true
			change(w)
		}))
	}
	return worlds
}

// movedTo is the header in which some verifiers read credentials.
const movedTo = "X-Backend-Sign"

func newWorld(t testing.TB, k *key, name string, change func(w *world)) *world {
	w := &world{name: k.name + " " + name, key: k, config: core.Config{
		Environment: "prod", Schemes: schemes(), Default: k.name, MaxBody: maxBody,
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}}
	change(w)
	c := &w.config
	w.settings = reference.Settings{
		Keys: referenceKeys(), Patterns: len(c.APIs) > 0, Bound: k.id, Now: now, Skew: c.ClockSkew, MaxBody: c.MaxBody,
		RequireSigned: lowerAll(c.RequireSigned), RequireSignedWithBody: lowerAll(c.RequireSignedWithBody), AllowUnsigned: lowerAll(c.AllowUnsigned),
		AllowUnsignedPayload: c.AllowUnsignedPayload, AllowPresigned: c.AllowPresigned,
		AddPrefix: c.Rewrite.AddPrefix, Host: c.Rewrite.Host, CredentialHeader: strings.ToLower(c.CredentialHeader),
	}
	v, err := core.New(*c)
	if err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	w.verifier = v
	return w
}

// schemes returns all schemes with all keys.
func schemes() []core.Scheme {
	of := func(typ string) core.KeySource {
		var list []core.Key
		for _, k := range keys {
			if k.typ == typ {
				list = append(list, k.core())
			}
		}
		return core.Keys(list...)
	}
	paths, wildcards := map[string]sigv4.Paths{}, map[string]bool{}
	var aes []aescfb.Key
	for _, k := range keys {
		switch {
		case k.aws():
			paths[k.id], _ = sigv4.ParsePaths(k.paths)
			wildcards[k.id] = k.wildcards
		case k.typ == "aes":
			aes = append(aes, aescfb.Key{Name: k.name, Algorithm: k.algorithm, Key: core.NewSecret(k.aesKey), Vector: core.NewSecret(k.secret)})
		}
	}
	clock := func() time.Time { return now }
	return []core.Scheme{
		apig.New(apig.Config{Keys: of("hmac")}), apig.NewScoped(apig.Config{Keys: of("aksk")}), apig.NewV11(apig.Config{Keys: of("v11")}),
		sm.New(apig.Config{Keys: of("hmac-sm3")}), apig.NewECDSA(apig.Config{Keys: of("ecdsa-p256")}), sm.NewSM2(apig.Config{Keys: of("sm2")}),
		aescfb.New(aescfb.Config{Keys: aes}),
		sigv4.New(sigv4.Config{Keys: of("sigv4"), PathsByID: paths}),
		sigv4.NewA(sigv4.ConfigA{Keys: of("sigv4a"), PathsByID: paths, AllowRegionWildcardsByID: wildcards}),
		basic.New(basic.Config{Keys: of("basic"), Now: clock}),
		// No API is bound to its key, so it asks nobody. With it X-Auth-Token is a credential.
		token.New(token.Config{Keys: []token.Key{{Name: "k_token", IAMURL: "https://iam.example.com", User: "u", Password: core.NewSecret("p"), Domain: "d", Project: "p"}}, Now: clock}),
	}
}

func (k *key) core() core.Key {
	c := core.Key{Name: k.name, ID: k.id, Secret: core.NewSecret(k.secret), Region: k.region, Service: k.service, SessionToken: core.NewSecret(k.session)}
	if k.previous != "" {
		c.Previous = []core.PreviousSecret{{Secret: core.NewSecret(k.previous)}}
	}
	return c
}

// referenceKeys are the same keys as the reference has them, in the order of schemes, and the
// key of tokens, of which none is valid.
func referenceKeys() (list []reference.Key) {
	for _, k := range keys {
		r := reference.Key{ID: k.id, Type: k.typ, Secrets: []string{k.secret}, Options: map[string]string{}}
		if k.typ == "aes" {
			r.Secrets = []string{k.aesKey + k.secret}
		}
		if k.previous != "" {
			r.Secrets = append(r.Secrets, k.previous)
		}
		for name, value := range map[string]string{"region": k.region, "service": k.service, "paths": k.paths, "session_token": k.session, "algorithm": k.algorithm} {
			if value != "" {
				r.Options[name] = value
			}
		}
		if k.wildcards {
			r.Options["allow_region_wildcards"] = "true"
		}
		list = append(list, r)
	}
	return append(list, reference.Key{ID: "k_token", Type: "token"})
}

// lowerAll returns names in lower case, as the reference has them; nil stays nil.
func lowerAll(names []string) []string {
	lower := slices.Clone(names)
	for i := range lower {
		lower[i] = strings.ToLower(lower[i])
	}
	return lower
}

// ofType are the worlds whose key is of a type.
func ofType(worlds []*world, typ string) []*world {
	return slices.DeleteFunc(slices.Clone(worlds), func(w *world) bool { return w.key.typ != typ })
}
