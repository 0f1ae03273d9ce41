package core_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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
			{"a token of the client's", func(h http.Header) { h.Set(header, bearer) }, core.CodeCredentialMalformed},
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

// TestCredentialHeaderConfig_T192 is that a header which cannot hold the credential is an
// error of the configuration.
func TestCredentialHeaderConfig_T192(t *testing.T) {
	for _, header := range []string{"", "Authorization", "authorization", "X-Backend-Sign", "x-apig-sign", "X-Auth"} {
		if _, err := core.New(testkit.Policy(func(c *core.Config) { c.CredentialHeader = header })); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
	for header, rule := range map[string]string{
		"X Backend": "is not the name of a header", "X-Bäckend": "is not the name of a header", "X-A:": "is not the name of a header",
		"X_Backend_Sign": "underscore", "Connection": "proxies", "te": "proxies", "Proxy-Authorization": "proxies", "Upgrade": "proxies",
		"Host": "proxies", "Date": "proxies", "X-Forwarded-For": "proxies", "Via": "proxies", "If-Match": "proxies", "Cookie": "proxies",
		"Content-Type": "what the request is", "Content-Length": "what the request is", "X-HTTP-Method-Override": "what the request is",
		"X-Sdk-Date": "protocol", "x-amz-anything": "protocol",
	} {
		_, err := core.New(testkit.Policy(func(c *core.Config) { c.CredentialHeader = header }))
		wrong, ok := errors.AsType[*core.ConfigError](err)
		if !ok || wrong.Field != "CredentialHeader" || !strings.Contains(wrong.Error(), rule) {
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
	_, err := core.New(testkit.Policy(func(c *core.Config) {
		c.CredentialHeader, c.Schemes = "X-Own-Sign", []core.Scheme{ownHeader{c.Schemes[0], "", "x-own-"}}
	}))
	if wrong, ok := errors.AsType[*core.ConfigError](err); !ok || wrong.Field != "CredentialHeader" {
		t.Errorf("a header of the scheme's protocol: got %v", err)
	}
}

// ownHeader is a scheme with a header for its credential, and a protocol.
type ownHeader struct {
	core.Scheme
	header, prefix string
}

func (s ownHeader) CredentialHeader() string { return s.header }
func (s ownHeader) HeaderPrefix() string     { return s.prefix }
func (s ownHeader) Keys() core.KeySource     { return core.Keys() }
