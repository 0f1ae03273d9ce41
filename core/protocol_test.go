package core_test

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A family is a scheme, a signer for it, and the prefix of its headers; "" where it
// signs none.
type family struct {
	name   string
	scheme core.Scheme
	signer signer.Signer
	prefix string
}

func families() []family {
	key := core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret, Region: "cn-north-4", Service: "apig"}
	flat, scoped := core.Keys(core.Key{Name: "k1", ID: k1.ID, Secret: k1.Secret}), core.Keys(key)
	aes := aescfb.Key{Name: "k1", Algorithm: "aes-128-cfb", Key: core.NewSecret("0123456789abcdef"), Vector: core.NewSecret("fedcba9876543210")}
	return []family{
		{"hmac", apig.New(apig.Config{Keys: flat}), apig.NewSigner(key, apig.SignOptions{}), "X-Sdk-"},
		{"hmac in the query", apig.New(apig.Config{Keys: flat}), apig.NewSigner(key, apig.SignOptions{Expires: time.Minute}), "X-Sdk-"},
		{"aksk", apig.NewScoped(apig.Config{Keys: scoped}), apig.NewScopedSigner(key, apig.SignOptions{}), "X-Sdk-"},
		{"v11", apig.NewV11(apig.Config{Keys: scoped}), apig.NewV11Signer(key, apig.SignOptions{}), "X-Sdk-"},
		{"ecdsa-p256", apig.NewECDSA(apig.Config{Keys: flat}), apig.NewECDSASigner(key, apig.SignOptions{}), "X-Sdk-"},
		{"hmac-sm3", sm.New(sm.Config{Keys: flat}), sm.NewSigner(key, apig.SignOptions{}), "X-Sdk-"},
		{"sm2", sm.NewSM2(sm.Config{Keys: flat}), sm.NewSM2Signer(key, apig.SignOptions{}), "X-Sdk-"},
		{"aes", aescfb.New(aescfb.Config{Keys: []aescfb.Key{aes}}), aescfb.NewSigner(aes, aescfb.SignOptions{}), "X-Sdk-"},
		{"sigv4", sigv4.New(sigv4.Config{Keys: scoped}), sigv4.NewSigner(key, sigv4.SignOptions{}), "X-Amz-"},
		{"sigv4 in the query", sigv4.New(sigv4.Config{Keys: scoped}), presigner{sigv4.NewSigner(key, sigv4.SignOptions{})}, "X-Amz-"},
		{"sigv4a", sigv4.NewA(sigv4.ConfigA{Keys: scoped}), sigv4.NewSignerA(key, sigv4.SignOptions{}), "X-Amz-"},
		{"basic", basic.New(basic.Config{Keys: flat}), basic.NewSigner(key), ""},
		{"hmac, of which nothing else is known", struct{ core.Scheme }{apig.New(apig.Config{Keys: flat})}, apig.NewSigner(key, apig.SignOptions{}), "X-"},
	}
}

// presigner signs in the query.
type presigner struct{ *sigv4.Signer }

func (s presigner) Sign(r *http.Request, digest string, at time.Time) error {
	return s.Presign(r, digest, at, time.Minute)
}

// of returns a verifier for the scheme alone.
func (f family) of(t *testing.T, change ...func(*core.Config)) *core.Verifier {
	return verifier(t, append([]func(*core.Config){func(c *core.Config) {
		c.Schemes, c.AllowPresigned = []core.Scheme{f.scheme}, true
	}}, change...)...)
}

// signed returns a request that the family's signer has signed.
func (f family) signed(t *testing.T) *http.Request {
	t.Helper()
	r := httptest.NewRequest("GET", "/v1/items?a=1", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	digest := ""
	if h := f.signer.NewHash(); h != nil {
		digest = hex.EncodeToString(h.Sum(nil))
	}
	if err := f.signer.Sign(r, digest, instant); err != nil {
		t.Fatal(err)
	}
	r.RequestURI = r.URL.RequestURI()
	return r
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
					r := f.signed(t)
					r.Header.Set(name, value)
					if _, err := v.Verify(r); core.CodeOf(err) != want {
						t.Errorf("%s, %s%s: got %v, want %q", f.name, line, what, err, want)
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
				r := f.signed(t)
				for name, values := range h {
					r.Header[name] = values
				}
				if _, err := v.Verify(r); core.CodeOf(err) != core.CodeRequestAmbiguous {
					t.Errorf("%s, %s %s: got %v, want request_ambiguous", f.name, name, what, err)
				}
			}
		}
	}
}

// TestHeadersThatSteer_T179: what steers the verification cannot be left unsigned.
func TestHeadersThatSteer_T179(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"x-amz-cf-id", ""}, {"X-Amz-Cf-Id", ""}, {"x-sdk-nonce", ""}, {"x-amzn-trace-id", ""}, {"x-amz-meta-date", ""},
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
	_, err := core.New(config(func(c *core.Config) {
		c.Schemes[0], c.AllowUnsigned = acme{hmacScheme(k1), "x-acme-"}, []string{"x-acme-date"}
	}))
	if err == nil || !strings.Contains(err.Error(), `"x-acme-date": says when`) {
		t.Errorf("got error %v, want one about the date", err)
	}
}
