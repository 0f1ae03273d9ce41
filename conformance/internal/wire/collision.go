package wire

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// Collide reports whether two raw requests that differ only in their target have the same
// signature and the same meaning for handlers. Every canonical request hides the encoding
// of the query, the order of its parameters, and the difference between ?b and ?b=. path
// returns the part of a path that the signature covers, and false for a path that must be
// refused. Only for these requests may a changed target be accepted. Collide shares no
// code with the library.
func Collide(a, b []byte, path func(raw string) (covered string, ok bool)) bool {
	pathA, queryA := target(a)
	pathB, queryB := target(b)
	coveredA, okA := path(pathA)
	coveredB, okB := path(pathB)
	pairsA, decodedA := parameters(queryA)
	pairsB, decodedB := parameters(queryB)
	return okA && okB && decodedA && decodedB && coveredA == coveredB && slices.Equal(pairsA, pairsB)
}

// target returns the path and the query of a raw request.
func target(raw []byte) (path, query string) {
	line, _, _ := strings.Cut(string(raw), " HTTP/")
	_, target, _ := strings.Cut(line, " ")
	path, query, _ = strings.Cut(target, "?")
	return path, query
}

// parameters returns the decoded parameters, sorted; false for malformed ones.
func parameters(query string) (pairs [][2]string, ok bool) {
	for piece := range strings.SplitSeq(query, "&") {
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

// SigV4Path returns the function path for [Collide]. With the rule of S3, SigV4 hides the
// encoding of the path.
func SigV4Path(paths sigv4.Paths) func(raw string) (covered string, ok bool) {
	if paths == sigv4.S3 {
		return DecodedPath
	}
	return func(raw string) (string, bool) { return raw, true }
}

// DecodedPath returns the decoded path. It returns false for paths that must be refused
// because routers distinguish them from the decoded path.
func DecodedPath(raw string) (string, bool) {
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
