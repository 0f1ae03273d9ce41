package signature_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/signature"
)

const text = "text"

// signed returns a public key, and r and s of a signature of text.
func signed(t *testing.T) (public *ecdsa.PublicKey, r, s *big.Int) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(text))
	if r, s, err = ecdsa.Sign(rand.Reader, private, digest[:]); err != nil {
		t.Fatal(err)
	}
	return &private.PublicKey, r, s
}

func der(t *testing.T, r, s *big.Int) string {
	t.Helper()
	b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestVerifyP256 (T163): r and s from 1 to n-1, in strict DER.
func TestVerifyP256(t *testing.T) {
	public, r, s := signed(t)
	n := elliptic.P256().Params().N
	zero := new(big.Int)
	right := der(t, r, s)
	rText, sText := right[2:4+right[3]], right[4+right[3]:] // each with tag and length
	for _, tt := range []struct {
		name, der string
		want      bool
	}{
		{"as signed", right, true},
		{"n-s, which is also valid", der(t, r, new(big.Int).Sub(n, s)), true},
		{"P1363", string(r.FillBytes(make([]byte, 32))) + string(s.FillBytes(make([]byte, 32))), false},
		{"BER, long length", "\x30\x81" + right[1:], false},
		{"BER, indefinite length", "\x30\x80" + right[2:] + "\x00\x00", false},
		{"a set", "\x31" + right[1:], false},
		{"trailing byte", right + "\x00", false},
		{"trailing byte inside", "\x30" + string(right[1]+1) + right[2:] + "\x00", false},
		{"last byte cut", right[:len(right)-1], false},
		{"r not minimal", "\x30" + string(right[1]+1) + "\x02" + string(rText[1]+1) + "\x00" + rText[2:] + sText, false},
		{"s not minimal", "\x30" + string(right[1]+1) + rText + "\x02" + string(sText[1]+1) + "\x00" + sText[2:], false},
		{"one number", "\x30" + string(rText[1]+2) + rText, false},
		{"three numbers", "\x30\x09\x02\x01\x01\x02\x01\x01\x02\x01\x01", false},
		{"r = 0", der(t, zero, s), false},
		{"s = 0", der(t, r, zero), false},
		{"both 0", der(t, zero, zero), false},
		{"both 1", der(t, big.NewInt(1), big.NewInt(1)), false},
		{"r = n", der(t, n, s), false},
		{"s = n", der(t, r, n), false},
		{"r + n", der(t, new(big.Int).Add(r, n), s), false},
		{"s + n", der(t, r, new(big.Int).Add(s, n)), false},
		{"-r", der(t, new(big.Int).Neg(r), s), false},
		{"-s", der(t, r, new(big.Int).Neg(s)), false},
		{"exchanged", der(t, s, r), false},
		{"nothing", "", false},
		{"zeros", strings.Repeat("\x00", 70), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := signature.VerifyP256(public, []byte(text), hex.EncodeToString([]byte(tt.der))); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	good := hex.EncodeToString([]byte(right))
	if signature.VerifyP256(public, []byte(text+"."), good) {
		t.Error("accepted for another text")
	}
	if signature.VerifyP256(nil, []byte(text), good) {
		t.Error("accepted without a key")
	}
	if other, _, _ := signed(t); signature.VerifyP256(other, []byte(text), good) {
		t.Error("accepted with another key")
	}
}

// TestDecodeDER: only lower-case digits, two for each byte, with a length that (r, s) can
// have.
func TestDecodeDER(t *testing.T) {
	shortest, longest := strings.Repeat("3a", signature.MinDER), strings.Repeat("3a", signature.MaxDER)
	for _, tt := range []struct {
		name, signature string
		want            bool
	}{
		{"shortest", shortest, true},
		{"longest", longest, true},
		{"too short", shortest[2:], false},
		{"too long", longest + "3a", false},
		{"odd", longest[1:], false},
		{"upper case", strings.ToUpper(shortest), false},
		{"one letter in upper case", "3A" + shortest[2:], false},
		{"not hexadecimal", "0x" + shortest, false},
		{"a letter after f", "3g" + shortest, false},
		{"blank", " " + shortest[1:], false},
		{"nothing", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := signature.DecodeDER([]byte("before"), tt.signature)
			if ok != tt.want {
				t.Fatalf("got %v, want %v", ok, tt.want)
			}
			if ok && "before"+string(unhex(t, tt.signature)) != string(got) {
				t.Errorf("got %q", got)
			}
		})
	}
}
