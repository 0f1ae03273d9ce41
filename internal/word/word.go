// Package word reads texts eight bytes at a time.
package word

// Each has the value 1 in each of its bytes, so that Each*b has b in each byte.
const Each = 0x0101010101010101

// Load returns the first eight bytes of s in little-endian order.
func Load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
