//go:build !race

package signature_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// TestMACAllocations: Verify allocates no memory. (With the race detector, pools drop
// values.)
func TestMACAllocations(t *testing.T) {
	m := signature.NewMAC(sha256.New, []byte("key"))
	signedText := []byte(text)
	made, _ := m.Sign(signedText)
	got := testing.AllocsPerRun(100, func() {
		if !m.Verify(signedText, made) {
			t.Fatal("refused")
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations", got)
	}
}

// TestDecodeDERAllocations: DecodeDER allocates nothing if the buffer is large enough.
func TestDecodeDERAllocations(t *testing.T) {
	public, r, s := signed(t)
	good := hex.EncodeToString([]byte(der(t, r, s)))
	if !signature.VerifyP256(public, []byte(text), good) {
		t.Fatal("refused")
	}
	var space [signature.MaxDER]byte
	if got := testing.AllocsPerRun(100, func() { signature.DecodeDER(space[:0], good) }); got != 0 {
		t.Errorf("got %v allocations", got)
	}
}
