// Package lowerhex encodes and recognizes lower-case hexadecimal digits, eight at a time.
// All schemes write hashes and signatures in this form. The time of Append and Equal does
// not depend on the digits.
package lowerhex

import (
	"encoding/binary"
	"slices"

	"github.com/gatewayauth/gatewayauth/internal/word"
)

const each = word.Each

// Append appends the digits of sum to dst.
func Append(dst []byte, sum *[32]byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, 2*len(sum))[:n+2*len(sum)]
	out := (*[2 * len(sum)]byte)(dst[n:])
	for i := 0; i < len(sum); i += 4 {
		binary.LittleEndian.PutUint64(out[2*i:], digits(binary.LittleEndian.Uint32(sum[i:])))
	}
	return dst
}

// digits returns the eight digits of four bytes, starting with those of the lowest byte.
func digits(b uint32) uint64 {
	x := uint64(b)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x>>4 | x<<8) & (0x0f * each) // one digit in each byte
	letters := (x + 6*each) >> 4 & each
	return x + '0'*each + letters*('a'-'9'-1)
}

// Is reports whether s is n lower-case hexadecimal digits.
func Is(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for ; len(s) >= 8; s = s[8:] {
		if !are(word.Load(s)) {
			return false
		}
	}
	for ; s != ""; s = s[1:] {
		if !are('0'*each&^0xff | uint64(s[0])) {
			return false
		}
	}
	return true
}

// are reports whether each of eight bytes is a digit. Each sum sets the highest bit of a
// byte if the byte is not less than the one that it is compared with. For ASCII, no byte
// carries into the next.
func are(b uint64) bool {
	const top = 0x80 * each
	digit := (b + (0x80-'0')*each) &^ (b + (0x80-('9'+1))*each)
	letter := (b + (0x80-'a')*each) &^ (b + (0x80-('f'+1))*each)
	return b&top == 0 && (digit|letter)&top == top
}

// Equal reports whether s consists of the digits of sum. Its time depends on the length
// of s, which is not secret.
func Equal(sum *[32]byte, s string) bool {
	if len(s) != 2*len(sum) {
		return false
	}
	var differ uint64
	for i := 0; i < len(sum); i += 4 {
		differ |= digits(binary.LittleEndian.Uint32(sum[i:])) ^ word.Load(s[2*i:2*i+8])
	}
	return differ == 0
}
