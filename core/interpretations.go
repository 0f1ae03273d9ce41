package core

import (
	"net/url"
	"slices"
	"strings"
)

// An interpretation is a path as some router would match it, in the form that
// makes ServeMux match it so.
type interpretation struct {
	text, escaped string // decoded and percent-encoded
	subtree       bool   // only patterns of subtrees match the path
}

// emptyParameter is the segment that stands for an empty one which a router takes
// for the value of a parameter. No path and no pattern has it.
const emptyParameter = "\x00"

// What a path of which there are several interpretations may have, where APIs are bound by
// patterns. Each costs, before the credential is looked at.
const (
	mostSegments = 128
	mostOddPath  = 8 << 10
)

// isTooOdd reports whether a path has too many interpretations, or too long ones. Some of its
// segments may be behind encoded slashes.
func isTooOdd(path string) bool {
	return len(path) > mostSegments && !isPlain(path) &&
		(len(path) > mostOddPath || strings.Count(path, "/")+strings.Count(path, "%2f")+strings.Count(path, "%2F") > mostSegments)
}

// isPlain reports whether all routers take a path for the same: nothing in it is
// encoded, it has no dot segments, no empty ones and no final slash.
func isPlain(path string) bool {
	return strings.IndexByte(path, '%') < 0 && !strings.Contains(path, "/.") && !strings.Contains(path, "//") &&
		(path == "/" || !strings.HasSuffix(path, "/"))
}

// interpretations returns what usual routers take a received path for, each
// interpretation once, and first the one of ServeMux where that does not redirect.
// Routers match a path
//
//   - decoded segment by segment (ServeMux), decoded as a whole (Gin, and
//     whoever reads URL.Path), or as it was received where its encoding is not
//     the usual one (Echo and chi, which read URL.RawPath);
//   - as it stands (Echo, Gin, chi), or without dot segments and empty segments
//     (ServeMux, which redirects, and proxies);
//   - with empty segments as values of parameters (Echo, Gin), or only as a
//     part of what is below a prefix.
//
// It reports false for a path that cannot be decoded.
func interpretations(path string) (all []interpretation, ok bool) {
	raw := strings.Split(path[1:], "/")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil, false
	}
	whole := strings.Split(decoded[1:], "/")
	forms := [][]string{unescape(raw), unescape(withoutDots(raw)), whole, withoutDots(whole)}
	if path != (&url.URL{Path: decoded}).EscapedPath() {
		forms = append(forms, raw, withoutDots(raw))
	}
	for _, segments := range forms {
		for _, i := range byEmptySegments(segments) {
			if !slices.Contains(all, i) {
				all = append(all, i)
			}
		}
	}
	return all, true
}

// withoutDots resolves dot segments and drops empty segments, but for a final one.
func withoutDots(segments []string) []string {
	kept := make([]string, 0, len(segments))
	for _, s := range segments {
		switch s {
		case "", ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, s)
		}
	}
	if segments[len(segments)-1] == "" || len(kept) == 0 {
		kept = append(kept, "")
	}
	return kept
}

// unescape decodes each segment of a path that can be decoded.
func unescape(segments []string) []string {
	decoded := make([]string, len(segments))
	for i, s := range segments {
		decoded[i], _ = url.PathUnescape(s)
	}
	return decoded
}

// byEmptySegments returns the interpretations of a path that differ in what its
// empty segments are. A final one is a final slash to all routers.
func byEmptySegments(segments []string) []interpretation {
	i := slices.Index(segments, "")
	if i < 0 || i == len(segments)-1 {
		return []interpretation{newInterpretation(segments)}
	}
	below := newInterpretation(segments[:i+1])
	below.subtree = true
	parameters := slices.Clone(segments)
	for ; i < len(segments)-1; i++ {
		if segments[i] == "" {
			parameters[i] = emptyParameter
		}
	}
	return []interpretation{newInterpretation(parameters), below}
}

// newInterpretation encodes dots as well, since ServeMux would resolve them.
func newInterpretation(segments []string) interpretation {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		switch s {
		case ".", "..":
			escaped[i] = strings.ReplaceAll(s, ".", "%2e")
		default:
			escaped[i] = url.PathEscape(s)
		}
	}
	return interpretation{text: "/" + strings.Join(segments, "/"), escaped: "/" + strings.Join(escaped, "/")}
}
