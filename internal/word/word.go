// Package word looks at texts eight bytes at a time.
package word

// Each has a one in each of its bytes; times a byte, it has that in each.
const Each = 0x0101010101010101

// Load returns the first eight bytes of s, the first one lowest.
func Load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
