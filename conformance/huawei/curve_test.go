package huawei_test

import (
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"

	vendor "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// curves has the algorithms whose signature is (r, s), with the order of the curve (FIPS
// 186-4 D.1.2.3, GB/T 32918.5) and the SDK's own key.
var curves = map[string]struct {
	order string
	key   func(ak, sk string) (vendor.ISigningKey, error)
	// second is true if (r, order-s) is also a signature. It is for ECDSA, where it
	// counts as the same request (apig.NewECDSA), but not for SM2.
	second bool
}{
	"SDK-ECDSA-P256-SHA256": {"FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", vendor.P256SHA256Signer{}.GetSigningKey, true},
	"SDK-SM2-SM3":           {"FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123", vendor.SM2SM3Signer{}.GetSigningKey, false},
}

// TestCurveSignatures changes the encoding of a signature, and compares the verdict with
// that of the SDK's own verifier, which the SDK does not use. They differ in one point:
// the SDK's ignores bytes after the signature.
func TestCurveSignatures(t *testing.T) {
	type pair struct{ R, S *big.Int }
	encode := func(r, s *big.Int) []byte {
		der, err := asn1.Marshal(pair{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for _, a := range algorithms {
		curve, ok := curves[a.name]
		if !ok {
			continue
		}
		n, _ := new(big.Int).SetString(curve.order, 16)
		for _, tt := range []struct {
			name             string
			change           func(p pair, der []byte) []byte
			accepts, vendors bool
		}{
			{"unchanged", func(_ pair, der []byte) []byte { return der }, true, true},
			{"followed by a byte", func(_ pair, der []byte) []byte { return append(der, 0) }, false, true},
			{"negated", func(p pair, _ []byte) []byte { return encode(p.R, new(big.Int).Sub(n, p.S)) }, curve.second, curve.second},
			{"swapped", func(p pair, _ []byte) []byte { return encode(p.S, p.R) }, false, false},
			{"beyond the order", func(p pair, _ []byte) []byte { return encode(p.R, new(big.Int).Add(n, p.S)) }, false, false},
			{"zeros", func(pair, []byte) []byte { return encode(new(big.Int), new(big.Int)) }, false, false},
			{"one byte short", func(_ pair, der []byte) []byte { return der[:len(der)-1] }, false, false},
			{"without DER", func(p pair, _ []byte) []byte {
				plain := make([]byte, 64)
				p.R.FillBytes(plain[:32])
				p.S.FillBytes(plain[32:])
				return plain
			}, false, false},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				r := request{path: "/v1/items", host: true}
				backend := wire.Start(t, policy(&r, a.scheme(orders)))
				raw := r.signed(t, a.sign, keyID, secret)
				l := wire.Parse(t, raw)
				old := l.Text(l.Parameters["Signature"])
				der, err := hex.DecodeString(old)
				if err != nil {
					t.Fatal(err)
				}
				change := func(der []byte) []byte {
					var p pair
					if _, err := asn1.Unmarshal(der, &p); err != nil {
						t.Fatal(err)
					}
					return tt.change(p, der)
				}
				changed := wire.Splice(raw, old, hex.EncodeToString(change(der)))
				if tt.accepts {
					accepted(t, backend, changed, nil)
				} else {
					backend.Refuse(t, changed, core.CodeSignatureMismatch, core.CodeCredentialMalformed)
				}

				key, err := curve.key(keyID, secret)
				if err != nil {
					t.Fatal(err)
				}
				signature, err := key.Sign([]byte("text"))
				if err != nil {
					t.Fatal(err)
				}
				if got := key.Verify(change(signature), []byte("text")); got != tt.vendors {
					t.Errorf("the SDK's verifier: got %v, want %v", got, tt.vendors)
				}
			})
		}
	}
}
