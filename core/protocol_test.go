package core_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// A family is a scheme with a signer, and the prefix of its headers; "" where it
// signs none.
type family struct {
	testkit.Pair
	prefix string
}

func families() (all []family) {
	for _, pair := range testkit.Pairs() {
		prefix := "X-Sdk-"
		if strings.HasPrefix(pair.Name, "sigv4") {
			prefix = "X-Amz-"
		} else if pair.Name == "basic" {
			prefix = ""
		}
		all = append(all, family{pair, prefix})
	}
	undescribed := all[0].Pair
	undescribed.Name, undescribed.Scheme = "hmac, of which nothing else is known", struct{ core.Scheme }{undescribed.Scheme}
	return append(all, family{undescribed, "X-"})
}

// of returns a verifier for the scheme alone.
func (f family) of(t *testing.T, change ...func(*core.Config)) *core.Verifier {
	return verifier(t, append([]func(*core.Config){func(c *core.Config) {
		c.Schemes, c.Default = []core.Scheme{f.Scheme}, f.Key.Name
		c.AllowPresigned, c.AllowUnsignedPayload = true, true
	}}, change...)...)
}

// signed returns a request that the family's signer has signed.
func (f family) signed() *http.Request {
	r := httptest.NewRequest("GET", "/v1/items?a=1", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	return testkit.Sign(f.Signer, r, "", instant)
}

// TestForeignHeaders_T179: what a CDN or another vendor's client adds behind the
// signer is refused where it belongs to the protocol of the credential, and nowhere
// else.
func TestForeignHeaders_T179(t *testing.T) {
	for _, f := range families() {
		v := f.of(t)
		allowing := f.of(t, func(c *core.Config) { c.AllowUnsigned = []string{"x-amz-cf-id", "X-Sdk-Nonce"} })
		for _, line := range []string{
			"X-Amz-Cf-Id: a", "X-Amz-Foo: 1", "X-Amz-Cf-Id-2: 1", "X-Amzn-Trace-Id: Root=1", "X-Amzn-Lattice-Identity: a",
			"X-Sdk-Nonce: 1", "X-Sdk-Foo: 1", "X-Sdkman: 1",
		} {
			name, value, _ := strings.Cut(line, ": ")
			want := core.Code("")
			if f.prefix != "" && strings.HasPrefix(name, f.prefix) && (f.prefix != "X-" || strings.HasPrefix(name, "X-Amz-") || strings.HasPrefix(name, "X-Sdk-")) {
				want = core.CodeHeaderNotSigned
			}
			check := func(v *core.Verifier, what string, want core.Code) {
				t.Helper()
				for range 2 { // the second time is of a signer that is remembered
					r := f.signed()
					r.Header.Set(name, value)
					if _, err := v.Verify(r); core.CodeOf(err) != want {
						t.Errorf("%s, %s%s: got %v, want %q", f.Name, line, what, err, want)
					}
				}
			}
			check(v, "", want)
			if name == "X-Amz-Cf-Id" || name == "X-Sdk-Nonce" {
				want = ""
			}
			check(allowing, ", two names allowed", want)
		}
	}
}

// TestForeignHeaderForms_T179: whatever the scheme, the headers of every protocol
// occur once, with dashes, and are not for Connection to take away.
func TestForeignHeaderForms_T179(t *testing.T) {
	for _, f := range families() {
		v := f.of(t, func(c *core.Config) { c.AllowUnsigned = []string{"x-amz-cf-id", "x-sdk-nonce"} })
		for _, name := range []string{"X-Amz-Cf-Id", "X-Sdk-Nonce"} {
			for what, h := range map[string]http.Header{
				"twice":            {name: {"1", "2"}},
				"with underscores": {strings.ReplaceAll(name, "-", "_"): {"1"}},
				"in Connection":    {"Connection": {name}, name: {"1"}},
			} {
				r := f.signed()
				for name, values := range h {
					r.Header[name] = values
				}
				if _, err := v.Verify(r); core.CodeOf(err) != core.CodeRequestAmbiguous {
					t.Errorf("%s, %s %s: got %v, want request_ambiguous", f.Name, name, what, err)
				}
			}
		}
	}
}

// TestHeadersThatSteer_T179: what steers the verification cannot be left unsigned.
func TestHeadersThatSteer_T179(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"x-amz-cf-id", ""}, {"X-Amz-Cf-Id", ""}, {"expires", ""}, {"signature", ""}, {"content-sha256", ""}, {"x-amz-x-sdk-date", ""}, {"x-sdk-nonce", ""}, {"x-amzn-trace-id", ""}, {"x-amz-meta-date", ""},
		{"x-amz-date", "when"}, {"x-sdk-date", "when"}, {"date", "when"}, {"X-Amz-Date", "when"},
		{"x-amz-content-sha256", "body"}, {"x-sdk-content-sha256", "body"}, {"x-sdk-content-sm3", "body"},
		{"x-amz-security-token", "session token"}, {"x-security-token", "session token"}, {"x-auth-token", "credential"},
		{"x-amz-region-set", "regions"}, {"x-amz-algorithm", "credential"}, {"x-sdk-credential", "credential"},
		{"x-amz-signature", "credential"}, {"x-amz-signedheaders", "credential"}, {"x-amz-expires", "how long"},
		{"authorization", "credential"}, {"host", "RequireSigned"}, {"x-http-method-override", "method"}, {"x-http-method", "method"},
		{"x-role", "RequireSigned"}, {"connection", "not the name"}, {"", "not the name"}, {"x amz", "not the name"},
		{"x-amz-*", "exact"}, {"*", "exact"}, {"x-amz-", "exact"}, {"x_amz_cf_id", "exact"},
	} {
		_, err := core.New(config(func(c *core.Config) {
			c.RequireSigned, c.AllowUnsigned = []string{"host", "x-role"}, []string{tt.name}
		}))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) ||
			!strings.Contains(err.Error(), `AllowUnsigned[0] "`+strings.ToLower(tt.name)+`": `)) {
			t.Errorf("%q: got error %v, want one that says %q", tt.name, err, tt.want)
		}
	}
}

// acme is a scheme of somebody else's, with headers of its own.
type acme struct {
	core.Scheme
	prefix string
}

func (s acme) HeaderPrefix() string { return s.prefix }

// TestOwnHeaders_T179: a scheme that nobody here knows says which headers are its
// own.
func TestOwnHeaders_T179(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{acme{hmacScheme(k1), "x-acme-"}}
		c.AllowUnsigned = []string{"x-acme-edge"}
	})
	for line, want := range map[string]core.Code{
		"X-Acme-Role: a": core.CodeHeaderNotSigned, "X-Acme-Edge: a": "", "X-Acmes: a": "", "X-Amz-Foo: 1": "", "X-Sdk-Foo: 1": "",
		"X_acme_role: a": core.CodeRequestAmbiguous, "Connection: X-Acme-Role": core.CodeRequestAmbiguous,
	} {
		for range 2 {
			r := request(t, strings.Replace(p1, "\r\n\r\n", "\r\n"+line+"\r\n\r\n", 1))
			if _, err := v.Verify(r); core.CodeOf(err) != want {
				t.Errorf("%s: got %v, want %q", line, err, want)
			}
		}
	}
	for _, prefix := range []string{"", "x-acme", "X-Acme-", "x acme-"} {
		if _, err := core.New(config(func(c *core.Config) { c.Schemes[0] = acme{hmacScheme(k1), prefix} })); err == nil || !strings.Contains(err.Error(), "HeaderPrefix") {
			t.Errorf("prefix %q: got error %v, want one about HeaderPrefix", prefix, err)
		}
	}
	for name, prefix := range map[string]string{"x-acme-date": "x-acme-", "x-sdk-own-date": "x-sdk-own-"} {
		_, err := core.New(config(func(c *core.Config) {
			c.Schemes[0], c.AllowUnsigned = acme{hmacScheme(k1), prefix}, []string{name}
		}))
		if err == nil || !strings.Contains(err.Error(), `"`+name+`": says when`) {
			t.Errorf("%s: got error %v, want one about the date", name, err)
		}
	}
	for header, want := range map[string]string{"X-Acme-": "a protocol header (x-acme-*) is present and not signed", "X-Acme": ""} {
		r := request(t, p1)
		r.Header[header] = []string{"a"}
		if _, err := v.Verify(r); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", header, err, want)
		}
	}
}
