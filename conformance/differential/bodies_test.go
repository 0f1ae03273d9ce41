package differential_test

import "strings"

// maxBody is the largest body that the verifiers accept.
const maxBody = 8 << 10

func (d dice) content() string {
	switch d.IntN(24) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		return ""
	case 8, 9, 10, 11:
		return `{"amount":100}`
	case 12, 13:
		return "a=1&b=2"
	case 14:
		return "\r\n\r\n0\r\n\r\n"
	case 15:
		return "\n"
	case 16:
		return "5\r\nhello\r\n0\r\n\r\n"
	case 17:
		return "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	case 18:
		return strings.Repeat("x", d.IntN(maxBody/2))
	}
	if d.one(60) {
		return strings.Repeat("y", maxBody-1+d.IntN(3))
	}
	return d.text("abc{}\":,\x00\xff\r\n 0123456789", 80)
}
