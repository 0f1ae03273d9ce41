package core_test

import (
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
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
