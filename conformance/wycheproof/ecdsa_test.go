package wycheproof_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/signature"
)

type ecdsaGroup struct {
	Type      string          `json:"type"`
	Source    json.RawMessage `json:"source"`
	PublicKey struct {
		Type         string `json:"type"`
		Curve        string `json:"curve"`
		KeySize      int    `json:"keySize"`
		Uncompressed octets `json:"uncompressed"`
		X            string `json:"wx"`
		Y            string `json:"wy"`
	} `json:"publicKey"`
	PublicKeyDER string          `json:"publicKeyDer"`
	PublicKeyPEM string          `json:"publicKeyPem"`
	PublicKeyJWK json.RawMessage `json:"publicKeyJwk"`
	Hash         string          `json:"sha"`
	Tests        []struct {
		vector
		Signature octets `json:"sig"`
	} `json:"tests"`
}

// public returns the public key of a group.
func (g *ecdsaGroup) public(t *testing.T) *ecdsa.PublicKey {
	t.Helper()
	if g.PublicKey.Curve != "secp256r1" || g.Hash != "SHA-256" {
		t.Fatalf("a group of %s and %s", g.PublicKey.Curve, g.Hash)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), g.PublicKey.Uncompressed)
	if err != nil {
		t.Fatalf("%x: %v", g.PublicKey.Uncompressed, err)
	}
	return key
}

// TestECDSA (T163): every valid signature in DER is accepted, and every other signature
// refused.
func TestECDSA(t *testing.T) {
	verdicts := verifyAll(t, "ecdsa_secp256r1_sha256_test.json", false)
	if verdicts.accepted == 0 || verdicts.refused == 0 {
		t.Errorf("got %+v", verdicts)
	}
}

// TestECDSAP1363 (T163): r and s in sequence, without DER, are refused, also if the
// vector is valid.
func TestECDSAP1363(t *testing.T) {
	if verdicts := verifyAll(t, "ecdsa_secp256r1_sha256_p1363_test.json", true); verdicts.accepted > 0 {
		t.Errorf("got %+v", verdicts)
	}
}

func verifyAll(t *testing.T, name string, none bool) (verdicts tally) {
	t.Helper()
	f := load[ecdsaGroup](t, name)
	for _, group := range f.Groups {
		public := group.public(t)
		for _, tt := range group.Tests {
			want, err := tt.valid()
			if err != nil {
				t.Fatal(err)
			}
			text := hex.EncodeToString(tt.Signature)
			verdicts.judge(t, &tt.vector, signature.VerifyP256(public, tt.Message, text), want && !none)
			if upper := strings.ToUpper(text); upper != text && signature.VerifyP256(public, tt.Message, upper) {
				t.Errorf("%v: accepted in upper case", &tt.vector)
			}
		}
	}
	verdicts.report(t, f.NumberOfTests)
	return verdicts
}
