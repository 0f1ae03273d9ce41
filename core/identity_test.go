package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestNothingVerifiesByItself_T170: zero values refuse.
func TestNothingVerifiesByItself_T170(t *testing.T) {
	for name, v := range map[string]*core.Verifier{"zero": {}, "nil": nil} {
		if id, err := v.Verify(request(t, p1)); id != nil || core.CodeOf(err) != core.CodeUnavailable {
			t.Errorf("%s: Verify gave %v, %v", name, id, err)
		}
		if admission, err := v.Admit(nil, request(t, p1), core.BodyForHandler); admission.Request != nil || core.CodeOf(err) != core.CodeUnavailable {
			t.Errorf("%s: Admit gave %v, %v", name, admission.Request, err)
		}
		if s := v.Status(); s.Environment != "" || len(s.Keys) > 0 || v.ReplayStore() != nil {
			t.Errorf("%s: got status %+v", name, s)
		}
	}
	if v, err := core.New(core.Config{}); err == nil || v != nil {
		t.Error("New of nothing gave a Verifier")
	}
	var forged core.Identity
	//lint:ignore SA9005 that nothing is read is what this shows
	if err := json.Unmarshal([]byte(`{"verified":true,"key":"k1","Verified":true}`), &forged); err == nil && forged.Verified() {
		t.Error("an identity was read from JSON")
	}
	for _, id := range []*core.Identity{nil, {}, &forged} {
		if got, ok := core.FromContext(core.NewContext(t.Context(), id)); ok || got != nil {
			t.Errorf("FromContext gave %v for an identity that nobody verified", got)
		}
	}
	if _, ok := core.FromContext(context.Background()); ok {
		t.Error("FromContext gave an identity for an empty context")
	}
}

func TestIdentity(t *testing.T) {
	id, err := verifier(t).Verify(request(t, p1))
	if err != nil {
		t.Fatal(err)
	}
	if id.Environment() != "prod" || id.Scheme() != "hmac" || id.Algorithm() != "SDK-HMAC-SHA256" || id.Key() != "k1" ||
		id.KeyID() != k1.ID || id.Secret() != 0 || !id.SignedAt().Equal(instant) || id.Payload() != core.PayloadHashed {
		t.Errorf("got %+v", id)
	}
	var none *core.Identity
	if got := fmt.Sprintf("%v %s %v", id, &core.Identity{}, none); got != "k1 (hmac, prod) not verified not verified" {
		t.Errorf("printed as %s", got)
	}
	if got := id.LogValue().String(); got != "[environment=prod scheme=hmac key=k1]" || none.LogValue().Kind() != slog.KindAny {
		t.Errorf("logged as %s, and nil as %v", got, none.LogValue())
	}
	if zero := new(core.Identity); zero.Environment()+zero.Scheme()+zero.Algorithm() != "" || zero.Mode() != core.Enforce {
		t.Errorf("the zero identity is %+v", zero)
	}
	id.SignedHeaders()[0] = "changed"
	c := id.Covers()
	c.Headers[0] = "changed"
	if want := []string{"host", "x-sdk-date"}; !slices.Equal(id.SignedHeaders(), want) || !slices.Equal(id.Covers().Headers, want) {
		t.Error("an identity can be changed")
	}
	if !c.Target || !c.Host || !c.Body {
		t.Errorf("covers %+v", c)
	}
	out, err := json.Marshal(id)
	want := `{"verified":true,"environment":"prod","scheme":"hmac","algorithm":"SDK-HMAC-SHA256","key":"k1","covers":{"target":true,"host":true,"body":true,"headers":["host","x-sdk-date"]},"replay_checked":false}`
	if err != nil || string(out) != want {
		t.Errorf("got %s, %v", out, err)
	}
	r := httptest.NewRequest("GET", "/x", nil)
	r.SetBasicAuth(user.ID, user.Secret.Reveal())
	id, err = verifier(t, func(c *core.Config) { c.Default = "user" }).Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	if c := id.Covers(); c.Target || c.Host || c.Body || len(c.Headers) != 0 || id.Payload() != core.PayloadNone {
		t.Errorf("Basic covers %+v", c)
	}
}

// TestInnerVerdictCounts: what an inner verifier did not verify has no
// identity, though an outer one gave it one.
func TestInnerVerdictCounts(t *testing.T) {
	outer := admit(t, verifier(t), request(t, p1), core.BodyForHandler).Request
	for name, change := range map[string]func(*core.Config){
		"report": func(c *core.Config) { c.Mode, c.Schemes, c.Default = core.Report, []core.Scheme{hmacScheme(k2)}, "k2" },
		"open":   func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/", Open: true}} },
	} {
		admitted := admit(t, verifier(t, change), outer, core.BodyForHandler).Request
		if id, ok := core.FromContext(admitted.Context()); ok {
			t.Errorf("%s: the handler sees %v", name, id)
		}
	}
}

// TestSigns: a name counts where it stands in the list as a whole, in lower case.
func TestSigns(t *testing.T) {
	for list, names := range map[string][]string{
		"":                          nil,
		"host":                      {"host"},
		"host;x-sdk-date":           {"host", "x-sdk-date"},
		"x-host;hosts;x-hosts;host": {"host", "hosts", "x-host", "x-hosts"},
		"x-host;hosts;date":         {"hosts", "x-host", "date"},
		";date":                     {"date"},
		"a;;date;":                  {"a", "date"},
	} {
		for _, name := range []string{"", "a", "host", "hosts", "x-host", "x-hosts", "ost", "hos", "x-sdk-date", "date", "sdk-date", "Host", "HOST", "host;x-sdk-date", ";", "x-h0st"} {
			c := core.Credential{SignedHeaders: list}
			if got, want := c.Signs(name), slices.Contains(names, name); got != want {
				t.Errorf("%q in %q: got %t", name, list, got)
			}
		}
	}
}

// TestTexts: what logs may show of a credential, and what is said of a payload and of a form.
func TestTexts(t *testing.T) {
	c := core.Credential{Algorithm: "SDK-HMAC-SHA256", KeyID: "id", Signature: "signature"}
	form := &core.OtherForm{Sent: "SDK-HMAC-SHA256 with a scope", Accepted: "SDK-HMAC-SHA256 without a scope"}
	got := fmt.Sprintln(c, &c, core.PayloadNone, core.PayloadHashed, core.PayloadDeclared, core.PayloadUnsigned, form)
	want := "credential(SDK-HMAC-SHA256) credential(SDK-HMAC-SHA256) none hashed declared unsigned no credential of this scheme: SDK-HMAC-SHA256 with a scope\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	text, err := json.Marshal(c)
	if err != nil || string(text) != `"credential(SDK-HMAC-SHA256)"` {
		t.Errorf("got %s, %v", text, err)
	}
	if !errors.Is(form, core.ErrNoCredential) {
		t.Error("another form is no ErrNoCredential")
	}
}

// attributed is a scheme that learns something about the sender.
type attributed struct{ core.Scheme }

func (s attributed) Verify(r *http.Request, c *core.Credential, key *core.Key, secrets []core.Secret, payload string) (int, error) {
	c.Attributes = map[string][]string{"roles": {"reader"}}
	return s.Scheme.Verify(r, c, key, secrets, payload)
}

// TestAttributesAreCopied: who changes an attribute changes no identity.
func TestAttributesAreCopied(t *testing.T) {
	id, err := verifier(t, func(c *core.Config) { c.Schemes[0] = attributed{c.Schemes[0]} }).Verify(request(t, p1))
	if err != nil {
		t.Fatal(err)
	}
	id.Attribute("roles")[0] = "admin"
	if got := id.Attribute("roles"); !slices.Equal(got, []string{"reader"}) || id.Attribute("user") != nil {
		t.Errorf("got %q", got)
	}
}
