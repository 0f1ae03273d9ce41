// Package lowerhex writes and recognises lower-case hexadecimal digits, the one
// form in which all schemes here carry hashes and signatures, eight at a time.
// Append and Equal take the same time whatever the digits are.
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

// digits returns those of four bytes, first the ones of the lowest.
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

// are reports whether each of eight bytes is a digit. The sums have the highest
// bit of each byte set where that byte is not below the one compared with; of
// ASCII none carries into the next byte.
func are(b uint64) bool {
	const top = 0x80 * each
	digit := (b + (0x80-'0')*each) &^ (b + (0x80-('9'+1))*each)
	letter := (b + (0x80-'a')*each) &^ (b + (0x80-('f'+1))*each)
	return b&top == 0 && (digit|letter)&top == top
}

// Equal reports whether s is the digits of sum. How long s is is no secret.
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
