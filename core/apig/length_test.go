package apig_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestLengthsOfSignatures: a MAC has the 32 bytes of its hash, and (r, s) in DER from 8 to
// 72 bytes (X.690). What is a byte shorter or longer is malformed and is not compared.
func TestLengthsOfSignatures(t *testing.T) {
	for _, s := range schemes {
		shortest, longest := 32, 32
		if s.name == "ecdsa-p256" || s.name == "sm2" {
			shortest, longest = 8, 72
		}
		v := verifier(t, config(s.scheme(apig.Config{Keys: core.Keys(key(s.scoped))})))
		r := presented(t, s.signer(key(s.scoped), apig.SignOptions{}))
		head, _, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
		for length, want := range map[int]core.Code{
			shortest - 1: core.CodeCredentialMalformed, shortest: core.CodeSignatureMismatch,
			longest: core.CodeSignatureMismatch, longest + 1: core.CodeCredentialMalformed,
		} {
			r.Header.Set("Authorization", head+"Signature="+strings.Repeat("30", length))
			if got := verify(t, v, r); got != want {
				t.Errorf("%s, %d bytes: got %q, want %q", s.name, length, got, want)
			}
		}
	}
}

// TestV11ShortSecretInFIPSMode: in FIPS 140-only mode Go derives no key from a secret of
// fewer than 14 bytes. Such a secret signs nothing then.
func TestV11ShortSecretInFIPSMode(t *testing.T) {
	if os.Getenv("GATEWAYAUTH_TEST_FIPS") == "" {
		c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), "GATEWAYAUTH_TEST_FIPS=1", "GODEBUG=fips140=only")
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	for secret, signs := range map[string]bool{"thirteen-byte": false, "fourteen-bytes": true} {
		k := key(true)
		k.Secret = core.NewSecret(secret)
		r := testkit.Unsigned("GET", "/v1/items")
		if err := apig.NewV11Signer(k, apig.SignOptions{}).Sign(r, testkit.NoBody, instant); (err == nil) != signs {
			t.Errorf("a secret of %d bytes: got %v", len(secret), err)
		}
	}
}
