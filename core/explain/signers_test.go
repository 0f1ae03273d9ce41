package explain_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// proving is a scheme of flat keys that is an explain.Prover.
type proving struct{ core.Scheme }

func (p proving) Canonical(r *http.Request, c *core.Credential, payload string) (string, string, error) {
	return p.Scheme.(core.Canonicalizer).Canonical(r, c, payload)
}

func (p proving) Proves(canonicalRequest string, c *core.Credential, _ *core.Key, secret core.Secret) bool {
	return hmac.Equal([]byte(flatSignature(canonicalRequest, c.Timestamp, secret)), []byte(c.Signature))
}

func flatSignature(canonicalRequest, timestamp string, secret core.Secret) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	io.WriteString(mac, "SDK-HMAC-SHA256\n"+timestamp+"\n"+sha(canonicalRequest))
	return hex.EncodeToString(mac.Sum(nil))
}

// TestSigners: deviations of a signer are found by trying them, and with the canonical
// request of the sender as a hint.
func TestSigners(t *testing.T) {
	const target, before = "/v1/items?b&a=%2F&A=1+2&a=-", "GET\n/v1/items/\nA=1%202&a=-&a=%2F&b=\nhost:api.example.com\nx-sdk-date:20260115T120000Z\nx-tag:x  y\nx-tag:z\n\nhost;x-sdk-date;x-tag\n"
	computed := before + sha("")
	edit := func(from, to string) string {
		if !strings.Contains(computed, from) {
			t.Fatalf("%q is not in\n%s", from, computed)
		}
		return strings.Replace(computed, from, to, 1)
	}
	for _, tt := range []struct {
		name, signed string
		hint         bool
		want         explain.Cause
		says         string
	}{
		{"not sorted", edit("A=1%202&a=-&a=%2F&b=", "b=&a=%2F&A=1%202&a=-"), false, explain.CauseSigner, "not sorted"},
		{"sorted by encoded names", edit("a=-&a=%2F", "a=%2F&a=-"), false, "", ""},
		{"sorted without regard to case", edit("A=1%202&a=-&a=%2F&b=", "a=%2F&a=-&A=1%202&b="), true, explain.CauseQuery, "query"},
		{"no =", edit("b=\n", "b\n"), false, explain.CauseSigner, "without a value"},
		{"+ for spaces", edit("%20", "+"), false, explain.CauseSigner, "+ for spaces"},
		{"no slash", edit("/v1/items/", "/v1/items"), false, explain.CauseSigner, "no slash"},
		{"no empty line", edit("z\n\n", "z\n"), false, explain.CauseSigner, "no empty line"},
		{"hash in upper case", before + strings.ToUpper(sha("")), false, explain.CauseSigner, "upper case"},
		{"line break at the end", computed + "\n", false, explain.CauseSigner, "line break"},
		{"header that the request does not have", edit("x-tag:x  y\n", "x-gone:1\n"), true, explain.CauseHeader, "x-gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, key := range []core.Key{k1, secret(k1, "a-secret-that-nobody-knows")} {
				r := signed(t, k1, "GET", target, "", apig.SignOptions{Headers: []string{"x-tag"}}, "X-Tag: z", "X-Tag: x  y")
				r.Header.Set("Authorization", "SDK-HMAC-SHA256 Access="+k1.ID+", SignedHeaders=host;x-sdk-date;x-tag, Signature="+
					flatSignature(tt.signed, "20260115T120000Z", key.Secret))
				var hints explain.Hints
				if tt.hint {
					hints.CanonicalRequest = tt.signed
				}
				x := why(t, r, config(func(c *core.Config) { c.Schemes[0] = proving{c.Schemes[0]} }), hints)
				if key.Secret != k1.Secret {
					if len(x.Causes) > 0 {
						t.Errorf("explained by %+v", x.Causes)
					}
					continue
				}
				if tt.want == "" {
					if !x.Accepted() {
						t.Errorf("got %v", x)
					}
				} else if len(x.Causes) == 0 || x.Causes[0].Cause != tt.want || !strings.Contains(x.Causes[0].Change, tt.says) {
					t.Errorf("got %v", x)
				}
			}
		})
	}
}
