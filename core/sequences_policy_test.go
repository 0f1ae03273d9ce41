package core_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// sequenceKeys are the keys of the policies of sequences. Two names that differ in a
// final 2 are keys with the same secret.
var sequenceKeys = [...]string{"hmac", "hmac2", "aksk", "aksk2", "v11", "ecdsa", "ecdsa2", "sm3", "sm2", "sigv4", "s3", "sigv4a", "aes", "basic"}

// sequencePolicy is a policy as a value: a copy is another policy, and a [core.Config] is
// made of it for each Verifier.
type sequencePolicy struct {
	environment                                              string
	mode                                                     core.Mode
	skew                                                     time.Duration
	maxBody                                                  int64
	required, withBody, allowUnsigned, hosts, exempt         []string
	unsigned, presigned, expose, unavailable, source, silent bool
	rewrite                                                  core.Rewrite
	limits                                                   core.Limits
	apis                                                     apiSet
	keys                                                     [len(sequenceKeys)]keyState
}

type keyState struct {
	removed bool
	secret  int // which one of its secrets is the current one
	rotated bool
	until   time.Time // that the secret before is accepted, where the key is rotated
}

type apiSet int

const (
	ownAPIs     apiSet = iota // each key is bound to the path of its name
	noAPIs                    // all paths are those of the default key
	swappedAPIs               // hmac and hmac2 are bound to the path of the other one
	hostAPIs                  // as ownAPIs, and one path is another API for another host
)

var firstPolicy = sequencePolicy{environment: "a", presigned: true, unavailable: true, required: []string{"host", "x-role"}}

func secretText(name string, n int) string {
	return fmt.Sprintf("secret-%d-of-%s", n, strings.TrimSuffix(name, "2"))
}

// builder makes what configurations refer to. With maps, it makes equal things once, as
// a program does that keeps what a reload has not changed.
type builder struct {
	secrets map[string]core.Secret
	schemes map[string]core.Scheme
}

func once[V any](made map[string]V, key string, build func() V) V {
	v, ok := made[key]
	if !ok {
		if v = build(); made != nil {
			made[key] = v
		}
	}
	return v
}

func (b builder) secret(text string) core.Secret {
	return once(b.secrets, text, func() core.Secret { return core.NewSecret(text) })
}

// key returns a key in a state.
func (b builder) key(name string, s keyState) core.Key {
	k := core.Key{Name: name, ID: "ID-" + name, Secret: b.secret(secretText(name, s.secret))}
	if s.rotated {
		k.Previous = []core.PreviousSecret{{Secret: b.secret(secretText(name, s.secret-1)), Until: s.until}}
	}
	switch name {
	case "aksk", "v11", "sigv4", "s3", "sigv4a":
		k.Region, k.Service = "r1", "s1"
	case "aksk2":
		k.Region, k.Service = "r2", "s1"
	}
	return k
}

// schemesOf returns the schemes of a policy.
func (b builder) schemesOf(p *sequencePolicy) (all []core.Scheme) {
	add := func(build func(core.KeySource) core.Scheme, names ...string) {
		var keys []core.Key
		for i, name := range sequenceKeys {
			if slices.Contains(names, name) && !p.keys[i].removed {
				keys = append(keys, b.key(name, p.keys[i]))
			}
		}
		var source core.KeySource = core.Keys(keys...)
		if p.fromSource(names[0]) {
			source = sourceFunc(core.Keys(keys...).Key)
		}
		text := fmt.Sprintf("%T ", source)
		for _, k := range keys {
			text += fmt.Sprint(k.Name, k.Secret.Reveal())
			for _, previous := range k.Previous {
				text += fmt.Sprint(previous.Secret.Reveal(), previous.Until)
			}
		}
		all = append(all, once(b.schemes, text+names[0], func() core.Scheme { return build(source) }))
	}
	add(func(k core.KeySource) core.Scheme { return apig.New(apig.Config{Keys: k}) }, "hmac", "hmac2")
	add(func(k core.KeySource) core.Scheme { return apig.NewScoped(apig.Config{Keys: k}) }, "aksk", "aksk2")
	add(func(k core.KeySource) core.Scheme { return apig.NewV11(apig.Config{Keys: k}) }, "v11")
	add(func(k core.KeySource) core.Scheme { return apig.NewECDSA(apig.Config{Keys: k}) }, "ecdsa", "ecdsa2")
	add(func(k core.KeySource) core.Scheme { return sm.New(apig.Config{Keys: k}) }, "sm3")
	add(func(k core.KeySource) core.Scheme { return sm.NewSM2(apig.Config{Keys: k}) }, "sm2")
	add(func(k core.KeySource) core.Scheme {
		return sigv4.New(sigv4.Config{Keys: k, PathsByID: map[string]sigv4.Paths{"ID-s3": sigv4.S3}})
	}, "sigv4", "s3")
	add(func(k core.KeySource) core.Scheme { return sigv4.NewA(sigv4.ConfigA{Keys: k}) }, "sigv4a")
	add(func(k core.KeySource) core.Scheme { return basic.New(basic.Config{Keys: k}) }, "basic")
	if p.has("aes") {
		all = append(all, aescfb.New(aescfb.Config{Keys: []aescfb.Key{sequenceAES}}))
	}
	return all
}

// sequenceAES is the key of testkit's pairs, which has one secret.
var sequenceAES = aescfb.Key{Name: "aes", Algorithm: "aes-128-cfb", Key: core.NewSecret("aesKey-123456789"), Vector: core.NewSecret("vector-987654321")}

// fromSource reports whether a key comes from another source than core.Keys.
func (p *sequencePolicy) fromSource(name string) bool {
	return p.source && strings.TrimSuffix(name, "2") == "hmac"
}

func (p *sequencePolicy) has(name string) bool {
	return !p.keys[slices.Index(sequenceKeys[:], name)].removed
}

// bindings returns the APIs of the keys that the policy has.
func (p *sequencePolicy) bindings() (all []core.API) {
	if p.apis == noAPIs {
		return nil
	}
	add := func(api core.API) {
		if api.Key == "" || p.has(api.Key) {
			all = append(all, api)
		}
	}
	swap := map[string]string{"hmac": "hmac2", "hmac2": "hmac"}
	for _, name := range sequenceKeys {
		key := name
		if other := swap[name]; other != "" && p.apis == swappedAPIs {
			key = other
		}
		add(core.API{Match: "/" + name + "/", Key: key})
		switch name {
		case "hmac", "aksk", "ecdsa", "sigv4", "s3":
			add(core.API{Match: "/" + name + "/stream", Key: key, Stream: true, MaxBody: 5000})
			add(core.API{Match: "/" + name + "/any/", Key: key, AllowUnsignedPayload: true})
			add(core.API{Match: "/" + name + "/any/x", Key: key, MaxBody: 50})
		}
	}
	if p.apis == hostAPIs {
		add(core.API{Match: "other.example.com/hmac/a", Key: "hmac2"})
	}
	add(core.API{Match: "GET /open/", Open: true})
	return all
}

// config makes a configuration of the policy.
func (p *sequencePolicy) config(b builder, store core.ReplayStore, now func() time.Time) core.Config {
	c := core.Config{
		Environment: p.environment, Mode: p.mode, Schemes: b.schemesOf(p), APIs: p.bindings(),
		ClockSkew: p.skew, MaxBody: p.maxBody, RequireSigned: p.required, RequireSignedWithBody: p.withBody,
		AllowUnsigned: p.allowUnsigned, Hosts: p.hosts, AllowUnsignedPayload: p.unsigned, AllowPresigned: p.presigned,
		ExposeReason: p.expose, Rewrite: p.rewrite, KeyTimeout: time.Minute, Limits: p.limits, Now: now,
		Replay: core.Replay{Store: store, ExemptMethods: p.exempt, AllowUnavailable: p.unavailable},
		Logger: slog.New(slog.DiscardHandler),
	}
	if p.has("hmac") {
		c.Default = "hmac"
	}
	if !p.silent {
		c.Observers = []core.Observer{core.ObserverFunc(observeSequence)}
	}
	return c
}

// anyEdit returns a change of a policy that a reload makes, and its name.
func anyEdit(random *rand.Rand, now time.Time) (string, func(*sequencePolicy)) {
	i := random.IntN(len(sequenceKeys))
	name, until := sequenceKeys[i], []time.Time{{}, now.Add(time.Minute), now}[random.IntN(3)]
	skew := []time.Duration{0, time.Second, time.Hour}[random.IntN(3)]
	mode := []core.Mode{core.Enforce, core.Enforce, core.Enforce, core.Report, core.Report, core.Off}[random.IntN(6)]
	size := []int64{0, 50, 5000}[random.IntN(3)]
	apis := apiSet(random.IntN(4))
	list := func(lists ...[]string) []string { return lists[random.IntN(len(lists))] }
	required, hosts := list(nil, []string{}, []string{"host", "x-role"}, []string{"x-project-id"}), list(nil, []string{"api.example.com"}, []string{"other.example.com"})
	edits := []struct {
		name  string
		apply func(*sequencePolicy)
	}{
		{"nothing new", func(*sequencePolicy) {}},
		{"without key " + name, func(p *sequencePolicy) { p.keys[i].removed = true }},
		{"with key " + name, func(p *sequencePolicy) { p.keys[i].removed = false }},
		{fmt.Sprintf("another secret of %s, the one before until %v", name, until), func(p *sequencePolicy) {
			if name != "aes" {
				p.keys[i] = keyState{secret: p.keys[i].secret + 1, rotated: true, until: until}
			}
		}},
		{"without the previous secret of " + name, func(p *sequencePolicy) { p.keys[i].rotated = false }},
		{"environment b", func(p *sequencePolicy) { p.environment = "b" }},
		{"no environment, which no policy can have", func(p *sequencePolicy) { p.environment = "" }},
		{fmt.Sprint("mode ", mode), func(p *sequencePolicy) { p.mode = mode }},
		{fmt.Sprint("skew ", skew), func(p *sequencePolicy) { p.skew = skew }},
		{fmt.Sprint("max_body ", size), func(p *sequencePolicy) { p.maxBody = size }},
		{fmt.Sprintf("required headers %q", required), func(p *sequencePolicy) { p.required = required }},
		{"content-type required with a body", func(p *sequencePolicy) { p.withBody = []string{"content-type"} }},
		{"x-sdk-foo allowed unsigned", func(p *sequencePolicy) { p.allowUnsigned = []string{"x-sdk-foo"} }},
		{fmt.Sprintf("hosts %q", hosts), func(p *sequencePolicy) { p.hosts = hosts }},
		{"the other way with unsigned payloads", func(p *sequencePolicy) { p.unsigned = !p.unsigned }},
		{"the other way with presigned links", func(p *sequencePolicy) { p.presigned = !p.presigned }},
		{"the other way with exposed reasons", func(p *sequencePolicy) { p.expose = !p.expose }},
		{"the other way while the replay store is down", func(p *sequencePolicy) { p.unavailable = !p.unavailable }},
		{"the other way with a source for hmac's keys", func(p *sequencePolicy) { p.source = !p.source }},
		{"the other way with an observer", func(p *sequencePolicy) { p.silent = !p.silent }},
		{"GET exempt from replay checks", func(p *sequencePolicy) { p.exempt = []string{"GET"} }},
		{"a prefix to add", func(p *sequencePolicy) { p.rewrite.AddPrefix = "/hmac" }},
		{"another host to verify", func(p *sequencePolicy) { p.rewrite.Host = "api.example.com" }},
		{"at most 5 signed headers", func(p *sequencePolicy) { p.limits.SignedHeaders = 5 }},
		{fmt.Sprint("set of APIs ", apis), func(p *sequencePolicy) { p.apis = apis }},
	}
	e := edits[random.IntN(len(edits))]
	return e.name, e.apply
}
