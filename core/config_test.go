package core_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
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
		{"rewrite", func(c *core.Config) { c.Rewrite = core.Rewrite{AddPrefix: "v1/", Host: "a/b"} },
			[]string{"Rewrite.AddPrefix", "Rewrite.Host"}},
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
}

// TestConfigIsCopied: what the caller changes after New changes nothing.
func TestConfigIsCopied(t *testing.T) {
	c := config()
	c.APIs = []core.API{{Match: "/v1/", Key: "k1"}}
	c.RequireSigned = []string{"host"}
	v, err := core.New(c)
	if err != nil {
		t.Fatal(err)
	}
	c.APIs[0] = core.API{Match: "/", Open: true}
	c.RequireSigned[0], c.Schemes[0] = "x-none", nil
	if _, err := v.Verify(request(t, p1)); err != nil {
		t.Error(err)
	}
}

// TestRewriteMustBePlain: what cannot be a prefix or a host starts nothing.
func TestRewriteMustBePlain(t *testing.T) {
	for _, rewrite := range []core.Rewrite{{AddPrefix: "/v1/.."}, {AddPrefix: "/a\nb"}, {AddPrefix: "//a"}, {AddPrefix: "/a/./b"},
		{AddPrefix: "/"}, {Host: "a@b"}, {Host: "a,b"}, {Host: "a b"}} {
		if _, err := core.New(config(func(c *core.Config) { c.Rewrite = rewrite })); err == nil {
			t.Errorf("%+v was taken", rewrite)
		}
	}
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
	if required := (core.Config{}).WithDefaults().RequireSigned; !slices.Equal(required, []string{"host"}) {
		t.Errorf("got %v", required)
	}
	if _, err := core.New(c); err != nil {
		t.Error(err)
	}
}

// TestAPIBodyConfig: sizes that cannot be, and what an open API cannot have.
func TestAPIBodyConfig(t *testing.T) {
	for want, api := range map[string]core.API{
		"MaxBody: -1 is":                  {Match: "/a", Key: "k1", MaxBody: -1},
		"more than MaxBuffered":           {Match: "/a", Key: "k1", MaxBody: 1 << 40},
		"says how bodies are verified":    {Match: "/a", Open: true, Stream: true},
		"open, and says how bodies are v": {Match: "/a", Open: true, MaxBody: 1},
	} {
		c := config()
		c.APIs = []core.API{api}
		if _, err := core.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
