package core_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestCredentialErrors_T237: the error says which part of a credential is missing or wrong,
// and which schemes are accepted. Words that may be secrets are not repeated.
func TestCredentialErrors_T237(t *testing.T) {
	scoped := core.Key{Name: "aws", ID: "AKIDEXAMPLE", Secret: core.NewSecret("wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"), Region: "eu-de", Service: "orders"}
	v := verifier(t, func(c *core.Config) {
		c.ExposeReason = true
		c.Schemes = append(c.Schemes, sigv4.New(sigv4.Config{Keys: core.Keys(scoped)}))
	})
	access, list, signature := "Access="+k1.ID, "SignedHeaders=host;x-sdk-date", "Signature="+strings.Repeat("0", 64)
	const date = "X-Sdk-Date: 20260115T120000Z\r\n"
	for _, tt := range []struct{ name, headers, want string }{
		{"no Access", date + "Authorization: SDK-HMAC-SHA256 " + list + ", " + signature, "credential_malformed: Access or Credential is absent"},
		{"no SignedHeaders", date + "Authorization: SDK-HMAC-SHA256 " + access + ", " + signature, "credential_malformed: SignedHeaders is absent"},
		{"no Signature", date + "Authorization: SDK-HMAC-SHA256 " + access + ", " + list, "credential_malformed: Signature is absent"},
		{"no date", "Authorization: SDK-HMAC-SHA256 " + access + ", " + list + ", " + signature, "credential_malformed: x-sdk-date is absent: the sender or a proxy has left it out"},
		{"another date", "X-Sdk-Date: 2026-01-15\r\nAuthorization: SDK-HMAC-SHA256 " + access + ", " + list + ", " + signature, "credential_malformed: x-sdk-date is not of the form 20260115T120000Z"},
		{"a scope", "X-Amz-Date: 20260115T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/eu-de, SignedHeaders=host;x-amz-date, " + signature,
			"credential_malformed: Credential is not of the form ID/20260115/REGION/SERVICE/aws4_request (SigV4a: without REGION)"},
		{"another algorithm", date + "Authorization: SDK-HMAC-SM3 " + access + ", " + list + ", " + signature,
			"SDK-HMAC-SM3 was sent; accepted are AWS4-HMAC-SHA256, Basic, SDK-HMAC-SHA256"},
		{"a word that may be a secret", "Authorization: SECRETPW1 a=b", "another scheme was sent; accepted are AWS4-HMAC-SHA256, Basic, SDK-HMAC-SHA256"},
		{"a long word", "Authorization: SDK-" + strings.Repeat("A", 40) + " a=b", "another scheme was sent; accepted are AWS4-HMAC-SHA256, Basic, SDK-HMAC-SHA256"},
		{"two places", date + "Authorization: SDK-HMAC-SHA256 " + access, ""},
	} {
		r := request(t, "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\n"+tt.headers+"\r\n\r\n")
		if tt.want == "" {
			r.RequestURI += "?X-Sdk-Signature=1"
			tt.want = "request_ambiguous: credentials in a header and in the query: the sender must send one of them"
		}
		_, err := v.Verify(r)
		if err == nil || !strings.HasSuffix(err.Error(), tt.want) || strings.Contains(err.Error(), "SECRETPW1") {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if reason := core.ProblemOf(err).Reason; strings.Contains(reason, "accepted are") {
			t.Errorf("%s: the answer says %s", tt.name, reason)
		}
	}
	r := testkit.Received(t, p1)
	r.Host = ""
	if _, err := v.Verify(r); err == nil || !strings.HasSuffix(err.Error(), "the request has no Host, an invalid one, or two") {
		t.Errorf("no host: got %v", err)
	}
}

// TestOtherForm_T287: where a credential has the algorithm of an accepted scheme in the form of
// another one, the error names both forms with their types, whichever scheme it is.
func TestOtherForm_T287(t *testing.T) {
	flat := core.Key{Name: "flat", ID: "AKFLAT", Secret: k1.Secret}
	scoped := core.Key{Name: "scoped", ID: "AKSCOPED", Secret: k2.Secret, Region: "eu-de", Service: "orders"}
	list := ", SignedHeaders=host;x-sdk-date, Signature=" + strings.Repeat("0", 64)
	const access, credential = " Access=SECRETID", " Credential=SECRETID/20260115/eu-de/orders/sdk_request"
	aws := sigv4.New(sigv4.Config{Keys: core.Keys(scoped)})
	hmac, aksk := apig.New(apig.Config{Keys: core.Keys(flat)}), apig.NewScoped(apig.Config{Keys: core.Keys(scoped)})
	v11, ecdsa := apig.NewV11(apig.Config{Keys: core.Keys(scoped)}), apig.NewECDSA(apig.Config{Keys: core.Keys(flat)})
	for _, tt := range []struct {
		name, value, want string
		schemes           []core.Scheme
	}{
		{"aksk to hmac", "SDK-HMAC-SHA256" + credential, "SDK-HMAC-SHA256 with a scope (type aksk) was sent; accepted are AWS4-HMAC-SHA256, SDK-HMAC-SHA256 without a scope (type hmac)", []core.Scheme{hmac, aws}},
		{"behind a tab", "SDK-HMAC-SHA256\t" + credential, "SDK-HMAC-SHA256 with a scope (type aksk) was sent; accepted are AWS4-HMAC-SHA256, SDK-HMAC-SHA256 without a scope (type hmac)", []core.Scheme{aws, hmac}},
		{"hmac to aksk", "SDK-HMAC-SHA256" + access, "SDK-HMAC-SHA256 without a scope (type hmac) was sent; accepted are SDK-HMAC-SHA256 with a scope (type aksk)", []core.Scheme{aksk}},
		{"v11 without a scope", "V11-HMAC-SHA256" + access, "V11-HMAC-SHA256 without a scope was sent; accepted are SDK-HMAC-SHA256, V11-HMAC-SHA256 with a scope (type v11)", []core.Scheme{hmac, v11}},
		{"ecdsa with a scope", "SDK-ECDSA-P256-SHA256" + credential, "SDK-ECDSA-P256-SHA256 with a scope was sent; accepted are SDK-ECDSA-P256-SHA256 without a scope (type ecdsa-p256)", []core.Scheme{ecdsa}},
		{"another scheme's own", "OTHER 1=1", "OTHER with one (type ones) was sent; accepted are AWS4-HMAC-SHA256, OTHER with two (type twos)",
			[]core.Scheme{twos{hmac}, aws}},
	} {
		v := verifier(t, func(c *core.Config) { c.Schemes, c.Default = tt.schemes, "" })
		r := request(t, "GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\nAuthorization: "+tt.value+list+"\r\n\r\n")
		_, err := v.Verify(r)
		wantCode(t, err, core.CodeSchemeNotAccepted)
		if err == nil || !strings.HasSuffix(err.Error(), ": "+tt.want) || strings.Contains(err.Error(), "SECRETID") {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// twos is a scheme of another package, with an algorithm that another scheme has as well.
type twos struct{ core.Scheme }

func (twos) Algorithms() []string { return []string{"OTHER"} }

func (twos) Parse(*http.Request, *core.Credential) error {
	return fmt.Errorf("twos: %w", &core.OtherForm{Sent: "OTHER with one (type ones)", Accepted: "OTHER with two (type twos)"})
}
