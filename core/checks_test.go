package core_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestChecks has, for each check, a request that it alone refuses.
func TestChecks(t *testing.T) {
	scoped := core.Key{Name: "scoped", ID: "SCOPED", Secret: core.NewSecret("a-scoped-secret-0123456789"), Region: "r1", Service: "s"}
	temporary := core.Key{Name: "temporary", ID: "TEMPORARY", Secret: core.NewSecret("a-temporary-secret-0123"), SessionToken: core.NewSecret("the-token")}
	withoutToken := temporary
	withoutToken.SessionToken = core.Secret{}
	elsewhere := scoped
	elsewhere.Region = "r2"
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var late atomic.Bool // the clock stands an hour later
	build := func(change func(*core.Config)) *core.Verifier {
		return verifier(t, func(c *core.Config) {
			c.Schemes = []core.Scheme{hmacScheme(k1, k2, temporary), apig.NewScoped(apig.Config{Keys: core.Keys(scoped)})}
			c.APIs = []core.API{{Match: "/scoped", Key: "scoped"}, {Match: "/temporary", Key: "temporary"}, {Match: "/open", Open: true}, {Match: "/other/", Key: "k2"}}
			c.MaxBody = 1000
			c.Now = func() time.Time {
				if late.Load() {
					return instant.Add(time.Hour)
				}
				return instant
			}
			if change != nil {
				change(c)
			}
		})
	}
	hosts := func(c *core.Config) { c.Hosts = []string{"other.example.com"} }
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	target := func(target string) func(*http.Request) { return func(r *http.Request) { r.RequestURI = target } }
	declared := apig.SignOptions{Payload: core.PayloadDeclared}

	var names []string
	for _, tt := range []struct {
		check  string
		want   core.Code
		config func(*core.Config)
		key    core.Key
		sign   func(core.Key, apig.SignOptions) *apig.Signer // NewSigner unless set
		option apig.SignOptions
		target string
		body   string
		before func(*http.Request) // it is signed
		after  func(*http.Request)
		route  []core.Route
		twice  bool
	}{
		{check: "target", want: core.CodeRequestAmbiguous, after: target("/v1/items?a;b")},
		{check: "binding", want: core.CodeRequestAmbiguous, target: "//other/x"},
		{check: "open API", want: core.CodeHeaderNotSigned, target: "/open", after: func(r *http.Request) {
			r.Header = http.Header{"X-Http-Method-Override": {"DELETE"}}
		}},
		{check: "headers", want: core.CodeRequestAmbiguous, after: header("X-Sdk-Other", "1", "2"), config: func(c *core.Config) { c.AllowUnsigned = []string{"x-sdk-other"} }},
		{check: "credential", want: core.CodeSchemeNotAccepted, option: apig.SignOptions{Expires: time.Minute}},
		{check: "signed headers", want: core.CodeCredentialMalformed},
		{check: "lookalikes", want: core.CodeRequestAmbiguous, before: header("X-Tenant", "blue"), option: apig.SignOptions{Headers: []string{"x-tenant"}}, after: header("X_tenant", "red")},
		{check: "announced size", want: core.CodeBodyTooLarge, body: strings.Repeat("x", 1001), option: apig.SignOptions{Payload: core.PayloadUnsigned}, config: func(c *core.Config) { c.AllowUnsignedPayload = true }},
		{check: "key", want: core.CodeKeyUnknown, key: core.Key{ID: "NOBODY", Secret: k1.Secret}},
		{check: "scope", want: core.CodeSignatureMismatch, target: "/scoped", key: elsewhere, sign: apig.NewScopedSigner},
		{check: "date", want: core.CodeSignatureExpired, after: func(*http.Request) { late.Store(true) }},
		{check: "coverage", want: core.CodeHeaderNotSigned, after: header("X-Sdk-Other", "1")},
		{check: "session token", want: core.CodeSignatureMismatch, target: "/temporary", key: withoutToken},
		{check: "payload", want: core.CodePayloadNotSigned, body: "x", option: apig.SignOptions{Payload: core.PayloadUnsigned}},
		{check: "signature", want: core.CodeSignatureMismatch, after: target("/changed")},
		{check: "key bound to the API", want: core.CodeKeyNotBound, target: "/other/"},
		{check: "host", want: core.CodeHostNotOurs, config: hosts},
		{check: "route", want: core.CodeRequestAmbiguous, route: []core.Route{{Segments: []string{"7/x"}}}},
		{check: "body", want: core.CodeBodyMismatch, option: declared, body: "one", after: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("two")) }},
		{check: "date after the body", want: core.CodeSignatureExpired, option: declared, body: "one", after: func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("on"), readerFunc(func(p []byte) (int, error) { late.Store(true); return copy(p, "e"), io.EOF })))
		}},
		{check: "replay", want: core.CodeReplayed, config: func(c *core.Config) { c.Replay.Store = store }, twice: true},
	} {
		names = append(names, tt.check)
		t.Run(tt.check, func(t *testing.T) {
			late.Store(false)
			if tt.key.ID == "" {
				tt.key = k1
			}
			if tt.sign == nil {
				tt.sign = apig.NewSigner
			}
			if tt.target == "" {
				tt.target = "/v1/items"
			}
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body)).WithContext(context.Background())
			r.RequestURI, r.Host = tt.target, "api.example.com"
			if tt.body == "" {
				r.Body = http.NoBody
			}
			if tt.before != nil {
				tt.before(r)
			}
			testkit.Sign(tt.sign(tt.key, tt.option), r, tt.body, instant)
			if tt.check == "signed headers" {
				replaceIn(r, "host;x-sdk-date", "host;host;x-sdk-date")
			}
			if tt.after != nil {
				tt.after(r)
			}
			v := build(tt.config)
			if tt.twice {
				first, err := v.Admit(nil, r, core.BodyForHandler, tt.route...)
				if err != nil {
					t.Fatalf("the first time: %v", err)
				}
				first.Release()
			}
			admission, err := v.Admit(nil, r, core.BodyForHandler, tt.route...)
			defer admission.Release()
			wantCode(t, err, tt.want)
		})
	}
	if !slices.Equal(names, core.CheckNames) {
		t.Errorf("there are requests for %q, and the checks are %q", names, core.CheckNames)
	}
}
