package apig_test

import (
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

type point struct{ R, S *big.Int }

func der(t *testing.T, r, s *big.Int) string {
	t.Helper()
	b, err := asn1.Marshal(point{r, s})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// signedPoint signs a request, and returns with it its Authorization header up
// to the signature, and the signature.
func signedPoint(t *testing.T, signer *apig.Signer) (r *http.Request, head string, p point) {
	t.Helper()
	r = received(t, "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\n\r\n")
	testkit.Sign(signer, r, "", instant)
	head, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	raw, err := hex.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := asn1.Unmarshal(raw, &p); err != nil || len(rest) > 0 {
		t.Fatalf("%x is not a sequence of two numbers: %v", raw, err)
	}
	return r, head, p
}

// TestDER_T163: (r, s) between 1 and n-1 in DER, in lower-case hex, and nothing
// else that a lenient reader would take for the same two numbers.
func TestDER_T163(t *testing.T) {
	orders := map[string]*big.Int{"ecdsa-p256": elliptic.P256().Params().N, "sm2": sm2.P256().Params().N}
	for _, s := range schemes {
		n, curve := orders[s.name]
		if !curve {
			continue
		}
		v := verifier(t, config(s.scheme(apig.Config{Keys: core.Keys(key(false))})))
		r, head, p := signedPoint(t, s.signer(key(false), apig.SignOptions{}))
		for _, tt := range encodings(t, p, n) {
			r.Header.Set("Authorization", head+"Signature="+tt.signature)
			if got := verify(t, v, r); got != tt.want {
				t.Errorf("%s, %s: got %q, want %q", s.name, tt.name, got, tt.want)
			}
		}
	}
}

type encoding struct {
	name, signature string
	want            core.Code
}

func encodings(t *testing.T, p point, n *big.Int) []encoding {
	const malformed, mismatch = core.CodeCredentialMalformed, core.CodeSignatureMismatch
	right := der(t, p.R, p.S)
	zero, plusN := new(big.Int), new(big.Int).Add(p.S, n)
	rText, sText := right[2:4+right[3]], right[4+right[3]:] // each with tag and length
	all := []encoding{{"as signed", hex.EncodeToString([]byte(right)), ""}}
	for _, tt := range []encoding{
		{"P1363", string(p.R.FillBytes(make([]byte, 32))) + string(p.S.FillBytes(make([]byte, 32))), mismatch},
		{"BER, long length", "\x30\x81" + right[1:], ""},
		{"BER, indefinite length", "\x30\x80" + right[2:] + "\x00\x00", ""}, // "": by its length, below
		{"a set", "\x31" + right[1:], mismatch},
		{"trailing byte", right + "\x00", ""},
		{"trailing byte inside", "\x30" + string(right[1]+1) + right[2:] + "\x00", ""},
		{"last byte cut", right[:len(right)-1], mismatch},
		{"r not minimal", "\x30" + string(right[1]+1) + "\x02" + string(rText[1]+1) + "\x00" + rText[2:] + sText, ""},
		{"s not minimal", "\x30" + string(right[1]+1) + rText + "\x02" + string(sText[1]+1) + "\x00" + sText[2:], ""},
		{"one number", "\x30" + string(rText[1]+2) + rText, mismatch},
		{"r = 0", der(t, zero, p.S), mismatch},
		{"s = 0", der(t, p.R, zero), mismatch},
		{"both 0", der(t, zero, zero), mismatch},
		{"r = n", der(t, n, p.S), mismatch},
		{"s = n", der(t, p.R, n), mismatch},
		{"s + n", der(t, p.R, plusN), ""},
		{"r = -r", der(t, new(big.Int).Neg(p.R), p.S), mismatch},
		{"s = -s", der(t, p.R, new(big.Int).Neg(p.S)), mismatch},
		{"r and s exchanged", der(t, p.S, p.R), mismatch},
		{"the smallest", "\x30\x06\x02\x01\x01\x02\x01\x01", mismatch},
		{"too short", "\x30\x05\x02\x01\x01\x02\x00", malformed},
		{"too long", right + strings.Repeat("\x00", 73), malformed},
	} {
		if tt.want == "" { // seventy-two bytes are the bound, and r and s may have a byte less each
			if tt.want = mismatch; len(tt.signature) > 72 {
				tt.want = malformed
			}
		}
		tt.signature = hex.EncodeToString([]byte(tt.signature))
		all = append(all, tt)
	}
	text := all[0].signature
	return append(all, encoding{"upper case", strings.ToUpper(text), malformed}, encoding{"odd", text[1:], malformed},
		encoding{"raw", right, malformed}, encoding{"none", "", malformed}, encoding{"not hex", "0x" + text[2:], malformed})
}

// TestSecondSignature: the other s of an ECDSA signature verifies as well, as
// the documentation says.
func TestSecondSignature(t *testing.T) {
	r, head, p := signedPoint(t, apig.NewECDSASigner(key(false), apig.SignOptions{}))
	other := der(t, p.R, new(big.Int).Sub(elliptic.P256().Params().N, p.S))
	r.Header.Set("Authorization", head+"Signature="+hex.EncodeToString([]byte(other)))
	if got := verify(t, verifier(t, config(apig.NewECDSA(apig.Config{Keys: core.Keys(key(false))}))), r); got != "" {
		t.Errorf("got %q", got)
	}
}
