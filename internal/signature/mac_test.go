package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// TestMAC (RFC 4231 section 4.3): only the exact digits are accepted, and no text that a
// lenient parser would decode to them.
func TestMAC(t *testing.T) {
	const (
		text = "what do ya want for nothing?"
		good = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	)
	m := signature.NewMAC(sha256.New, []byte("Jefe"))
	if got, err := m.Sign([]byte(text)); got != good || err != nil {
		t.Errorf("got %s, %v; want %s", got, err, good)
	}
	for _, tt := range []struct {
		name, text, signature string
		want                  bool
	}{
		{"unchanged", text, good, true},
		{"other text", text + "?", good, false},
		{"no text", "", good, false},
		{"first digit", text, "6" + good[1:], false},
		{"last digit", text, good[:63] + "2", false},
		{"upper case", text, strings.ToUpper(good), false},
		{"one letter in upper case", text, "5B" + good[2:], false},
		{"cut to 16 bytes", text, good[:32], false},
		{"cut by one byte", text, good[:62], false},
		{"cut by one digit", text, good[:63], false},
		{"one digit more", text, good + "0", false},
		{"one byte more", text, good + "00", false},
		{"twice", text, good + good, false},
		{"space in front", text, " " + good[:63], false},
		{"nothing", text, "", false},
		{"the bytes themselves", text, string(unhex(t, good)), false},
		{"zeros", text, strings.Repeat("0", 64), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := m.Verify([]byte(tt.text), tt.signature); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if signature.NewMAC(sha256.New, []byte("jefe")).Verify([]byte(text), good) {
		t.Error("accepted with another key")
	}
}

// TestMACKeys: keys may be shorter or longer than a block of the hash.
func TestMACKeys(t *testing.T) {
	for n := range 130 {
		key := []byte(strings.Repeat("k", n))
		reference := hmac.New(sha256.New, key)
		reference.Write(key)
		if !signature.NewMAC(sha256.New, key).Verify(key, hex.EncodeToString(reference.Sum(nil))) {
			t.Errorf("a key of %d bytes: refused", n)
		}
	}
}

// TestMACConcurrently: concurrent computations do not share a state.
func TestMACConcurrently(t *testing.T) {
	m := signature.NewMAC(sha256.New, []byte("key"))
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			text := []byte(strings.Repeat("text", i))
			for range 200 {
				made, err := m.Sign(text)
				if err != nil || !m.Verify(text, made) || m.Verify(append(text, '.'), made) {
					t.Errorf("%d: got the verdict of another text", i)
					return
				}
			}
		})
	}
	running.Wait()
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
