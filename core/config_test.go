package core_test

import (
	"errors"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestNewReportsEveryProblem also covers T078 and T083.
func TestNewReportsEveryProblem(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*core.Config)
		want   []string
	}{
		{"nothing at all", func(c *core.Config) { *c = core.Config{} }, []string{"Environment: empty", "Schemes: none"}},
		{"nil scheme, source, observer", func(c *core.Config) {
			c.Schemes = []core.Scheme{nil, apig.New(apig.Config{})}
			c.Observers = []core.Observer{nil}
		}, []string{"Schemes[0]: nil", "Schemes[1]: nil", "Observers[0]: nil"}},
		{"T078 negative skew", func(c *core.Config) { c.ClockSkew = -1 }, []string{"ClockSkew"}},
		{"T078 a day of skew", func(c *core.Config) { c.ClockSkew = 24 * time.Hour }, []string{"ClockSkew"}},
		{"T078 the largest skew", func(c *core.Config) { c.ClockSkew = 1<<63 - 1 }, []string{"ClockSkew"}},
		{"negative limits", func(c *core.Config) {
			c.MaxBody, c.MaxBuffered = -1, -1
			c.Limits = core.Limits{Authorization: -1, SignedHeaders: -1, Headers: -1, QueryParameters: -1}
		}, []string{"MaxBody", "MaxBuffered", "Limits.Authorization", "Limits.SignedHeaders", "Limits.Headers", "Limits.QueryParameters"}},
		{"budget below one body", func(c *core.Config) { c.MaxBuffered = 1 << 20 }, []string{"MaxBuffered"}},
		{"mode", func(c *core.Config) { c.Mode = 7 }, []string{"Mode"}},
		{"headers that cannot be signed", func(c *core.Config) { c.RequireSigned = []string{"authorization", "x y", ""} },
			[]string{`"authorization"`, `"x y"`, `""`}},
		{"a host in Unicode", func(c *core.Config) { c.APIs = []core.API{{Match: "b\u00fccher.example/x", Key: "k1"}} },
			[]string{"the host is not a name in lower case"}},
		{"rewrite", func(c *core.Config) { c.Rewrite = core.Rewrite{AddPrefix: "v1/", Host: "a/b"} },
			[]string{"Rewrite.AddPrefix", "Rewrite.Host"}},
		{"bound by a host that nobody signs", func(c *core.Config) {
			c.APIs, c.Rewrite.Host = []core.API{{Match: "orders.internal/", Key: "k2"}}, "api.example.com"
		}, []string{`APIs[0].Match "orders.internal/": bound by host, while Rewrite.Host`}},
		{"open to whoever sends a host", func(c *core.Config) { c.APIs = []core.API{{Match: "GET status.example.com/", Open: true}} },
			[]string{`APIs[0].Match "GET status.example.com/": open to whoever`}},
		{"log limit", func(c *core.Config) { c.LogLimit = -1 }, []string{"LogLimit"}},
		{"bodies of APIs", func(c *core.Config) {
			c.APIs = []core.API{{Match: "/a", Key: "k1", MaxBody: -1}, {Match: "/b", Key: "k1", MaxBody: 1 << 40},
				{Match: "/c", Open: true, Stream: true}, {Match: "/d", Open: true, MaxBody: 1}, {Match: "/e", Open: true, AllowUnsignedPayload: true},
				{Match: "/f", Key: "k1", Stream: true, MaxBody: math.MaxInt64}}
		}, []string{"APIs[0].MaxBody: -1 is", "APIs[1].MaxBody: 1099511627776 bytes are more than MaxBuffered", `"/c": open, and says how bodies are verified`,
			`"/d": open, and says how bodies are verified`, `"/e": open, and says how bodies are verified`, "APIs[5].MaxBody: 9223372036854775807 is not between"}},
		{"replay without a store", func(c *core.Config) { c.Replay.AllowUnavailable = true }, []string{"without a store"}},
		{"replay of methods in lower case", func(c *core.Config) { c.Replay = core.Replay{Store: &memory{}, ExemptMethods: []string{"get"}} }, []string{"in upper case"}},
		{"T083 an id twice in one scheme", func(c *core.Config) { c.Schemes[0] = hmacScheme(k1, core.Key{Name: "x", ID: k1.ID, Secret: k1.Secret}) },
			[]string{`the id "AKTESTAKTEST0001" occurs twice`}},
		{"T083 an id under two schemes", func(c *core.Config) {
			c.Schemes[0] = hmacScheme(k1, core.Key{Name: "x", ID: user.ID, Secret: k1.Secret})
		},
			[]string{`the id "basicuser" occurs twice`}},
		{"a name twice", func(c *core.Config) { c.Schemes[0] = hmacScheme(k1, core.Key{Name: "k1", ID: "y", Secret: k1.Secret}) },
			[]string{`key "k1": Name: the name occurs twice`}},
		{"keys without anything", func(c *core.Config) {
			c.Schemes[0] = hmacScheme(k1, core.Key{}, core.Key{Name: "x", ID: "x", Secret: k1.Secret, Previous: []core.PreviousSecret{{}}})
		}, []string{"Keys[1].Name: empty", "ID: empty", "Secret: empty", `key "x": Previous[0].Secret: empty`}},
		{"unknown key names", func(c *core.Config) { c.Default, c.APIs = "nobody", []core.API{{Match: "/a", Key: "none"}} },
			[]string{`Default: no key is named "nobody"`, `APIs[0].Key: no key is named "none"`}},
		{"API twice", func(c *core.Config) { c.APIs = []core.API{{Match: "/a", Key: "k1"}, {Match: "/a", Key: "k2"}} }, []string{`APIs[1].Match "/a"`}},
		{"API patterns", func(c *core.Config) {
			c.APIs = []core.API{{Match: "", Key: "k1"}, {Match: "/{", Key: "k1"}, {Match: "/b", Key: "k1", Open: true}, {Match: "/c"}}
		}, []string{`APIs[0].Match "": `, `APIs[1].Match "/{"`, `APIs[2] "/b": needs either`, `APIs[3] "/c": needs either`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := core.New(config(tt.change))
			if v != nil || err == nil {
				t.Fatalf("got a Verifier (%v) and error %v; want an error alone", v != nil, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), k1.Secret.Reveal()) {
				t.Error("the error holds a secret")
			}
		})
	}
	for field, rewrites := range map[string][]core.Rewrite{
		"Rewrite.AddPrefix": {{AddPrefix: "/v1/.."}, {AddPrefix: "/a\nb"}, {AddPrefix: "//a"}, {AddPrefix: "/a/./b"}, {AddPrefix: "/"}},
		"Rewrite.Host":      {{Host: "a@b"}, {Host: "a,b"}, {Host: "a b"}},
	} {
		for _, rewrite := range rewrites {
			_, err := core.New(config(func(c *core.Config) { c.Rewrite = rewrite }))
			if err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("%+v: got error %v, want one about %s", rewrite, err, field)
			}
		}
	}
}

// TestOneProblemEach: one mistake is one problem.
func TestOneProblemEach(t *testing.T) {
	for want, api := range map[string]core.API{
		"it has no path, which begins with a slash":      {Match: "healthz", Open: true},
		"conflicts with pattern":                         {Match: "/a/{other}", Key: "k1"},
		"bytes are more than MaxBuffered":                {Match: "/b", Key: "k1", MaxBody: 1<<30 + 1},
		"open to whoever sends that host":                {Match: "example.com/b", Open: true},
		"needs either a key or open":                     {Match: "/b"},
		"no key is named \"k3\"":                         {Match: "/b", Key: "k3"},
		"is no wildcard: one is a whole segment, {name}": {Match: "/b/{", Key: "k1"},
	} {
		_, err := core.New(config(func(c *core.Config) {
			c.MaxBuffered, c.APIs = 1<<30, []core.API{{Match: "/a/{x}", Key: "k1"}, api}
		}))
		if err == nil {
			t.Errorf("%+v: no problem", api)
			continue
		}
		n := 0
		for problem := range leaves(err) {
			if n++; !strings.Contains(problem.Error(), want) || strings.Contains(problem.Error(), "registered at") {
				t.Errorf("%+v: got %v, want %q", api, problem, want)
			}
		}
		if n != 1 {
			t.Errorf("%+v: got %d problems, want one: %v", api, n, err)
		}
	}
}

// TestLargestBodies: what Config says of bodies may be as large as it is allowed to be.
func TestLargestBodies(t *testing.T) {
	const largest = math.MaxInt64 - 1
	testkit.New(t, config(func(c *core.Config) {
		c.MaxBody, c.MaxBuffered, c.BodyTimeout, c.KeyTimeout, c.ClockSkew, c.LogLimit = 1<<20, 1<<20, time.Hour, time.Minute, time.Hour, 1<<20
		c.APIs = []core.API{{Match: "/a", Key: "k1", MaxBody: 1 << 20}, {Match: "/b", Key: "k1", Stream: true, MaxBody: largest}}
	}))
	testkit.New(t, config(func(c *core.Config) { c.MaxBody, c.MaxBuffered = largest, largest }))
	for field, change := range map[string]func(*core.Config){
		"MaxBody":     func(c *core.Config) { c.MaxBody = math.MaxInt64 },
		"MaxBuffered": func(c *core.Config) { c.MaxBuffered = math.MaxInt64 },
		"BodyTimeout": func(c *core.Config) { c.BodyTimeout = time.Hour + 1 },
		"KeyTimeout":  func(c *core.Config) { c.KeyTimeout = time.Minute + 1 },
		"ClockSkew":   func(c *core.Config) { c.ClockSkew = time.Hour + 1 },
		"LogLimit":    func(c *core.Config) { c.LogLimit = 1<<20 + 1 },
	} {
		if _, err := core.New(config(change)); err == nil || !strings.Contains(err.Error(), field+": ") || !strings.Contains(err.Error(), "is not between 0 and") {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// TestUnsignedPayloadEverywhere: what the environment allows is allowed on each API, and what an
// API allows is allowed there alone.
func TestUnsignedPayloadEverywhere(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		v := testkit.New(t, config(func(c *core.Config) {
			c.AllowUnsignedPayload = everywhere
			c.APIs = []core.API{{Match: "/a", Key: "k1", AllowUnsignedPayload: true}, {Match: "/b", Key: "k1"}}
		}))
		for target, allowed := range map[string]bool{"/a": true, "/b": everywhere, "/c": everywhere} {
			want := core.CodePayloadNotSigned
			if allowed {
				want = ""
			}
			wantVerdict(t, v, signed(t, k1, "POST", target, "text", apig.SignOptions{Payload: core.PayloadUnsigned}), want)
		}
	}
}

// TestConfigIsCopied: what the caller changes after New changes nothing.
func TestConfigIsCopied(t *testing.T) {
	c := config()
	c.APIs = []core.API{{Match: "/v1/", Key: "k1"}}
	c.RequireSigned, c.RequireSignedWithBody, c.Hosts = []string{"host"}, []string{"content-type"}, []string{"api.example.com"}
	v := testkit.New(t, c)
	c.APIs[0] = core.API{Match: "/", Open: true}
	c.RequireSigned[0], c.RequireSignedWithBody[0], c.Hosts[0], c.Schemes[0] = "x-none", "x-none", "other.example.com", nil
	if _, err := v.Verify(request(t, p1)); err != nil {
		t.Error(err)
	}
	_, err := v.Verify(signed(t, k1, "POST", "/v1/items", "abc", apig.SignOptions{}))
	if wantCode(t, err, core.CodeHeaderNotSigned); !strings.Contains(err.Error(), "content-type") {
		t.Errorf("got %v, want an error that names the header", err)
	}
	wantVerdict(t, v, forHost(t, "other.example.com"), core.CodeHostNotOurs)
}

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

// TestWithDefaults: what is set stays, and New takes what is filled in.
func TestWithDefaults(t *testing.T) {
	c := config(func(c *core.Config) { c.MaxBody, c.RequireSigned = 1<<30, []string{} }).WithDefaults()
	if c.MaxBody != 1<<30 || c.MaxBuffered != 1<<30 || c.ClockSkew != 15*time.Minute || c.Limits.SignedHeaders != 64 || c.RequireSigned == nil || len(c.RequireSigned) > 0 {
		t.Errorf("got %+v", c)
	}
	filled := core.Config{}.WithDefaults()
	if filled.Now == nil || filled.Logger != slog.Default() {
		t.Errorf("got the clock %p and the logger %v", filled.Now, filled.Logger)
	}
	filled.Now, filled.Logger = nil, nil
	want := core.Config{ClockSkew: 15 * time.Minute, MaxBody: 12 << 20, MaxBuffered: 256 << 20, BodyTimeout: 30 * time.Second, KeyTimeout: 5 * time.Second,
		LogLimit: 100, CredentialHeader: "Authorization", RequireSigned: []string{"host"},
		Limits: core.Limits{Target: 64 << 10, Authorization: 8192, SignedHeaders: 64, Headers: 256, QueryParameters: 1024, KeyLookups: 1024}}
	if !reflect.DeepEqual(filled, want) {
		t.Errorf("got  %+v\nwant %+v", filled, want)
	}
	if _, err := core.New(c); err != nil {
		t.Error(err)
	}
}

// TestModeTexts: each mode is written as it is read.
func TestModeTexts(t *testing.T) {
	for text, mode := range map[string]core.Mode{"enforce": core.Enforce, "report": core.Report, "off": core.Off} {
		if got, err := core.ParseMode(text); got != mode || err != nil || mode.String() != text {
			t.Errorf("%s: read as %v, %v, and %d is written as %v", text, got, err, mode, mode)
		}
	}
	for _, text := range []string{"", "Enforce", "off ", "Mode(3)", "warn"} {
		if got, err := core.ParseMode(text); got != core.Enforce || err == nil || !strings.Contains(err.Error(), strconv.Quote(text)) {
			t.Errorf("%q: read as %v, %v", text, got, err)
		}
	}
}
