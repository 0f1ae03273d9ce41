package authorization

import "time"

// MaxExpires is the longest time that a credential in a query may be valid.
const MaxExpires = 7 * 24 * time.Hour

// ParseExpires reads a number of seconds from 1 to [MaxExpires]: decimal digits
// and nothing else, without leading zeros.
func ParseExpires(s string) (time.Duration, bool) {
	const longest = len("604800")
	seconds, ok := number(s)
	if !ok || s == "" || s[0] == '0' || len(s) > longest {
		return 0, false
	}
	expires := time.Duration(seconds) * time.Second
	return expires, expires <= MaxExpires
}
