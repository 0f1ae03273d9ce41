package core_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestProblemTexts: what is out of bounds is one problem, whose whole text is here.
func TestProblemTexts(t *testing.T) {
	const prefix = " is not a plain path such as /v1, without a slash at its end"
	rewrite := func(prefix, host string) func(*core.Config) {
		return func(c *core.Config) { c.Rewrite = core.Rewrite{AddPrefix: prefix, Host: host} }
	}
	exempt := func(method string) func(*core.Config) {
		return func(c *core.Config) {
			c.Replay = core.Replay{Store: &memory{}, ExemptMethods: []string{"GET", method}}
		}
	}
	only := func(schemes ...core.Scheme) func(*core.Config) {
		return func(c *core.Config) { c.Default, c.Schemes = "", schemes }
	}
	keys := func(change func(*core.Key)) func(*core.Config) {
		key := k1
		change(&key)
		return only(hmacScheme(key))
	}
	for want, change := range map[string]func(*core.Config){
		"Environment: empty":                                           func(c *core.Config) { c.Environment = "" },
		"Mode: Mode(3) is none of Enforce, Report, Off":                func(c *core.Config) { c.Mode = core.Off + 1 },
		"MaxBuffered: 1048576 bytes are fewer than MaxBody, 12582912":  func(c *core.Config) { c.MaxBuffered = 1 << 20 },
		"Limits.Target: 1048577 is not between 0 and 1048576":          func(c *core.Config) { c.Limits.Target = 1<<20 + 1 },
		"Limits.Authorization: 1048577 is not between 0 and 1048576":   func(c *core.Config) { c.Limits.Authorization = 1<<20 + 1 },
		"Limits.SignedHeaders: 65537 is not between 0 and 65536":       func(c *core.Config) { c.Limits.SignedHeaders = 1<<16 + 1 },
		"Limits.Headers: 1048577 is not between 0 and 1048576":         func(c *core.Config) { c.Limits.Headers = 1<<20 + 1 },
		"Limits.QueryParameters: 1048577 is not between 0 and 1048576": func(c *core.Config) { c.Limits.QueryParameters = 1<<20 + 1 },
		"Limits.KeyLookups: 1048577 is not between 0 and 1048576":      func(c *core.Config) { c.Limits.KeyLookups = 1<<20 + 1 },
		"Limits.KeyLookups: -1 is not between 0 and 1048576":           func(c *core.Config) { c.Limits.KeyLookups = -1 },
		`Rewrite.AddPrefix: "v1"` + prefix:                             rewrite("v1", ""),
		`Rewrite.AddPrefix: "/v1/"` + prefix:                           rewrite("/v1/", ""),
		`Rewrite.AddPrefix: "/v1?a"` + prefix:                          rewrite("/v1?a", ""),
		`Rewrite.Host: "/a" is not an authority`:                       rewrite("", "/a"),
		`Rewrite.Host: "a b" is not an authority`:                      rewrite("", "a b"),
		`Replay.ExemptMethods[1] "get": is not a method in upper case`: exempt("get"),
		`Replay.ExemptMethods[1] "A B": is not a method in upper case`: exempt("A B"),
		"Schemes: none, so nothing could be accepted":                  only(),
		"Schemes[1]: nil":                            func(c *core.Config) { c.Schemes = append(c.Schemes[:1], nil) },
		"Schemes[0]: nil as its source of keys":      only(apig.New(apig.Config{})),
		"Observers[0]: nil":                          func(c *core.Config) { c.Observers = []core.Observer{nil} },
		`scheme aes: key "k1": Vector: empty`:        only(aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k1", Key: core.NewSecret(strings.Repeat("k", 16))}}})),
		`scheme hmac: key "k1": SessionToken: blank`: keys(func(k *core.Key) { k.SessionToken = core.NewSecret(" ") }),
		`scheme hmac: key "k1": Secret: shorter than 8 characters, as no gateway issues them: use a longer one, or set AllowShortSecrets`: keys(func(k *core.Key) { k.Secret = core.NewSecret("1234567") }),
		`scheme hmac: key "k2": ID: the id "` + k1.ID + `" occurs twice in this environment`:                                              only(hmacScheme(k1, core.Key{Name: "k2", ID: k1.ID, Secret: k2.Secret})),
	} {
		_, err := core.New(config(change))
		if err == nil {
			t.Errorf("%s: no problem", want)
			continue
		}
		var texts []string
		for problem := range leaves(err) {
			texts = append(texts, problem.Error())
		}
		if !slices.Equal(texts, []string{want}) {
			t.Errorf("got %q, want %q", texts, want)
		}
	}
}

// TestReplayWithoutAStore: whatever is set of the replay check needs a store.
func TestReplayWithoutAStore(t *testing.T) {
	retries := core.Retries{Methods: []string{"PUT"}, Within: time.Second}
	for _, replay := range []core.Replay{{ExemptMethods: []string{"GET"}}, {AllowUnavailable: true}, {Retries: retries}} {
		_, err := core.New(config(func(c *core.Config) { c.Replay = replay }))
		if err == nil || !strings.HasSuffix(err.Error(), ": Replay: set, without a store") {
			t.Errorf("%+v: got %v", replay, err)
		}
	}
}

// TestLargestLimits: the limits may be as large as the problems say, and off needs no scheme.
func TestLargestLimits(t *testing.T) {
	testkit.New(t, config(func(c *core.Config) {
		c.Limits = core.Limits{Target: 1 << 20, Authorization: 1 << 20, SignedHeaders: 1 << 16, Headers: 1 << 20, QueryParameters: 1 << 20, KeyLookups: 1 << 20}
		c.Rewrite.AddPrefix = "/v1"
	}))
	testkit.New(t, config(func(c *core.Config) {
		c.Default, c.Schemes = "", []core.Scheme{hmacScheme(core.Key{Name: "k", ID: "id", Secret: core.NewSecret("12345678")})}
	}))
	v := testkit.New(t, core.Config{Environment: "OFF", Mode: core.Off})
	_, err := v.Verify(request(t, p1))
	if wantCode(t, err, core.CodeSchemeNotAccepted); !strings.HasSuffix(err.Error(), ": SDK-HMAC-SHA256 was sent; no scheme is configured") {
		t.Errorf("got %v", err)
	}
	w := httptest.NewRecorder()
	core.WriteProblem(w, nil, err)
	if got := w.Header().Get("WWW-Authenticate"); got != "" {
		t.Errorf("a challenge without an algorithm: %q", got)
	}
}

// TestListsAreCopied: what the caller changes after New in a list of schemes, observers,
// methods or previous secrets changes nothing.
func TestListsAreCopied(t *testing.T) {
	var seen testkit.Codes
	c := config()
	c.Schemes, c.Observers = slices.Clone(c.Schemes), []core.Observer{&seen}
	c.Replay = core.Replay{Store: &memory{}, ExemptMethods: []string{"GET"}}
	previous := []core.PreviousSecret{{Secret: k1.Secret}}
	rotated := core.Keys(core.Key{Name: "k1", ID: k1.ID, Secret: k2.Secret, Previous: previous})
	c.Schemes[0] = apig.New(apig.Config{Keys: rotated})
	v := testkit.New(t, c)
	previous[0] = core.PreviousSecret{}
	clear(c.Schemes)
	c.Observers[0] = core.ObserverFunc(func(context.Context, core.Event) { t.Error("an observer that was not there") })
	c.Replay.ExemptMethods[0] = "PUT"
	for range 2 {
		if _, err := v.Verify(request(t, p1)); err != nil {
			t.Error(err)
		}
	}
	if len(seen.Take()) != 2 {
		t.Error("the observer did not see two requests")
	}
}

// TestOpenIdentity: the identity of an open API tells the environment, and proves nothing.
func TestOpenIdentity(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.Mode, c.APIs = core.Report, []core.API{{Match: "/", Open: true}} })
	id, err := v.Verify(request(t, p1))
	if err != nil || id.Verified() || id.Environment() != config().Environment || id.Mode() != core.Report || id.Key() != "" || id.Scheme() != "" {
		t.Errorf("got %v, %v", id, err)
	}
}
