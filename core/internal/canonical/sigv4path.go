package canonical

import (
	"errors"
	"strings"
)

// Errors of [SigV4Path.Check], beside those that every scheme has.
var (
	ErrPathSegment   = errors.New("path has an empty segment")
	ErrPathBackslash = errors.New("path holds a backslash that is not encoded")
)

// SigV4Path is a rule for the path in a canonical request of SigV4.
type SigV4Path uint8

const (
	// EncodedTwice is the rule of every service but S3: what stood on the wire
	// is normalised and encoded once more.
	EncodedTwice SigV4Path = iota
	// EncodedOnce is the rule of S3: what stood on the wire is decoded and
	// encoded again, and nothing is normalised.
	EncodedOnce
)

// Check refuses paths whose canonical form hides differences that a router can
// see.
//
// For EncodedTwice these are the paths that normalisation changes: with empty
// segments or dot segments. An encoded character stays visible, since its
// percent sign is encoded.
//
// For EncodedOnce they are an encoded slash, an encoded unreserved character,
// and a backslash as it stands, which only malformed targets hold: the key a\b
// is sent as a%5Cb. Empty segments and dot segments are not hidden: they belong
// to the names of objects, and each has one spelling.
func (p SigV4Path) Check(path string) error { return p.check(path, shapeOf(path)) }

func (p SigV4Path) check(path string, s shape) error {
	if p == EncodedOnce {
		return checkObjectPath(path)
	}
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

func checkObjectPath(path string) error {
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
func (p SigV4Path) Append(dst []byte, path string) []byte {
	return p.append(dst, path, shapeOf(path))
}

func (p SigV4Path) append(dst []byte, path string, s shape) []byte {
	if p == EncodedOnce {
		dst = appendPath(dst, path, s)
		if path[len(path)-1] != '/' {
			dst = dst[:len(dst)-1] // AppendPath ends every path with a slash
		}
		return dst
	}
	if s.plain() {
		return append(dst, path...)
	}
	for i := 0; i < len(path); i++ {
		if path[i] == '/' {
			dst = append(dst, '/')
		} else {
			dst = appendByte(dst, path[i])
		}
	}
	return dst
}
