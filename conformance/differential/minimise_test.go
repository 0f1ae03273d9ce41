package differential_test

import (
	"bytes"
	"slices"
)

// minimise returns the smallest message that it finds for which fails is true: it
// takes away lines, then ever smaller pieces.
func minimise(raw []byte, fails func(raw []byte) bool) []byte {
	trials := 4000
	without := func(start, end int) bool {
		if trials--; trials < 0 {
			return false
		}
		shorter := slices.Concat(raw[:start], raw[end:])
		if !fails(shorter) {
			return false
		}
		raw = shorter
		return true
	}
	for changed := true; changed && trials > 0; {
		changed = false
		for start := 0; start < len(raw); {
			end := start + bytes.IndexByte(raw[start:], '\n') + 1
			if end <= start {
				end = len(raw)
			}
			if without(start, end) {
				changed = true
			} else {
				start = end
			}
		}
		for size := len(raw) / 2; size > 0; size /= 2 {
			for start := 0; start+size <= len(raw); {
				if without(start, start+size) {
					changed = true
				} else {
					start += size
				}
			}
		}
	}
	return raw
}
