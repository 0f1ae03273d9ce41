package core_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestCredentialHeader_T192 is that the credential counts in the header that the policy
// names and in no other, for every scheme, and that Authorization then reaches the handler
// as the client sent it.
func TestCredentialHeader_T192(t *testing.T) {
	const header, bearer = "X-Backend-Sign", "Bearer of-the-client"
	for _, pair := range testkit.Pairs("x-tenant") {
		v := testkit.New(t, core.Config{Environment: "prod", Schemes: []core.Scheme{pair.Scheme}, Default: pair.Key.Name,
			Now: testkit.Now, CredentialHeader: "x-backend-sign", AllowUnsignedPayload: pair.Unsigned})
		seen := ""
		h := nethttp.Middleware(v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			seen = strings.Join(r.Header["Authorization"], "|")
		}))
		moved := func(change ...func(http.Header)) *http.Request {
			r := httptest.NewRequest("GET", "/orders/7?b=1&a=2", nil)
			r.Host = "api.example.com"
			r.Header.Set("X-Tenant", "blue")
			r.Header.Set("Authorization", bearer)
			r = testkit.Sign(signer.InHeader(pair.Signer, header), r, "", testkit.Now())
			for _, f := range change {
				f(r.Header)
			}
			return r
		}
		if strings.HasSuffix(pair.Name, "query") { // the only place is the header
			check(t, pair.Name, v, moved(), core.CodeSchemeNotAccepted)
			continue
		}
		seen = ""
		if w := testkit.Serve(h, moved()); w.Code != http.StatusOK || seen != bearer {
			t.Errorf("%s: got %d and Authorization %q, want 200 and %q", pair.Name, w.Code, seen, bearer)
		}
		underscores := func(h http.Header) { h["X_backend_sign"] = h[header]; delete(h, header) }
		for _, tt := range []struct {
			name   string
			change func(http.Header)
			want   core.Code
		}{
			{"two Authorization lines of the client", func(h http.Header) { h.Add("Authorization", "Basic eDp5") }, ""},
			{"no Authorization", func(h http.Header) { h.Del("Authorization") }, ""},
			{"the credential in Authorization", func(h http.Header) { h["Authorization"] = h[header]; h.Del(header) }, core.CodeCredentialMissing},
			{"the credential in Authorization as well", func(h http.Header) { h["Authorization"] = h[header] }, ""},
			{"a forged one there, the right one in Authorization", func(h http.Header) { h["Authorization"] = h[header]; h.Set(header, pair.Scheme.Algorithms()[0]+" x=y") }, core.CodeCredentialMalformed},
			{"twice", func(h http.Header) { h[header] = append(h[header], h[header][0]) }, core.CodeRequestAmbiguous},
			{"with underscores", underscores, core.CodeRequestAmbiguous},
			{"also with underscores", func(h http.Header) { h["X_backend_sign"] = h[header] }, core.CodeRequestAmbiguous},
			{"named by Connection", func(h http.Header) { h.Set("Connection", "x-backend-sign") }, core.CodeRequestAmbiguous},
			{"Authorization named by Connection", func(h http.Header) { h.Set("Connection", "authorization") }, ""},
			{"empty", func(h http.Header) { h.Set(header, "") }, core.CodeCredentialMalformed},
			{"a token of the client's", func(h http.Header) { h.Set(header, bearer) }, core.CodeSchemeNotAccepted},
			{"too long", func(h http.Header) { h.Set(header, h.Get(header)+strings.Repeat(" ", 8200)) }, core.CodeCredentialMalformed},
		} {
			check(t, pair.Name+", "+tt.name, v, moved(tt.change), tt.want)
		}
	}
}

// check demands the code of the verdict.
func check(t *testing.T, name string, v *core.Verifier, r *http.Request, want core.Code) {
	t.Helper()
	id, err := v.Verify(r)
	core.Release(r)
	if got := core.CodeOf(err); got != want || (id == nil) != (want != "") {
		t.Errorf("%s: got %v, want code %q", name, err, want)
	}
}

// TestCredentialHeaderIsNotSigned_T192 is that a list with the credential's header is
// refused, and one with the client's Authorization verifies.
func TestCredentialHeaderIsNotSigned_T192(t *testing.T) {
	for header, want := range map[string]core.Code{"": core.CodeHeaderNotSigned, "x-backend-sign": ""} {
		r := testkit.Received(t, testkit.P1)
		// A canonical request with these lines, signed by hand.
		r.Header.Set("Authorization", signedText("GET\n/v1/items/\n\nauthorization:Bearer x\nhost:api.example.com\nx-sdk-date:20260115T120000Z\n\nauthorization;host;x-sdk-date\n"+testkit.NoBody))
		if header != "" {
			r.Header[http.CanonicalHeaderKey(header)] = r.Header["Authorization"]
			r.Header.Set("Authorization", "Bearer x")
		}
		check(t, header, testkit.New(t, testkit.Policy(func(c *core.Config) { c.CredentialHeader = header })), r, want)
	}
}

// signedText is the credential of testkit.K1 for a canonical request.
func signedText(canonicalRequest string) string {
	list := strings.Split(canonicalRequest, "\n")
	digest := sha256.Sum256([]byte(canonicalRequest))
	mac := hmac.New(sha256.New, []byte(testkit.K1.Secret.Reveal()))
	fmt.Fprintf(mac, "SDK-HMAC-SHA256\n20260115T120000Z\n%x", digest)
	return fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%x", testkit.K1.ID, list[len(list)-2], mac.Sum(nil))
}

// TestCredentialHeaderIsNamed_T192 is that refusals name the header, but for a credential that is
// missing in Authorization, where everybody looks for it.
func TestCredentialHeaderIsNamed_T192(t *testing.T) {
	for header, missing := range map[string]string{
		"Authorization":  "no credential of an accepted scheme",
		"X-Backend-Sign": "no credential of an accepted scheme in the header X-Backend-Sign, where this environment expects it",
	} {
		v := testkit.New(t, testkit.Policy(func(c *core.Config) { c.CredentialHeader = header }))
		for value, want := range map[string]string{
			"":                        missing,
			"=":                       "the " + header + " header holds no credential",
			"Other a=b":               "the " + header + " header is of a scheme or form that is not accepted here",
			strings.Repeat("x", 8193): "the " + header + " header is too long",
		} {
			r := testkit.Received(t, testkit.P1)
			r.Header.Del("Authorization")
			if value != "" {
				r.Header.Set(header, value)
			}
			_, err := v.Verify(r)
			if refusal, ok := errors.AsType[*core.Error](err); !ok || refusal.Detail != want {
				t.Errorf("%s: %.20s: got %v, want %q", header, value, err, want)
			}
		}
	}
}

// TestCredentialHeaderConfig_T192 is that a header which cannot hold the credential is an
// error of the configuration.
func TestCredentialHeaderConfig_T192(t *testing.T) {
	for _, header := range []string{"", "Authorization", "authorization", "X-Backend-Sign", "x-apig-sign", "X-Auth"} {
		if _, err := core.New(testkit.Policy(func(c *core.Config) { c.CredentialHeader = header })); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
	for header, rule := range map[string]string{
		"X Backend": " is not the name of a header", "X-Bäckend": " is not the name of a header", "X-A:": " is not the name of a header",
		"X_Backend_Sign": " has an underscore, and proxies such as nginx drop headers with one", "Connection": " is a header that proxies set, replace or drop", "te": " is a header that proxies set, replace or drop", "Proxy-Authorization": " is a header that proxies set, replace or drop", "Upgrade": " is a header that proxies set, replace or drop",
		"Host": " is a header that proxies set, replace or drop", "Date": " is a header that proxies set, replace or drop", "X-Forwarded-For": " is a header that proxies set, replace or drop", "Via": " is a header that proxies set, replace or drop", "If-Match": " is a header that proxies set, replace or drop", "Cookie": " is a header that proxies set, replace or drop",
		"Content-Type": " says what the request is, so it cannot hold the credential", "Content-Length": " says what the request is, so it cannot hold the credential", "X-HTTP-Method-Override": " says what the request is, so it cannot hold the credential",
		"X-Sdk-Date": " belongs to the protocol of a scheme, whose headers must be signed", "x-amz-anything": " belongs to the protocol of a scheme, whose headers must be signed",
	} {
		_, err := core.New(testkit.Policy(func(c *core.Config) { c.CredentialHeader = header }))
		wrong, ok := errors.AsType[*core.ConfigError](err)
		if !ok || wrong.Field != "CredentialHeader" || wrong.Value != strconv.Quote(header) || !strings.HasPrefix(err.Error(), `gatewayauth: environment "prod": CredentialHeader `+strconv.Quote(header)+":"+rule) || strings.Count(err.Error(), "CredentialHeader") != 1 {
			t.Errorf("%s: got %v, want an error of CredentialHeader with %q", header, err, rule)
		}
	}
	for name, change := range map[string]func(*core.Config){
		"RequireSigned[0]":         func(c *core.Config) { c.RequireSigned = []string{"X-Backend-Sign"} },
		"RequireSignedWithBody[0]": func(c *core.Config) { c.RequireSignedWithBody = []string{"x-backend-sign"} },
		"AllowUnsigned[0]":         func(c *core.Config) { c.AllowUnsigned = []string{"x-backend-sign"} },
		"AllowPresigned":           func(c *core.Config) { c.AllowPresigned = true },
		"CredentialHeader": func(c *core.Config) {
			c.Schemes = append(c.Schemes, ownHeader{c.Schemes[0], "x-backend-sign", "x-mine-"})
		},
	} {
		_, err := core.New(testkit.Policy(func(c *core.Config) { c.CredentialHeader = "X-Backend-Sign" }, change))
		if wrong, ok := errors.AsType[*core.ConfigError](err); !ok || wrong.Field != name {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for want, own := range map[string]ownHeader{
		"X-Own-Sign\": belongs to the protocol of a scheme, whose headers must be signed": {testkit.HMAC(), "", "x-own-"},
		"X-Own-Sign\": is the header of the credentials of the scheme hmac":               {testkit.HMAC(), "x-own-sign", "x-other-"},
	} {
		_, err := core.New(testkit.Policy(func(c *core.Config) {
			c.CredentialHeader, c.Schemes, c.Default = "X-Own-Sign", []core.Scheme{own}, ""
		}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestOwnHeader_T192 is that a scheme whose credentials have no header of their own, or
// Authorization, has those of the policy. Beside a credential of another scheme it is
// ambiguous.
func TestOwnHeader_T192(t *testing.T) {
	for _, header := range []string{"", "authorization"} {
		v := testkit.New(t, testkit.Policy(func(c *core.Config) {
			c.Schemes = []core.Scheme{namesHeader{c.Schemes[0], header}, tokens{core.Keys()}}
		}))
		check(t, header, v, testkit.Received(t, testkit.P1), "")
		two := testkit.Received(t, testkit.P1)
		two.Header.Set("X-Token", "of another scheme")
		check(t, header+", two credentials", v, two, core.CodeRequestAmbiguous)
	}
}

// namesHeader is a scheme that names the header of its credential.
type namesHeader struct {
	core.Scheme
	header string
}

func (s namesHeader) CredentialHeader() string { return s.header }

// ownHeader is a scheme with a header for its credential, and a protocol.
type ownHeader struct {
	core.Scheme
	header, prefix string
}

func (s ownHeader) CredentialHeader() string { return s.header }
func (s ownHeader) HeaderPrefix() string     { return s.prefix }
func (s ownHeader) Keys() core.KeySource     { return core.Keys() }
