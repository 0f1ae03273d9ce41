package apig_test

import (
	"crypto/elliptic"
	"encoding/hex"
	"math/big"
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestOtherSignatures_T088 is that a request was accepted before whichever of its possible
// signatures it carries: that of a second signing, which is another one for ECDSA and SM2,
// or the one that anybody can compute from an ECDSA signature.
func TestOtherSignatures_T088(t *testing.T) {
	for _, s := range schemes {
		store, err := replay.New(replay.Config{})
		if err != nil {
			t.Fatal(err)
		}
		c := config(s.scheme(apig.Config{Keys: core.Keys(key(s.scoped))}))
		c.Replay.Store = store
		v, signer := verifier(t, c), s.signer(key(s.scoped), apig.SignOptions{})
		sign := func(path string) *http.Request {
			return testkit.Sign(signer, received(t, "GET "+path+" HTTP/1.1\r\nHost: api.example.com\r\n\r\n"), "", instant)
		}
		for _, path := range []string{"/v1/items", "/v1/orders"} {
			for _, want := range []core.Code{"", core.CodeReplayed, core.CodeReplayed} {
				if got := verify(t, v, sign(path)); got != want {
					t.Errorf("%s, %s: got %q, want %q", s.name, path, got, want)
				}
			}
		}
		if s.name == "ecdsa-p256" {
			r, head, p := signedPoint(t, signer)
			other := der(t, p.R, new(big.Int).Sub(elliptic.P256().Params().N, p.S))
			r.Header.Set("Authorization", head+"Signature="+hex.EncodeToString([]byte(other)))
			if got := verify(t, v, r); got != core.CodeReplayed {
				t.Errorf("the second signature: got %q", got)
			}
		}
	}
}
