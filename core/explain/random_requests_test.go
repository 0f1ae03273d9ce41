package explain_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// A kind is a scheme with its signer.
type kind struct {
	name   string
	scheme func(...core.Key) core.Scheme
	signer func(key core.Key, headers []string, payload core.Payload) signer.Signer
	rounds int
	scoped bool // keys have a region and a service
}

func sdkKind(name string, rounds int, scoped bool, scheme func(apig.Config) core.Scheme, sign func(core.Key, apig.SignOptions) *apig.Signer) kind {
	return kind{name, func(keys ...core.Key) core.Scheme { return scheme(apig.Config{Keys: core.Keys(keys...)}) },
		func(key core.Key, headers []string, payload core.Payload) signer.Signer {
			return sign(key, apig.SignOptions{Headers: headers, Payload: payload})
		}, rounds, scoped}
}

func sigv4Kind(name string, rounds int, paths sigv4.Paths, scheme func(core.KeySource) core.Scheme, sign func(core.Key, sigv4.SignOptions) *sigv4.Signer) kind {
	return kind{name, func(keys ...core.Key) core.Scheme { return scheme(core.Keys(keys...)) },
		func(key core.Key, headers []string, payload core.Payload) signer.Signer {
			return sign(key, sigv4.SignOptions{Headers: headers, Payload: payload, Paths: paths})
		}, rounds, true}
}

// kinds has all schemes that call no other service.
var kinds = []kind{
	sdkKind("hmac", 200, false, apig.New, apig.NewSigner),
	sdkKind("aksk", 100, true, apig.NewScoped, apig.NewScopedSigner),
	sdkKind("v11", 60, true, apig.NewV11, apig.NewV11Signer),
	sdkKind("ecdsa-p256", 10, false, apig.NewECDSA, apig.NewECDSASigner),
	sdkKind("hmac-sm3", 30, false, func(c apig.Config) core.Scheme { return sm.New(sm.Config(c)) }, sm.NewSigner),
	sdkKind("sm2", 10, false, func(c apig.Config) core.Scheme { return sm.NewSM2(sm.Config(c)) }, sm.NewSM2Signer),
	sigv4Kind("sigv4", 200, sigv4.Normalized, func(keys core.KeySource) core.Scheme { return sigv4.New(sigv4.Config{Keys: keys}) }, sigv4.NewSigner),
	sigv4Kind("sigv4 s3", 60, sigv4.S3, func(keys core.KeySource) core.Scheme { return sigv4.New(sigv4.Config{Keys: keys, Paths: sigv4.S3}) }, sigv4.NewSigner),
	sigv4Kind("sigv4a", 10, sigv4.Normalized, func(keys core.KeySource) core.Scheme { return sigv4.NewA(sigv4.ConfigA{Keys: keys}) }, sigv4.NewSignerA),
	{"aes", func(keys ...core.Key) core.Scheme {
		var all []aescfb.Key
		for _, key := range keys {
			made := aesOf(key)
			for _, p := range key.Previous {
				made.Previous = append(made.Previous, aescfb.Previous{Key: core.NewSecret(half(p.Secret)), Until: p.Until})
			}
			all = append(all, made)
		}
		return aescfb.New(aescfb.Config{Keys: all})
	}, func(key core.Key, headers []string, payload core.Payload) signer.Signer {
		return aescfb.NewSigner(aesOf(key), aescfb.SignOptions{Headers: headers, Payload: payload})
	}, 40, false},
	{"basic", func(keys ...core.Key) core.Scheme { return basic.New(basic.Config{Keys: core.Keys(keys...)}) },
		func(key core.Key, _ []string, _ core.Payload) signer.Signer { return basic.NewSigner(key) }, 40, false},
}

func aesOf(key core.Key) aescfb.Key {
	return aescfb.Key{Name: key.Name, Key: core.NewSecret(half(key.Secret)), Vector: core.NewSecret("vector-012345678")}
}

func half(secret core.Secret) string { return sha(secret.Reveal())[:16] }

// A randomRequest is a request as it was signed and as it arrives, with faults, and the
// policy of the backend.
type randomRequest struct {
	kind
	*rand.Rand
	used    core.Key // of the sender
	own     core.Key // of the backend, for the same sender
	otherID string
	now     time.Time
	sent    *http.Request
	body    string
	path    string // as received
	query   string
	got     *http.Request // host, method and headers as received
	gotten  string        // the body as received
	config  core.Config   // without schemes
	hints   explain.Hints
	faults  []string
}

func (f *randomRequest) pick(list ...string) string { return list[f.IntN(len(list))] }

// policy returns the policy of the backend, with its current keys.
func (f *randomRequest) policy() core.Config {
	c := f.config
	c.Schemes = []core.Scheme{f.scheme(f.own, f.other())}
	c.Now = func() time.Time { return f.now }
	return c
}

// other returns another key of the environment, and elsewhere one of another environment.
func (f *randomRequest) other() core.Key {
	return f.key("other", cmp.Or(f.otherID, "OTHERKEY"), "other-0123456789abcdef")
}

func (f *randomRequest) elsewhere() core.Key {
	return f.key("release", f.own.ID, "release-0123456789abcdef")
}

func (f *randomRequest) key(name, id, text string) core.Key {
	key := core.Key{Name: name, ID: id, Secret: core.NewSecret(text)}
	if f.kind.name == "aes" {
		key.ID = name
	}
	if f.scoped {
		key.Region, key.Service = "eu-de", "apig"
	}
	return key
}

// newRandomRequest returns a random request with zero or more faults.
func newRandomRequest(t *testing.T, k kind, seed uint64) *randomRequest {
	t.Helper()
	f := &randomRequest{kind: k, Rand: rand.New(rand.NewPCG(seed, 186)), now: instant}
	f.own = f.key("own", "OWNKEY0123", "own-0123456789abcdef")
	f.config = core.Config{Environment: "dev", Default: "own", Logger: config().Logger}
	f.used = f.own
	before := []func(){}
	after := []func(){}
	for range []int{0, 1, 1, 1, 1, 2, 2}[f.IntN(7)] {
		name, fault := f.fault()
		f.faults = append(f.faults, name)
		if early[name] {
			before = append(before, fault)
		} else {
			after = append(after, fault)
		}
	}
	for _, fault := range before {
		fault()
	}
	if k.name == "basic" { // passwords have no session tokens
		f.own.SessionToken, f.used.SessionToken = core.Secret{}, core.Secret{}
	}
	f.sign(t)
	for _, fault := range after {
		fault()
	}
	return f
}

// sign signs the request that is sent.
func (f *randomRequest) sign(t *testing.T) {
	method := f.pick("GET", "GET", "POST", "PUT", "DELETE")
	f.path = f.pick("/", "/x", "/x/", "/v1/items", "/v1/items/", "/shop/orders/7", "/a%20b/c", "/%C3%A4/x")
	f.query = f.pick("", "", "a=1", "b=2&a=1", "q=a%2Bb&c", "q=a%20b", "a=1&a=2", "x=%2F&y=")
	var payload core.Payload
	if method == "POST" || method == "PUT" {
		f.body = f.pick("", "text", `{"b":1,"a":[1,"x"]}`, `{"b": 1}`, "a=1&b=x+y")
		payload = []core.Payload{core.PayloadHashed, core.PayloadHashed, core.PayloadDeclared}[f.IntN(3)]
	}
	target := "http://api.example.com" + f.path
	if f.query != "" {
		target += "?" + f.query
	}
	r, err := http.NewRequest(method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Note", f.pick("one", "one  two", "a, b", "a;b"))
	r.Header["X-Tag"] = []string{"b", "a"}[f.IntN(2):]
	r.Header.Set("Accept", "application/json")
	s := f.signer(f.used, [][]string{nil, {"x-note"}, {"accept", "x-tag"}, {"x-note", "x-tag"}}[f.IntN(4)], payload)
	testkit.Sign(s, r, f.body, instant)
	f.sent, f.got, f.gotten = r, r.Clone(t.Context()), f.body
}

// early has the faults that happen before the request is signed.
var early = map[string]bool{"token": true, "token for none": true, "other token": true, "secret": true, "previous": true, "old": true,
	"other key": true, "other environment": true, "scope": true, "region": true}

// fault returns a random fault: its name, and a function that applies it.
func (f *randomRequest) fault() (string, func()) {
	hint := func(list *[]string, text string) {
		if f.IntN(3) > 0 {
			*list = append(*list, text)
		}
	}
	header := func() string { return f.pick("X-Note", "X-Tag", "Accept", "Authorization", "Date") }
	all := []struct {
		name string
		do   func()
	}{
		{"token", func() { f.own.SessionToken = core.NewSecret("token-0123456789") }},
		{"token for none", func() { f.used.SessionToken = core.NewSecret("token-0123456789") }},
		{"other token", func() {
			f.own.SessionToken, f.used.SessionToken = core.NewSecret("token-of-today"), core.NewSecret("token-of-yesterday")
		}},
		{"secret", func() { f.used.Secret = core.NewSecret("a-secret-that-nobody-knows") }},
		{"previous", func() { f.previous("previous-0123456789", time.Time{}) }},
		{"old", func() { f.previous("previous-0123456789", instant.Add(-time.Hour)) }},
		{"other key", func() { f.used.Secret = f.other().Secret }},
		{"other environment", func() {
			f.used.Secret = f.elsewhere().Secret
			f.hints.Environments = map[string]core.Config{"release": {Environment: "release", Schemes: []core.Scheme{f.scheme(f.elsewhere())}}}
		}},
		{"region", func() {
			if f.scoped {
				f.used.Region = "us-east-1"
			}
		}},
		{"host", func() {
			f.got.Host = f.pick("10.0.0.7:8080", "api.example.com:443")
			hint(&f.hints.Hosts, "api.example.com")
		}},
		{"forwarded host", func() { f.got.Host = "backend"; f.got.Header.Set("X-Forwarded-Host", "api.example.com") }},
		{"prefix added", func() { f.path = "/inner" + f.path }},
		{"prefix taken", func() {
			for _, prefix := range []string{"/v1", "/shop"} {
				if rest, ok := strings.CutPrefix(f.path, prefix); ok && rest != "" {
					f.path = rest
					hint(&f.hints.Prefixes, prefix)
				}
			}
		}},
		{"slash", func() {
			if short, ok := strings.CutSuffix(f.path, "/"); ok && short != "" {
				f.path = short
			} else {
				f.path += "/"
			}
		}},
		{"path encoding", func() {
			f.path = strings.NewReplacer("%20", "+", "%C3", "%c3", "x", "%78").Replace(f.path)
		}},
		{"dot segment", func() { f.path += "/../" + strings.TrimPrefix(f.path, "/") }},
		{"query encoding", func() { f.query = strings.NewReplacer("%2B", "+", "%20", "+", "%2F", "/").Replace(f.query) }},
		{"parameter added", func() { f.query = strings.TrimPrefix(f.query+"&utm=7", "&") }},
		{"parameter dropped", func() { f.query, _, _ = strings.Cut(f.query, "&") }},
		{"method", func() { f.got.Method = f.pick("GET", "POST", "HEAD") }},
		{"header changed", func() { f.got.Header.Set(header(), f.pick("two", "application/json", "one two", "a,b")) }},
		{"header removed", func() { f.got.Header.Del(header()) }},
		{"header added", func() {
			f.got.Header.Set(f.pick("X-Sdk-Extra", "X-Amz-Cf-Id", "X-Http-Method-Override", "X-Role", "X_Note", "X-Sdk-Content-Sha256"), "1")
		}},
		{"header twice", func() { name := header(); f.got.Header.Add(name, "again") }},
		{"date changed", func() {
			for _, name := range []string{"X-Sdk-Date", "X-Amz-Date"} {
				if f.got.Header.Get(name) != "" {
					f.got.Header.Set(name, "20260115T120500Z")
				}
			}
		}},
		{"body", func() { f.gotten = f.pick("", "other", compactOrAgain(f.gotten)) }},
		{"late", func() {
			f.now = instant.Add([]time.Duration{20 * time.Minute, -8 * time.Hour, 400 * 24 * time.Hour}[f.IntN(3)])
		}},
		{"required", func() { f.config.RequireSigned = []string{"host", "x-role"}; f.got.Header.Set("X-Role", "x") }},
		{"binding", func() { f.config.Default = "other" }},
		{"unknown key", func() {
			if f.kind.name != "aes" { // the ids of aes keys are their names
				f.own.ID = "ANOTHERID"
			}
		}},
	}
	one := all[f.IntN(len(all))]
	return one.name, one.do
}

// previous makes the sender use a previous secret of the key.
func (f *randomRequest) previous(text string, until time.Time) {
	f.used.Secret = core.NewSecret(text)
	f.own.Previous = []core.PreviousSecret{{Secret: f.used.Secret, Until: until}}
}

func compactOrAgain(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") == nil {
		return out.String()
	}
	return text + "\n"
}

// arrived returns the request as received.
func (f *randomRequest) arrived(t *testing.T) *http.Request {
	r := f.got.Clone(t.Context())
	r.RequestURI = f.path
	if f.query != "" {
		r.RequestURI += "?" + f.query
	}
	r.Body, r.ContentLength, r.RemoteAddr = io.NopCloser(strings.NewReader(f.gotten)), int64(len(f.gotten)), "192.0.2.1:1"
	if f.gotten == "" {
		r.Body = http.NoBody
	}
	return r
}
