// Package canonical builds the parts of a canonical request from what stood on
// the wire: the raw request target and the received header values. Nothing here
// goes through a parsed query or a decoded path, because both lose what was
// signed.
//
// Functions append to a buffer of the caller's and allocate nothing on their
// own for requests of ordinary size.
package canonical

import (
	"errors"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// Errors of this package. Each names a request that a router and a verifier
// could read differently; none holds text of the request.
var (
	ErrTargetForm   = errors.New("the request line holds a whole URL, * or host:port in place of a path: send the path alone, such as /orders/7")
	ErrPathEscape   = errors.New("path has a malformed percent sequence")
	ErrPathControl  = errors.New("path holds NUL, CR or LF")
	ErrPathSlash    = errors.New("path holds an encoded slash or backslash")
	ErrPathEscaped  = errors.New("path holds an encoded unreserved character")
	ErrPathDots     = errors.New("path has a dot segment")
	ErrQueryEscape  = errors.New("query has a malformed percent sequence")
	ErrQuerySemi    = errors.New("query has a semicolon")
	ErrQueryName    = errors.New("query has a parameter without a name")
	ErrQueryCount   = errors.New("query has too many parameters")
	ErrHeaderAbsent = errors.New("a signed header is not in the request")
	ErrHeaderValue  = errors.New("a signed header holds NUL, CR or LF")
)

// Target returns the path and the query of r as they were received: of
// RequestURI where the server set it, so that a router or http.StripPrefix in
// front cannot change what was signed, and of URL otherwise (outgoing and
// hand-made requests). The query is without its question mark.
func Target(r *http.Request) (path, query string) {
	if r.RequestURI != "" {
		path, query, _ = authorization.CutByte(r.RequestURI, '?')
		return path, query
	}
	if path = r.URL.EscapedPath(); path == "" {
		path = "/"
	}
	return path, r.URL.RawQuery
}

// SetQuery replaces the query of r wherever [Target], which gave the path, looks
// for it.
func SetQuery(r *http.Request, path, query string) {
	r.URL.RawQuery = query
	if r.RequestURI != "" {
		if query != "" {
			path += "?" + query
		}
		r.RequestURI = path
	}
}

// target is the target of one request.
type target struct {
	path, query string
	shape       shape // of the path
}

// check refuses targets that can be read in two ways whatever the
// scheme: forms other than the origin form (RFC 9112 section 3.2.1), bad
// percent sequences, NUL, CR and LF in the path, and in the query semicolons,
// parameters without a name, and more than maxParams parameters. Empty pieces
// between ampersands are no parameters: handlers skip them as well. It finds the
// parameters of a plain query on the way, for q.
func (t *target) check(q *Query, maxParams int) error {
	if t.path == "" || t.path[0] != '/' {
		return ErrTargetForm
	}
	if !t.shape.plain() {
		if err := checkPathBytes(t.path); err != nil {
			return err
		}
	}
	query := t.query
	if query == "" {
		return nil
	}
	if q.splitPlain(query, maxParams) {
		return q.checkNames()
	}
	if err := checkQueryBytes(query); err != nil {
		return err
	}
	params := 0
	for rest, more := query, true; more; {
		var piece string
		if piece, rest, more = authorization.CutByte(rest, '&'); piece == "" {
			continue
		}
		if piece[0] == '=' {
			return ErrQueryName
		}
		if params++; params > maxParams {
			return ErrQueryCount
		}
	}
	return nil
}

func checkPathBytes(path string) error {
	for i := 0; i < len(path); i++ {
		b := path[i]
		if b == '%' {
			var ok bool
			if b, ok = unhex(path, i); !ok {
				return ErrPathEscape
			}
			i += 2
		}
		if b == 0 || b == '\r' || b == '\n' {
			return ErrPathControl
		}
	}
	return nil
}

func checkQueryBytes(query string) error {
	for i := 0; i < len(query); i++ {
		switch query[i] {
		case ';':
			return ErrQuerySemi
		case '%':
			if _, ok := unhex(query, i); !ok {
				return ErrQueryEscape
			}
			i += 2
		}
	}
	return nil
}

// A shape says, in bits, what a path may hold: what it does not need not be
// looked for.
type shape uint8

const (
	coded shape = 1 << iota // a byte that is encoded, or would be
	dot
)

// plain reports whether a path consists of unreserved characters and slashes, as
// most do.
func (s shape) plain() bool { return s&coded == 0 }

// shapes are those of single bytes.
var shapes = func() (of [256]shape) {
	for i, free := range unreserved {
		if !free {
			of[i] = coded
		}
	}
	of['.'], of['/'] = dot, 0
	return of
}()

func shapeOf(path string) (all shape) {
	for i := 0; i < len(path); i++ {
		all |= shapes[path[i]]
	}
	return all
}

// unhex decodes the percent sequence that starts at s[i].
func unhex(s string, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	hi, lo := fromHex[s[i+1]], fromHex[s[i+2]]
	return hi<<4 | lo, hi|lo < 16
}

const upperHex = "0123456789ABCDEF"

// fromHex holds the value of each hexadecimal digit, 0xff for other bytes.
// unreserved holds the characters that canonical forms leave alone
// (RFC 3986 section 2.3).
var fromHex, unreserved = func() (hex [256]byte, free [256]bool) {
	for i := range hex {
		hex[i] = 0xff
	}
	for i := range byte(10) {
		hex['0'+i] = i
		free['0'+i] = true
	}
	for i := range byte(6) {
		hex['a'+i], hex['A'+i] = 10+i, 10+i
	}
	for i := range byte(26) {
		free['a'+i], free['A'+i] = true, true
	}
	for _, c := range []byte("-_.~") {
		free[c] = true
	}
	return hex, free
}()

// appendByte appends b, percent-encoded with upper-case digits unless it is
// unreserved.
func appendByte(dst []byte, b byte) []byte {
	if unreserved[b] {
		return append(dst, b)
	}
	return append(dst, '%', upperHex[b>>4], upperHex[b&15])
}
