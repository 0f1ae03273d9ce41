package apig_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// presented returns a request to /v1/items that the key has signed, as a server receives it.
func presented(t *testing.T, s *apig.Signer, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest("GET", "/v1/items", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	testkit.Sign(s, r, "", instant)
	r.RequestURI = r.URL.RequestURI()
	return r
}

// TestErrorsOfSchemes: a request that a scheme is given outside of a verifier, as package
// explain does, is refused by a code, and what changed since it was parsed is noticed.
func TestErrorsOfSchemes(t *testing.T) {
	k := key(false)
	s := apig.New(apig.Config{Keys: core.Keys(k)})
	secrets := []core.Secret{k.Secret}
	parse := func(r *http.Request) (c core.Credential, err error) {
		err = s.Parse(r, &c)
		return c, err
	}
	for query, want := range map[string]core.Code{
		"X-Sdk-Algorithm=SDK-HMAC-SHA256&X-Sdk-Signature=%zz": core.CodeRequestAmbiguous,
		"X-Sdk-Algorithm=SDK-HMAC-SHA256&%zz=1":               core.CodeRequestAmbiguous,
		"X-Sdk-Algorithm=a&X-Sdk-Algorithm=a":                 core.CodeRequestAmbiguous,
		"X-Sdk-Algorithm=a&x-sdk-algorithm=a":                 core.CodeRequestAmbiguous,
		"X-Sdk-Algorithm=SDK-HMAC-SHA256":                     core.CodeCredentialMalformed,
	} {
		r := httptest.NewRequest("GET", "/v1/items", nil)
		r.RequestURI, r.URL.RawQuery = "/v1/items?"+query, query
		if _, err := parse(r); core.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %q", query, err, want)
		}
	}
	signer := apig.NewSigner(k, apig.SignOptions{Headers: []string{"x-role"}})
	for name, tt := range map[string]struct {
		change func(*http.Request)
		want   core.Code
	}{
		"nothing":    {func(*http.Request) {}, ""},
		"its header": {func(r *http.Request) { r.Header.Set("X-Role", "admin") }, core.CodeSignatureMismatch},
		"no header":  {func(r *http.Request) { r.Header.Del("X-Role") }, core.CodeHeaderNotSigned},
		"the path":   {func(r *http.Request) { r.RequestURI = "/v1/%zz" }, core.CodeSignatureMismatch},
	} {
		r := presented(t, signer, "X-Role: guest")
		c, err := parse(r)
		if err != nil {
			t.Fatal(err)
		}
		tt.change(r)
		_, err = s.Verify(r, &c, &k, secrets, testkit.NoBody)
		if core.CodeOf(err) != tt.want {
			t.Errorf("%s changed: got %v, want %q", name, err, tt.want)
		}
		_, text, err := s.(core.Canonicalizer).Canonical(r, &c, testkit.NoBody)
		if broken := tt.want == core.CodeHeaderNotSigned; (err != nil) != broken || err == nil && text == "" {
			t.Errorf("%s changed: got the string to sign %q, %v", name, text, err)
		}
	}
}

// TestProves: a signature proves the canonical request that was signed, and no other, with
// no other secret.
func TestProves(t *testing.T) {
	k := key(false)
	s := apig.New(apig.Config{Keys: core.Keys(k)})
	r := presented(t, apig.NewSigner(k, apig.SignOptions{}))
	var c core.Credential
	if err := s.Parse(r, &c); err != nil {
		t.Fatal(err)
	}
	text, _, err := s.(core.Canonicalizer).Canonical(r, &c, testkit.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	prover := s.(interface {
		Proves(string, *core.Credential, *core.Key, core.Secret) bool
	})
	for _, tt := range []struct {
		text   string
		secret core.Secret
		want   bool
	}{{text, k.Secret, true}, {text + "x", k.Secret, false}, {"", k.Secret, false}, {text, core.NewSecret("another-secret-0123456789"), false}} {
		if got := prover.Proves(tt.text, &c, &k, tt.secret); got != tt.want {
			t.Errorf("%q, the key's secret %v: got %v", tt.text, tt.secret == k.Secret, got)
		}
	}
}

// TestNoQueryForm: a scheme without a form in the query finds no credential there, also
// where its algorithm is named and everything else is right.
func TestNoQueryForm(t *testing.T) {
	for _, scheme := range schemes {
		if scheme.presigned {
			continue
		}
		k := key(scheme.scoped)
		c := config(scheme.scheme(apig.Config{Keys: core.Keys(k)}))
		c.AllowPresigned = true
		r := presented(t, apig.NewSigner(key(false), apig.SignOptions{Expires: time.Minute}))
		algorithm := scheme.scheme(apig.Config{}).Algorithms()[0]
		r.RequestURI = strings.Replace(r.RequestURI, apig.Algorithm, algorithm, 1)
		if got := verify(t, verifier(t, c), r); got != core.CodeCredentialMissing {
			t.Errorf("%s: got %q", scheme.name, got)
		}
	}
}

// TestHeadersBesideTheQuery: only the date may not stand in both; a header with the name of
// another parameter is a header like any other.
func TestHeadersBesideTheQuery(t *testing.T) {
	k := key(false)
	c := config(apig.New(apig.Config{Keys: core.Keys(k)}))
	c.AllowPresigned = true
	for header, want := range map[string]core.Code{
		"X-Sdk-Date": core.CodeRequestAmbiguous, "X-Sdk-Credential": core.CodeHeaderNotSigned, "X-Sdk-Expires": core.CodeHeaderNotSigned, "X-Other": "",
	} {
		r := presented(t, apig.NewSigner(k, apig.SignOptions{Expires: time.Minute}))
		r.Header.Set(header, today)
		if got := verify(t, verifier(t, c), r); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
}

// TestEmptySessionToken: a session token without a byte is none.
func TestEmptySessionToken(t *testing.T) {
	k := key(false)
	r := presented(t, apig.NewSigner(k, apig.SignOptions{Headers: []string{"x-security-token"}}), "X-Security-Token: ")
	if got := verify(t, verifier(t, config(apig.New(apig.Config{Keys: core.Keys(k)}))), r); got != "" {
		t.Errorf("got %q", got)
	}
}

// TestSignersFail: a signer that cannot sign says so, and leaves no credential.
func TestSignersFail(t *testing.T) {
	right, expires := apig.SignOptions{}, apig.SignOptions{Expires: time.Minute}
	for _, tt := range []struct {
		name    string
		id      string
		options apig.SignOptions
		change  func(*http.Request)
	}{
		{"no id", "", right, nil},
		{"an id with a blank at its end", keyID + " ", right, nil},
		{"an id with a tab at its end", keyID + "\t", right, nil},
		{"an id with a comma", "a,b", right, nil},
		{"an id that looks like a field", "a, Signature=b", right, nil},
		{"an id that looks like a list", "a, SignedHeaders=host", right, nil},
		{"a header that cannot be signed", keyID, apig.SignOptions{Headers: []string{"connection"}}, func(r *http.Request) { r.Header.Set("Connection", "close") }},
		{"a header that cannot be signed, in the query", keyID, apig.SignOptions{Headers: []string{"connection"}, Expires: time.Minute},
			func(r *http.Request) { r.Header.Set("Connection", "close") }},
		{"no host", keyID, right, func(r *http.Request) { r.Host, r.URL.Host = "", "" }},
		{"a method that has no path", keyID, right, func(r *http.Request) { r.Method = http.MethodConnect }},
		{"a method that is none", keyID, right, func(r *http.Request) { r.Method = "GET\n" }},
		{"a path with a dot segment", keyID, right, func(r *http.Request) { r.URL.Path = "/v1/../items" }},
		{"a path with a dot segment, in the query", keyID, expires, func(r *http.Request) { r.URL.Path = "/v1/../items" }},
		{"a query that is signed already", keyID, expires, func(r *http.Request) { r.URL.RawQuery = "X-Sdk-Signature=a" }},
		{"a query that cannot be decoded", keyID, expires, func(r *http.Request) { r.URL.RawQuery = "a=%zz" }},
	} {
		r, err := http.NewRequest("GET", "http://api.example.com/v1/items", nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.change != nil {
			tt.change(r)
		}
		query := r.URL.RawQuery
		err = apig.NewSigner(core.Key{ID: tt.id, Secret: core.NewSecret(keySecret)}, tt.options).Sign(r, testkit.NoBody, instant)
		if err == nil || r.Header.Get("Authorization") != "" || r.URL.RawQuery != query {
			t.Errorf("%s: got %v, %v, %s", tt.name, err, r.Header, r.URL.RawQuery)
		}
		if code := core.CodeOf(err); strings.Contains(tt.name, "segment") && code != core.CodeRequestAmbiguous {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// TestSignerOptionsAreCopied: what the caller changes after NewSigner changes nothing.
func TestSignerOptionsAreCopied(t *testing.T) {
	headers := []string{"x-role"}
	s := apig.NewSigner(key(false), apig.SignOptions{Headers: headers})
	headers[0] = "x-absent"
	if got := presented(t, s, "X-Role: guest").Header.Get("Authorization"); !strings.Contains(got, "SignedHeaders=host;x-role;x-sdk-date,") {
		t.Errorf("got %s", got)
	}
}
