package canonical

import (
	"errors"
	"net/http"
	"strings"
)

// Errors of [PathRule.Check], beside those of [Message.CheckTarget].
var (
	ErrPathSegment   = errors.New("path has an empty segment")
	ErrPathBackslash = errors.New("path holds a backslash that is not encoded")
)

// A PathRule says how the path is written into a canonical request.
type PathRule uint8

const (
	// TrailingSlash is the rule of the SDK-* and V11 schemes: every segment is
	// decoded and encoded again, and the path ends with a slash. Double slashes
	// stay.
	TrailingSlash PathRule = iota
	// EncodedTwice is the rule of SigV4 for every service but S3: the path as
	// received is normalised and encoded once more.
	EncodedTwice
	// EncodedOnce is the rule of SigV4 for S3: the path is decoded and encoded
	// again, and nothing is normalised.
	EncodedOnce
)

// CheckPath is [PathRule.Check] for the path of r.
func (m *Message) CheckPath(r *http.Request, rule PathRule) error {
	t := m.targetFor(r)
	return rule.check(t.path, t.shape)
}

// Check refuses paths whose canonical form hides differences that a router can
// see.
//
// For TrailingSlash these are an encoded slash or backslash, an encoded
// unreserved character, and a dot segment. Whether the path ended with a slash is
// hidden as well; that cannot be told, and both spellings are one request.
//
// For EncodedTwice they are the paths that normalisation changes: those with
// empty segments or dot segments. An encoded character stays visible, since its
// percent sign is encoded.
//
// For EncodedOnce they are an encoded slash, an encoded unreserved character, and
// a backslash that is not encoded, which only malformed targets hold: the key a\b
// is sent as a%5Cb. Empty segments and dot segments are not hidden: they belong
// to the names of objects, and each has one spelling.
func (p PathRule) Check(path string) error { return p.check(path, shapeOf(path)) }

func (p PathRule) check(path string, s shape) error {
	switch p {
	case EncodedTwice:
		return checkNormal(path, s)
	case EncodedOnce:
		return checkObject(path)
	}
	return checkSegments(path, s)
}

func checkSegments(path string, s shape) error {
	if s&(coded|dot) == 0 {
		return nil
	}
	segment := 0 // where the current segment starts
	for i := 0; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if s := path[segment:i]; s == "." || s == ".." {
				return ErrPathDots
			}
			segment = i + 1
			continue
		}
		if path[i] == '%' {
			b, ok := unhex(path, i)
			switch {
			case !ok:
				return ErrPathEscape
			case b == '/' || b == '\\':
				return ErrPathSlash
			case unreserved[b]:
				return ErrPathEscaped
			}
			i += 2
		}
	}
	return nil
}

func checkNormal(path string, s shape) error {
	if path == "" || path[0] != '/' {
		return ErrTargetForm
	}
	if s&dot == 0 && !hasEmptySegment(path) {
		return nil
	}
	for rest, more := path[1:], true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch {
		case segment == "" && more:
			return ErrPathSegment
		case segment == "." || segment == "..":
			return ErrPathDots
		}
	}
	return nil
}

// hasEmptySegment reports whether two slashes stand in a row.
func hasEmptySegment(path string) bool {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' && path[i-1] == '/' {
			return true
		}
	}
	return false
}

func checkObject(path string) error {
	if path == "" || path[0] != '/' {
		return ErrTargetForm
	}
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			return ErrPathBackslash
		case '%':
			b, ok := unhex(path, i)
			switch {
			case !ok:
				return ErrPathEscape
			case b == '/':
				return ErrPathSlash
			case unreserved[b]:
				return ErrPathEscaped
			}
			i += 2
		}
	}
	return nil
}

// Append appends the canonical path of a path that has passed Check.
func (p PathRule) Append(dst []byte, path string) []byte { return p.append(dst, path, shapeOf(path)) }

func (p PathRule) append(dst []byte, path string, s shape) []byte {
	switch {
	case s.plain():
		dst = append(dst, path...)
	case p == EncodedTwice:
		dst = appendEncoded(dst, path)
	default:
		dst = appendDecoded(dst, path)
	}
	if p == TrailingSlash && (path == "" || path[len(path)-1] != '/') {
		dst = append(dst, '/')
	}
	return dst
}

// appendEncoded appends the path as received, encoded.
func appendEncoded(dst []byte, path string) []byte {
	for i := 0; i < len(path); i++ {
		if path[i] == '/' {
			dst = append(dst, '/')
		} else {
			dst = appendByte(dst, path[i])
		}
	}
	return dst
}

// appendDecoded appends the path, decoded and encoded.
func appendDecoded(dst []byte, path string) []byte {
	for i := 0; i < len(path); i++ {
		b := path[i]
		switch b {
		case '/':
			dst = append(dst, '/')
			continue
		case '%':
			b, _ = unhex(path, i)
			i += 2
		}
		dst = appendByte(dst, b)
	}
	return dst
}
