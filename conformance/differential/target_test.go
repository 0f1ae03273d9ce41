package differential_test

import (
	"fmt"
	"strings"
)

// Segments of paths and pieces of queries that a signer may be given, and odd ones that
// honest signers do not send or that routers read differently.
var (
	segments   = []string{"v1", "items", "orders", "a", "b", "x", "A", "a-b_c.d~e", "42", "long-segment-0123456789"}
	rare       = []string{"a%20b", "%C3%A4", "x%3Ay", "100%25", "%25zz", "%2541", "%252F", "%2B", "%3F", "%23x", ".hidden", "...", "x.y", "%E4%B8%AD%E6%96%87"}
	raws       = []string{"x:y", "a+b", "a@b", "!$&'()*,=", "a;b", "a,b", "(1)", "*", "=", "%c3%a4", "%e4", "%3ay", "%2b"}
	odd        = []string{"", ".", "..", "", "%2E", "%2e%2e", "%2F", "a%2fb", "%5C", "a%5cb", "\\", "%61", "%7E", "%5Fx", "%", "%4", "%zz", "%00", "a%0db", "%0A", "%1f", "ä", "\x80", "{x}", "|", "^", "\"q\"", "<", "`", "#", "a#b"}
	names      = []string{"a", "a", "b", "c", "q", "a-b", "aa", "A", "x", "page"}
	oddNames   = []string{"a%2Fb", "a/b", "a%20b", "a+b", "%C3%A9", "a%7Eb", "a~b", "%61", "a_b", "x%3Dy", "a%26b", "X-Custom", "x-sdk-date", "X-Amz-Meta", "a.b", "aZ", "a%c3%a4"}
	values     = []string{"1", "2", "10", "", "x", "y", "abc", "a-b", "true"}
	oddValues  = []string{"a%20b", "a+b", "a%2Bb", "%2F", "/", "%C3%A4", "%e4", "a=b", "=", "%26", "%3D", "~", "%7E", "?", "a?b", "%00", ":", "@", "%25", "%2541", "ä", "'", "\"", "(", "*", "%0A", "!"}
	parameters = []string{"X-Sdk-Signature", "X-Sdk-Credential", "X-Sdk-Algorithm", "X-Sdk-Date", "X-Sdk-Expires", "x-sdk-signature",
		"X-Sdk-SignedHeaders", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Algorithm", "X-Amz-Date", "x-amz-signature", "X-Amz-Expires",
		"X-Amz-SignedHeaders", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "x-amz-content-sha256", "X-Amz-Region-Set", "X%2DSdk%2DSignature", "X-Amz-%53ignature"}
)

// path returns a path: most are plain, and the stranger the rarer.
func (d dice) path() string {
	var b strings.Builder
	kind := d.IntN(20)
	for range 1 + d.IntN(4) {
		b.WriteByte('/')
		list := segments
		switch {
		case kind >= 18 && d.one(2):
			list = odd
		case kind >= 14 && d.one(2):
			list = raws
		case kind >= 8 && d.one(2):
			list = rare
		}
		b.WriteString(pick(d, list))
	}
	if d.one(5) {
		b.WriteByte('/')
	}
	switch d.IntN(400) {
	case 0:
		return "*"
	case 1:
		return "http://api.example.com" + b.String()
	case 2:
		return "/"
	case 3:
		return b.String()[1:]
	case 4:
		return "/" + strings.Repeat("long-segment/", d.IntN(5600))
	case 5:
		return b.String() + pick(d, []string{"\x00", "\r", "%00", "%0D%0A", " ", "\t"})
	}
	return b.String()
}

// queryString returns a query without the question mark.
func (d dice) queryString() string {
	var pieces []string
	kind := d.IntN(20)
	for range d.IntN(5) {
		name, value, equals := pick(d, names), pick(d, values), "="
		if kind >= 10 && d.one(3) {
			name = pick(d, oddNames)
		}
		if kind >= 10 && d.one(2) {
			value = pick(d, oddValues)
		}
		if value == "" && d.one(2) {
			equals = ""
		}
		piece := name + equals + value
		if kind >= 18 && d.one(5) {
			piece = pick(d, []string{"", "", "=1", "=", ";", "a;b", "a=1;b=2", "%", "a=%z", "a=%", "%zz=1", "a=1#f", "a=%3B", "a=1%00"})
		}
		if kind >= 19 && d.one(4) {
			piece = pick(d, parameters) + "=" + pick(d, values)
		}
		pieces = append(pieces, piece)
	}
	if d.one(500) {
		for i := range pick(d, []int{1020, 1023, 1024, 1025}) {
			pieces = append(pieces, fmt.Sprintf("p%d=%d", i*7919%1024, i))
		}
	}
	return strings.Join(pieces, "&")
}
