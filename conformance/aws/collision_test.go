package aws_test

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// collisions are pairs of targets with one signature: the canonical form
// (PROTOCOLS section 2) gives the same text for both. [collide] recognises them
// among changed requests; nothing else that is changed may be accepted.
var collisions = []struct {
	name, why    string
	s3           bool // by the rule of S3 alone
	signed, sent string
}{
	{"query escape digits", "names and values are decoded and encoded again", false, "/?q=%2Fx", "/?q=%2fx"},
	{"query letters encoded", "names and values are decoded and encoded again, and handlers see them decoded", false, "/?name=value", "/?n%61me=%76alue"},
	{"query reserved raw", "names and values are decoded and encoded again, and handlers see them decoded", false, "/?a=%2F%3A", "/?a=/:"},
	{"query space", "a handler reads + as a space", false, "/?q=a%20b", "/?q=a+b"},
	{"empty value", "the canonical query always has the equals sign", false, "/?b=", "/?b"},
	{"parameter order", "the canonical query is sorted by name", false, "/?a=1&b=2", "/?b=2&a=1"},
	{"value order", "the canonical query is sorted by name and then value", false, "/?k=1&k=2", "/?k=2&k=1"},
	{"empty piece", "between two ampersands there is no parameter, for handlers neither", false, "/?a=1&b=2", "/?a=1&&b=2&"},
	{"path escape digits", "RFC 3986 section 6.2.2.1: %c3 and %C3 are one; the path is decoded and encoded again", true, "/caf%C3%A9", "/caf%c3%a9"},
	{"path reserved raw", "the path is decoded and encoded again, and handlers see the decoded path", true, "/a%3Ab%40c", "/a:b@c"},
}

// TestCollisions: the pairs by the rule of S3 are told apart where paths are
// normalised and encoded twice.
func TestCollisions(t *testing.T) {
	for _, d := range doors {
		if d.presigned || d.service == "sts" {
			continue
		}
		for _, tt := range collisions {
			t.Run(d.name+"/"+tt.name, func(t *testing.T) {
				r := request{target: tt.signed}
				backend := d.start(t, &r)
				raw := d.signed(t, r)
				accepted(t, backend, raw)
				l := wire.Parse(t, raw)
				changed := wire.Splice(raw, " "+l.Target()+" HTTP/", " "+tt.sent+" HTTP/")
				if hidden := !tt.s3 || d.service == "s3"; collide(&d, raw, changed) != hidden {
					t.Errorf("collide(%q, %q): got %t, want %t: %s", l.Target(), tt.sent, !hidden, hidden, tt.why)
				} else if hidden {
					accepted(t, backend, changed)
				} else {
					refused(t, backend, changed, reasons["path"]...)
				}
			})
		}
	}
}

// collide reports whether two raw requests that differ in their target only
// are one of the pairs above. It shares no code with the library.
func collide(d *door, a, b []byte) bool {
	pathA, queryA := parts(a)
	pathB, queryB := parts(b)
	pa, okpa := pathOf(d.paths(), pathA)
	pb, okpb := pathOf(d.paths(), pathB)
	qa, okqa := queryOf(queryA)
	qb, okqb := queryOf(queryB)
	return okpa && okpb && okqa && okqb && pa == pb && slices.Equal(qa, qb)
}

// parts returns path and query of a raw request.
func parts(raw []byte) (path, query string) {
	line, _, _ := strings.Cut(string(raw), " HTTP/1.1\r\n")
	_, target, _ := strings.Cut(line, " ")
	path, query, _ = strings.Cut(target, "?")
	return path, query
}

// pathOf returns what of a path the signature covers. It is false for what must
// be refused although it decodes: what a router can tell apart.
func pathOf(paths sigv4.Paths, raw string) (string, bool) {
	if paths != sigv4.S3 {
		return raw, true
	}
	decoded, err := url.PathUnescape(raw)
	if err != nil || !strings.HasPrefix(raw, "/") || strings.ContainsAny(decoded, "\x00\r\n") || strings.Contains(raw, `\`) {
		return "", false
	}
	for _, escape := range escapes.FindAllString(raw, -1) {
		if plain, _ := url.PathUnescape(escape); plain == "/" || url.QueryEscape(plain) == plain { // unreserved
			return "", false
		}
	}
	return decoded, true
}

var escapes = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// queryOf returns the decoded parameters, sorted; false for malformed ones.
func queryOf(raw string) (pairs [][2]string, ok bool) {
	for piece := range strings.SplitSeq(raw, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || n == "" || strings.Contains(piece, ";") {
			return nil, false
		}
		pairs = append(pairs, [2]string{n, v})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	return pairs, true
}
