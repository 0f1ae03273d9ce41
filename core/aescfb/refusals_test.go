package aescfb_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
)

// unhex reads a worked value.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestForgeries_T164: nothing but the whole value of this very request is taken.
func TestForgeries_T164(t *testing.T) {
	right := unhex(t, signature128)
	forged := map[string]string{
		"one byte less":      signature128[:62],
		"one byte more":      signature128 + "00",
		"one block":          signature128[:32],
		"the second block":   signature128[32:],
		"blocks exchanged":   signature128[32:] + signature128[:32],
		"first block twice":  signature128[:32] + signature128[:32],
		"upper case":         strings.ToUpper(signature128),
		"the digest":         digest128,
		"of the other key":   signature256,
		"nothing":            "",
		"zeros":              strings.Repeat("0", 64),
		"not hexadecimal":    signature128[:63] + "g",
		"with a sign":        "+" + signature128[1:],
		"as text of a digit": "0x" + signature128[2:],
	}
	for bit := range 8 * len(right) {
		changed := append([]byte(nil), right...)
		changed[bit/8] ^= 1 << (bit % 8)
		forged[fmt.Sprintf("bit %d", bit)] = hex.EncodeToString(changed)
	}
	v := verifier(t, "aes_key", both())
	for name, signature := range forged {
		_, err := v.Verify(items(t, signed("SDK-AES-128-CFB", "aes_key", signature)))
		if code := core.CodeOf(err); code != core.CodeSignatureMismatch && code != core.CodeCredentialMalformed {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := v.Verify(items(t, signed("SDK-AES-128-CFB", "aes_key", signature128))); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// TestKnownPair_T164: who has seen one request knows the key stream of the first
// block, and of the second block for that first block; neither gives the
// signature of another request.
func TestKnownPair_T164(t *testing.T) {
	seenPlain, seen := unhex(t, digest128), unhex(t, signature128)
	r := items(t, signed("SDK-AES-128-CFB", "aes_key", signature128))
	r.RequestURI, r.Method = "/v1/other", "DELETE"
	var c core.Credential
	s := both()
	if err := s.Parse(r, &c); err != nil {
		t.Fatal(err)
	}
	_, text, err := s.Canonical(r, &c, hexOfNothing)
	if err != nil {
		t.Fatal(err)
	}
	wanted := aescfb.Profile1().Plaintext([]byte(text))
	forged := make([]byte, len(seen))
	for i := range forged {
		forged[i] = seen[i] ^ seenPlain[i] ^ wanted[i]
	}
	v := verifier(t, "aes_key", s)
	for name, signature := range map[string][]byte{
		"key stream of a known pair": forged,
		"first block alone":          append(append([]byte(nil), forged[:16]...), seen[16:]...),
		"value of another request":   seen,
	} {
		r.Header.Set("Authorization", signed("SDK-AES-128-CFB", "aes_key", hex.EncodeToString(signature)))
		if _, err := v.Verify(r); core.CodeOf(err) != core.CodeSignatureMismatch {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// The attack is a real one against the first block: so much of it is right.
	honest := items(t, "")
	honest.RequestURI, honest.Method = r.RequestURI, r.Method
	if err := aescfb.NewSigner(key128, aescfb.SignOptions{}).Sign(honest, hexOfNothing, noon); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(honest.Header.Get("Authorization"), "Signature="+hex.EncodeToString(forged[:16])) {
		t.Error("the forged first block is not that of the honest signer: the test attacks nothing")
	}
}

// TestRefusals: what is not a credential of this format, or not in its form.
func TestRefusals(t *testing.T) {
	right := signed("SDK-AES-128-CFB", "aes_key", signature128)
	for _, tt := range []struct {
		name, authorization string
		want                core.Code
	}{
		{"unknown key", signed("SDK-AES-128-CFB", "other", signature128), core.CodeKeyUnknown},
		{"the key's characters as Access", signed("SDK-AES-128-CFB", "aesKey-123456789", signature128), core.CodeKeyUnknown},
		{"token of the other length", signed("SDK-AES-256-CFB", "aes_key", signature128), core.CodeSchemeNotAccepted},
		{"key of the other length", signed("SDK-AES-128-CFB", "aes_key_256", signature256), core.CodeSchemeNotAccepted},
		{"rightly signed, not bound", signed("SDK-AES-256-CFB", "aes_key_256", signature256), core.CodeKeyNotBound},
		{"token in lower case", strings.ToLower(right[:15]) + right[15:], core.CodeSchemeNotAccepted},
		{"SDK-AES-192-CFB", signed("SDK-AES-192-CFB", "aes_key", signature128), core.CodeSchemeNotAccepted},
		{"Credential in place of Access", strings.Replace(right, "Access", "Credential", 1), core.CodeCredentialMalformed},
		{"unknown field", right + ", Foo=bar", core.CodeCredentialMalformed},
		{"no SignedHeaders", "SDK-AES-128-CFB Signature=" + signature128, core.CodeCredentialMalformed},
		{"no Signature", "SDK-AES-128-CFB SignedHeaders=host;x-sdk-date", core.CodeCredentialMalformed},
		{"Access empty", strings.Replace(right, "=aes_key", "=", 1), core.CodeCredentialMalformed},
		{"date not signed", strings.Replace(right, ";x-sdk-date", "", 1), core.CodeHeaderNotSigned},
		{"host not signed", strings.Replace(right, "host;", "", 1), core.CodeHeaderNotSigned},
		{"a header that is signed, and absent", strings.Replace(right, "x-sdk-date", "x-sdk-date;x-tenant", 1), core.CodeHeaderNotSigned},
		{"nothing after the token", "SDK-AES-128-CFB x=", core.CodeCredentialMalformed},
	} {
		if _, err := verifier(t, "aes_key", both()).Verify(items(t, tt.authorization)); core.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	for name, request := range map[string]struct {
		from, to string
		want     core.Code
	}{
		"other method":    {"GET ", "PUT ", core.CodeSignatureMismatch},
		"other path":      {"/v1/items", "/v1/item", core.CodeSignatureMismatch},
		"other query":     {"/v1/items", "/v1/items?a=1", core.CodeSignatureMismatch},
		"other host":      {"api.", "apj.", core.CodeSignatureMismatch},
		"other date":      {"120000Z", "120001Z", core.CodeSignatureMismatch},
		"too old":         {"120000Z", "114459Z", core.CodeSignatureExpired},
		"no such date":    {"120000Z", "126000Z", core.CodeCredentialMalformed},
		"hidden slash":    {"/v1/items", "/v1%2Fitems", core.CodeRequestAmbiguous},
		"unsigned header": {"X-Sdk-Date", "X-Sdk-Foo: 1\r\nX-Sdk-Date", core.CodeHeaderNotSigned},
	} {
		wire := "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\nAuthorization: " + right + "\r\n\r\n"
		_, err := verifier(t, "aes_key", both()).Verify(read(t, strings.Replace(wire, request.from, request.to, 1)))
		if core.CodeOf(err) != request.want {
			t.Errorf("%s: got %v, want %s", name, err, request.want)
		}
	}
}

// TestDirectCalls is that Parse and Verify refuse by themselves what core refuses before.
func TestDirectCalls(t *testing.T) {
	r, s := items(t, ""), both()
	r.Header.Del("Authorization")
	var c core.Credential
	if err := s.Parse(r, &c); err != core.ErrNoCredential {
		t.Errorf("no Authorization: got %v", err)
	}
	c = core.Credential{Algorithm: "SDK-AES-128-CFB", Signature: "no digits", SignedHeaders: "host", Timestamp: "20260115T120000Z"}
	if _, err := s.Verify(r, &c, nil, nil, hexOfNothing); core.CodeOf(err) != core.CodeCredentialMalformed {
		t.Errorf("a signature that is not hexadecimal: got %v", err)
	}
	for _, secret := range []string{"", "fifteen-bytes.."} {
		c = core.Credential{Algorithm: "SDK-AES-128-CFB", Signature: signature128, SignedHeaders: "host;x-sdk-date", Timestamp: "20260115T120000Z"}
		if _, err := s.Verify(r, &c, nil, []core.Secret{core.NewSecret(secret)}, hexOfNothing); core.CodeOf(err) != core.CodeSchemeNotAccepted {
			t.Errorf("a secret of %d bytes, which is no key: got %v", len(secret), err)
		}
	}
	c.SignedHeaders = "host;x-sdk-date;x-role"
	if _, err := s.Verify(r, &c, nil, nil, hexOfNothing); core.CodeOf(err) != core.CodeHeaderNotSigned {
		t.Errorf("a signed header that is not there: got %v", err)
	}
	r.Header.Set("X-Http-Method-Override", "DELETE")
	if err := aescfb.NewSigner(key128, aescfb.SignOptions{}).Sign(r, hexOfNothing, noon); core.CodeOf(err) != core.CodeHeaderNotSigned {
		t.Errorf("signing with a header that changes the method: got %v", err)
	}
}
