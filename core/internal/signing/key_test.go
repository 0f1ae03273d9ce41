package signing_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// TestDerivePrivateKey compares with the same derivation in big integers: for so many
// secrets that adding one carries into the next byte for some, and for candidates that
// are refused.
func TestDerivePrivateKey(t *testing.T) {
	carries := 0
	for n := range 1500 {
		secret, refused := fmt.Sprint("secret ", n), n%4
		first := byte(n % 2)
		h := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(h, "\x00\x00\x00\x01LABEL\x00id%c\x00\x00\x01\x00", int(first)+refused)
		sum := h.Sum(nil)
		if sum[31] == 0xff {
			carries++
		}
		want := new(big.Int).SetBytes(sum)
		want.Add(want, big.NewInt(1))
		tries := 0
		got, err := signing.DerivePrivateKey(sha256.New, secret, "LABEL", "id", first, func(scalar []byte) ([]byte, error) {
			if tries++; tries <= refused {
				return nil, errors.New("out of range")
			}
			return bytes.Clone(scalar), nil
		})
		if err != nil || len(got) != 32 || want.Cmp(new(big.Int).SetBytes(got)) != 0 {
			t.Fatalf("%s: got %x, %v, want %x", secret, got, err, want)
		}
	}
	if carries == 0 {
		t.Error("no candidate carries")
	}
	tries := 0
	_, err := signing.DerivePrivateKey(sha256.New, "s", "L", "id", 1, func([]byte) (int, error) { tries++; return 0, errors.New("refused") })
	if err == nil || tries != 254 {
		t.Errorf("after %d candidates: got %v", tries, err)
	}
}

// TestIncrement: one is added to every number, with all the carries that no derived key is
// known to have.
func TestIncrement(t *testing.T) {
	for _, tt := range []struct{ from, to string }{
		{"\x00\x00\x00", "\x00\x00\x01"}, {"\x00\x00\xff", "\x00\x01\x00"}, {"\x00\xff\xff", "\x01\x00\x00"},
		{"\x7f\xff\xff", "\x80\x00\x00"}, {"\xff\xff\xfe", "\xff\xff\xff"}, {"\xff\xff\xff", "\x00\x00\x00"},
	} {
		number := []byte(tt.from)
		if signing.Increment(number); string(number) != tt.to {
			t.Errorf("%x and one: got %x, want %x", tt.from, number, tt.to)
		}
	}
}
