package lowerhex_test

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// TestAppend: Append agrees with encoding/hex for each byte at each index, with and
// without spare capacity.
func TestAppend(t *testing.T) {
	var sum [32]byte
	for i := range sum {
		for b := range 256 {
			sum[i] = byte(b)
			for _, room := range []int{1, 64, 65, 200} {
				dst := append(make([]byte, 0, room), 'x')
				if got, want := string(lowerhex.Append(dst, &sum)), "x"+hex.EncodeToString(sum[:]); got != want {
					t.Fatalf("%x: got %s, want %s", sum, got, want)
				}
			}
		}
	}
}

// TestIs: Is is correct for each byte at each index, for lengths around multiples of eight.
func TestIs(t *testing.T) {
	const digits = "0123456789abcdef"
	for n := range 20 {
		s := []byte(strings.Repeat(digits, 2)[:n])
		if !lowerhex.Is(string(s), n) || lowerhex.Is(string(s), n+1) || n > 0 && lowerhex.Is(string(s), n-1) {
			t.Errorf("Is returns false for %d digits", n)
		}
		for i := range n {
			was := s[i]
			for b := range 256 {
				s[i] = byte(b)
				if got, want := lowerhex.Is(string(s), n), strings.IndexByte(digits, byte(b)) >= 0; got != want {
					t.Errorf("%q: got %v, want %v", s, got, want)
				}
			}
			s[i] = was
		}
	}
}

// TestEqual: texts that differ in one bit or in length are not equal.
func TestEqual(t *testing.T) {
	for range 100 {
		var sum [32]byte
		rand.Read(sum[:])
		s := []byte(hex.EncodeToString(sum[:]))
		if !lowerhex.Equal(&sum, string(s)) {
			t.Fatalf("%s is not equal to itself", s)
		}
		for i := range s {
			for bit := range 8 {
				s[i] ^= 1 << bit
				if lowerhex.Equal(&sum, string(s)) {
					t.Fatalf("Equal returns true for %q and %x", s, sum)
				}
				s[i] ^= 1 << bit
			}
			if lowerhex.Equal(&sum, string(s[:i])) {
				t.Fatalf("Equal returns true for only %d digits", i)
			}
		}
		if lowerhex.Equal(&sum, string(s)+"0") || lowerhex.Equal(&sum, strings.ToUpper(string(s))) {
			t.Fatal("Equal returns true for additional digits or upper-case letters")
		}
	}
}
