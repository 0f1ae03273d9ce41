package awstools_test

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// collide reports whether two raw requests that differ in their target only
// have one signature, and mean the same to handlers. The canonical form of
// SigV4 hides how a query is encoded, in what order its parameters stand, and
// the difference of ?b and ?b=; that of S3 hides how a path is encoded. This is
// the one place where a changed target may be accepted, and it shares no code
// with the library.
func collide(paths sigv4.Paths, a, b []byte) bool {
	pathA, queryA := target(a)
	pathB, queryB := target(b)
	px, okx := path(paths, pathA)
	py, oky := path(paths, pathB)
	qx, okqx := query(queryA)
	qy, okqy := query(queryB)
	return okx && oky && okqx && okqy && px == py && slices.Equal(qx, qy)
}

func target(raw []byte) (path, query string) {
	line, _, _ := strings.Cut(string(raw), " HTTP/")
	_, target, _ := strings.Cut(line, " ")
	path, query, _ = strings.Cut(target, "?")
	return path, query
}

// path returns what of a path the signature covers. It is false for what must
// be refused although it decodes: what a router can tell apart.
func path(paths sigv4.Paths, raw string) (string, bool) {
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

// query returns the decoded parameters, sorted; false for malformed ones.
func query(raw string) (pairs [][2]string, ok bool) {
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
