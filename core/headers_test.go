package core_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// tokens is a scheme whose credential is the value of a header of its own, which is the id
// of a key. It signs nothing.
type tokens struct{ keys core.KeySource }

func (tokens) Name() string             { return "tokens" }
func (tokens) Algorithms() []string     { return []string{"Token"} }
func (s tokens) Keys() core.KeySource   { return s.keys }
func (tokens) CredentialHeader() string { return "X-Token" }

func (tokens) Parse(r *http.Request, c *core.Credential) error {
	values := r.Header["X-Token"]
	if len(values) == 0 {
		return core.ErrNoCredential
	}
	c.Algorithm, c.KeyID, c.Payload = "Token", values[0], core.PayloadNone
	return nil
}

func (tokens) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return 0, nil
}

// TestCredentialsInTwoPlaces: where a request has more than one credential, or parts of
// one in a second place, none of them counts, whatever the schemes of the policy.
func TestCredentialsInTwoPlaces(t *testing.T) {
	scoped := core.Key{Name: "scoped", ID: "SCOPED", Secret: core.NewSecret("a-scoped-secret-0123456789"), Region: "r", Service: "s"}
	byToken := tokens{core.Keys(core.Key{Name: "token", ID: "t-1", Secret: core.NewSecret("a-secret-of-tokens-0123")})}
	policies := map[string][]core.Scheme{
		"all":        {hmacScheme(k1), sigv4.New(sigv4.Config{Keys: core.Keys(scoped)}), byToken},
		"header":     {hmacScheme(k1)},
		"own header": {byToken},
	}
	const ambiguous, missing, other = core.CodeRequestAmbiguous, core.CodeCredentialMissing, core.CodeSchemeNotAccepted
	for _, tt := range []struct {
		authorization, token bool
		query                string
		want                 map[string]core.Code
	}{
		{true, false, "", map[string]core.Code{"all": "", "header": "", "own header": other}},
		{false, true, "", map[string]core.Code{"all": core.CodeKeyNotBound, "header": missing, "own header": core.CodeKeyNotBound}},
		{true, true, "", map[string]core.Code{"all": ambiguous, "header": "", "own header": core.CodeKeyNotBound}},
		{false, false, "", map[string]core.Code{"all": missing, "header": missing, "own header": missing}},
		{true, false, "X-Sdk-Signature=a", map[string]core.Code{"all": ambiguous, "header": ambiguous, "own header": ambiguous}},
		{true, false, "X-Amz-Credential=a", map[string]core.Code{"all": ambiguous, "header": ambiguous, "own header": ambiguous}},
		{false, true, "X-Amz-Algorithm=a", map[string]core.Code{"all": ambiguous, "header": missing, "own header": ambiguous}},
		{false, false, "X-Amz-Algorithm=a", map[string]core.Code{"all": missing, "header": missing, "own header": missing}},
		{false, false, "X-Sdk-Algorithm=a", map[string]core.Code{"all": missing, "header": missing, "own header": missing}},
		{false, false, "X-Sdk-Algorithm=a&X-Amz-Algorithm=a", map[string]core.Code{"all": ambiguous, "header": ambiguous, "own header": ambiguous}},
		{false, true, "X-Sdk-Algorithm=a&X-Amz-Algorithm=a", map[string]core.Code{"all": ambiguous, "header": ambiguous, "own header": ambiguous}},
		{true, false, "X-Sdk-Kind=a&X-Amz-Kind=a", map[string]core.Code{"all": "", "header": "", "own header": other}},
	} {
		for name, schemes := range policies {
			v := verifier(t, func(c *core.Config) {
				c.Schemes, c.AllowPresigned = schemes, true
				if c.Default = "k1"; name == "own header" {
					c.Default = ""
				}
			})
			r := httptest.NewRequest("GET", strings.TrimSuffix("/v1/items?"+tt.query, "?"), nil)
			r.Host, r.Body = "api.example.com", http.NoBody
			if tt.authorization {
				query := r.URL.RawQuery
				if r.URL.RawQuery = ""; strings.Contains(query, "-Kind") {
					r.URL.RawQuery = query
				}
				r.RequestURI = r.URL.RequestURI()
				testkit.Sign(apig.NewSigner(k1, apig.SignOptions{}), r, "", instant)
				r.URL.RawQuery = query
				r.RequestURI = r.URL.RequestURI()
			}
			if tt.token {
				r.Header.Set("X-Token", "t-1")
			}
			if _, err := v.Verify(r); core.CodeOf(err) != tt.want[name] {
				t.Errorf("schemes %q, Authorization %v, X-Token %v, query %q: got %v, want %q", name, tt.authorization, tt.token, tt.query, err, tt.want[name])
			}
		}
	}
}

// TestTwoValuesOfOneCredential: two values of a scheme's own header are one credential, and the
// scheme says what they mean. Two values of Authorization mean nothing.
func TestTwoValuesOfOneCredential(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{hmacScheme(k1), tokens{core.Keys(core.Key{Name: "token", ID: "t-1", Secret: core.NewSecret("a-secret-of-tokens-0123")})}}
		c.Default = "token"
	})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["X-Token"] = []string{"t-1", "t-2"}
	wantVerdict(t, v, r, "")
	r = request(t, p1)
	r.Header["Authorization"] = append(r.Header["Authorization"], "Basic YTpi")
	wantVerdict(t, v, r, core.CodeRequestAmbiguous)
}

// TestLimitsOfHeaders: the limits are the largest numbers that are accepted.
func TestLimitsOfHeaders(t *testing.T) {
	r := request(t, p1)
	credential := len(r.Header.Get("Authorization"))
	for _, tt := range []struct {
		change       func(*core.Config)
		lines, names int
		want         core.Code
	}{
		{func(c *core.Config) { c.Limits.Authorization = credential }, 0, 0, ""},
		{func(c *core.Config) { c.Limits.Authorization = credential - 1 }, 0, 0, core.CodeCredentialMalformed},
		{func(c *core.Config) { c.Limits.Headers = 12 }, 10, 1, ""},
		{func(c *core.Config) { c.Limits.Headers = 12 }, 11, 1, core.CodeRequestAmbiguous},
		{func(c *core.Config) { c.Limits.Headers = 12 }, 5, 2, ""},
		{func(c *core.Config) { c.Limits.Headers = 12 }, 1, 11, core.CodeRequestAmbiguous},
		{func(c *core.Config) { c.Limits.Headers = 1 }, 0, 0, core.CodeRequestAmbiguous},
		{func(c *core.Config) { c.Limits.Target = len("/v1/items") }, 0, 0, ""},
		{func(c *core.Config) { c.Limits.Target = len("/v1/items") - 1 }, 0, 0, core.CodeRequestAmbiguous},
		{func(c *core.Config) { c.Limits.SignedHeaders = 2 }, 0, 0, ""},
		{func(c *core.Config) { c.Limits.SignedHeaders = 1 }, 0, 0, core.CodeCredentialMalformed},
	} {
		r := request(t, p1)
		for n := range tt.names {
			for range tt.lines {
				r.Header.Add(fmt.Sprintf("X-Line-%d", n), "a")
			}
		}
		_, err := verifier(t, tt.change).Verify(r)
		if core.CodeOf(err) != tt.want {
			t.Errorf("%d names with %d lines: got %v, want %q", tt.names, tt.lines, err, tt.want)
		}
	}
}

// TestLimitOfTargets: the limit of a target counts its path and its query.
func TestLimitOfTargets(t *testing.T) {
	for target, want := range map[string]core.Code{"/v1/items?abc=1": "", "/v1/items?abc=12": core.CodeRequestAmbiguous, "/v1?abc=12345678": core.CodeRequestAmbiguous} {
		v := verifier(t, func(c *core.Config) { c.Limits.Target = len("/v1/items") + len("abc=1") })
		wantVerdict(t, v, signed(t, k1, "GET", target, "", apig.SignOptions{}), want)
	}
}

// TestHostBesideHost: the host of a request stands in one place.
func TestHostBesideHost(t *testing.T) {
	for _, values := range [][]string{nil, {}, {"api.example.com"}, {""}, {"a", "b"}} {
		r := request(t, p1)
		want := core.Code("")
		if r.Header["Host"] = values; len(values) > 0 {
			want = core.CodeRequestAmbiguous
		}
		wantVerdict(t, verifier(t), r, want)
	}
}

// TestShortNames: headers with names of any length and spelling are let through, where they
// steer nothing.
func TestShortNames(t *testing.T) {
	for _, name := range []string{"X", "x", "Xy", "_", "-", "X_", "X-S", "X-A", "X-Sdk", "X-Amz", "X-Apig", "X-Http", "X_s", "Xss", "Y-Sdk-Foo", "Z-Amz-Foo"} {
		r := request(t, p1)
		r.Header[name] = []string{"a", "b"}
		if _, err := verifier(t).Verify(r); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestUnderscoreInFront_T030: a name that begins with an underscore looks like one that
// begins with a dash.
func TestUnderscoreInFront_T030(t *testing.T) {
	for _, tt := range []struct {
		signed, unsigned string
		want             core.Code
	}{
		{"-role", "_role", core.CodeRequestAmbiguous}, {"_role", "-role", core.CodeRequestAmbiguous},
		{"-role", "_roles", ""}, {"_role", "-roles", ""}, {"-role", "role", ""},
	} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{Headers: []string{tt.signed}}, tt.signed+": guest")
		r.Header[tt.unsigned] = []string{"admin"}
		if _, err := verifier(t).Verify(r); core.CodeOf(err) != tt.want {
			t.Errorf("%s signed, %s not: got %v, want %q", tt.signed, tt.unsigned, err, tt.want)
		}
	}
}

// TestListForms: a SignedHeaders list that no honest signer sends is refused before the key
// is looked for.
func TestListForms(t *testing.T) {
	const malformed = core.CodeCredentialMalformed
	v := verifier(t)
	_, err := v.Verify(func() *http.Request {
		r := request(t, p1)
		replaceIn(r, "SignedHeaders=host;x-sdk-date", "SignedHeaders=host")
		return r
	}())
	if err == nil || !strings.Contains(err.Error(), "the date header is not signed") {
		t.Errorf("the date is not signed: got %v", err)
	}
	for list, want := range map[string]core.Code{
		"host;x-sdk-date": "", "host;x-missing;x-sdk-date": core.CodeHeaderNotSigned, "connection;host;x-sdk-date": core.CodeHeaderNotSigned,
		"authorization;host;x-sdk-date": core.CodeHeaderNotSigned, "host": core.CodeHeaderNotSigned, "x-sdk-date": core.CodeHeaderNotSigned,
		"host;host;x-sdk-date": malformed, "x-sdk-date;host": malformed, "Host;x-sdk-date": malformed, "host;;x-sdk-date": malformed,
		";host;x-sdk-date": malformed, "host;x-sdk-date;": malformed, "a b;host;x-sdk-date": malformed, "h\u00f6st;x-sdk-date": malformed,
		"a:b;host;x-sdk-date": malformed, "host;x-sdk-date;x[": malformed, ";": malformed,
	} {
		r := request(t, p1)
		replaceIn(r, "SignedHeaders=host;x-sdk-date", "SignedHeaders="+list)
		if _, err := v.Verify(r); core.CodeOf(err) != want {
			t.Errorf("%q: got %v, want %q", list, err, want)
		}
	}
}

// namesList is a scheme that signs nothing, and says that it signs a list of headers.
type namesList struct{ tokens }

func (s namesList) Parse(r *http.Request, c *core.Credential) error {
	c.SignedHeaders = r.Header.Get("X-List")
	return s.tokens.Parse(r, c)
}

// TestListOfAnotherScheme: what is remembered of a list is the same for every scheme.
func TestListOfAnotherScheme(t *testing.T) {
	const list = "connection;host;x-sdk-date"
	other := namesList{tokens{core.Keys(core.Key{Name: "token", ID: "t-1", Secret: core.NewSecret("a-secret-of-tokens-0123")})}}
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{hmacScheme(k1), other}
		c.APIs = []core.API{{Match: "/token", Key: "token"}}
	})
	for range 2 {
		forged := request(t, p1)
		replaceIn(forged, "SignedHeaders=host;x-sdk-date", "SignedHeaders="+list)
		forged.Header.Set("Connection", "close")
		wantVerdict(t, v, forged, core.CodeHeaderNotSigned)
		r := httptest.NewRequest("GET", "/token", nil)
		r.Header.Set("X-Token", "t-1")
		r.Header.Set("X-List", list)
		wantVerdict(t, v, r, "")
	}
}

// TestUnsignedDigest: a digest of the body that is not signed is ignored, and the hash of
// the body is what counts.
func TestUnsignedDigest(t *testing.T) {
	for _, name := range []string{"X-Sdk-Content-Sha256", "X-Sdk-Content-Sm3", "X-Amz-Content-Sha256"} {
		for _, value := range []string{"UNSIGNED-PAYLOAD", noBody, ""} {
			for _, sent := range []string{"text", "TEXT"} {
				r := signed(t, k1, "POST", "/", "text", apig.SignOptions{})
				r.Header.Set(name, value)
				r.Body = http.MaxBytesReader(nil, httptest.NewRequest("POST", "/", strings.NewReader(sent)).Body, 10)
				want := core.Code("")
				if sent != "text" {
					want = core.CodeSignatureMismatch
				}
				wantVerdict(t, verifier(t), r, want)
			}
		}
	}
}

// TestConnectionOptions: Connection may name 64 headers, none of which steers the
// verification or is signed.
func TestConnectionOptions(t *testing.T) {
	options := func(n int) string { return strings.TrimSuffix(strings.Repeat("x-a,", n), ",") }
	for _, tt := range []struct {
		values []string
		want   core.Code
	}{
		{[]string{"keep-alive"}, ""}, {[]string{""}, ""}, {[]string{",,x-role,"}, ""},
		{[]string{options(64)}, ""}, {[]string{options(65)}, core.CodeRequestAmbiguous},
		{[]string{options(32), options(32)}, ""}, {[]string{options(32), options(33)}, core.CodeRequestAmbiguous},
		{[]string{"X-Sdk-Date"}, core.CodeRequestAmbiguous}, {[]string{"close, \tx_amz_foo "}, core.CodeRequestAmbiguous},
		{[]string{"close", "AUTHORIZATION"}, core.CodeRequestAmbiguous}, {[]string{"Host"}, core.CodeRequestAmbiguous},
	} {
		r := request(t, p1)
		r.Header["Connection"] = tt.values
		if _, err := verifier(t).Verify(r); core.CodeOf(err) != tt.want {
			t.Errorf("Connection: %q: got %v, want %q", tt.values, err, tt.want)
		}
	}
}

// TestMethodOverride: a header that changes the method is signed or refused, whatever the
// scheme, in every spelling.
func TestMethodOverride(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.APIs = []core.API{{Match: "/basic", Key: "user"}} })
	for _, name := range []string{"X-Http-Method-Override", "X-Method-Override", "X-Http-Method", "x-HTTP_method", "X_METHOD_OVERRIDE"} {
		unsigned := signed(t, k1, "GET", "/", "", apig.SignOptions{})
		unsigned.Header[name] = []string{"DELETE"}
		wantVerdict(t, v, unsigned, core.CodeHeaderNotSigned)
		if !strings.Contains(name, "_") {
			wantVerdict(t, v, signed(t, k1, "GET", "/", "", apig.SignOptions{Headers: []string{name}}, name+": DELETE"), "")
		}
		password := httptest.NewRequest("GET", "/basic", nil)
		password.SetBasicAuth(user.ID, user.Secret.Reveal())
		wantVerdict(t, v, password, "")
		password.Header[name] = []string{"DELETE"}
		wantVerdict(t, v, password, core.CodeHeaderNotSigned)
	}
	for _, name := range []string{"X-Http-Methods", "X-Methods-Override", "X-Nethod-Override"} {
		r := request(t, p1)
		r.Header[name] = []string{"DELETE"}
		wantVerdict(t, v, r, "")
	}
}

// TestRequiredOfSignatures: what must be signed need not be where nothing is signed.
func TestRequiredOfSignatures(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.RequireSigned, c.Default = []string{"host", "x-role"}, "user" })
	for _, name := range []string{"X-Role", "X_Role"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user.ID, user.Secret.Reveal())
		r.Header[name] = []string{"guest"}
		wantVerdict(t, v, r, "")
	}
}
