package core

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// A PatternError says why an API cannot be bound to a pattern: no request would
// match it that anybody sends, and the API would silently be the default's. Most
// often it is written as another router writes its patterns. [New] and
// [Verifier.Reload] return one for each such pattern, joined with what else they
// find; errors.AsType gives the first.
type PatternError struct {
	// Pattern is the [API].Match.
	Pattern string
	// Reason says what is wrong with it.
	Reason string
	// Instead are the patterns to write in its place. It is empty where what is
	// meant cannot be told. What they match can be more or less than what the other
	// router matched: [net/http.ServeMux] has no expressions and no optional parts.
	Instead []string
}

// Error returns the reason, and what to write instead.
func (e *PatternError) Error() string {
	if len(e.Instead) == 0 {
		return e.Reason + `; a pattern is [METHOD ][HOST]/PATH, as in "GET /orders/{id}" or "/orders/"`
	}
	quoted := make([]string, len(e.Instead))
	for i, pattern := range e.Instead {
		quoted[i] = fmt.Sprintf("%q", pattern)
	}
	return e.Reason + "; write " + strings.Join(quoted, " and ")
}

// checkPattern refuses patterns that ServeMux may take and that no request matches
// which a client sends and which is not ambiguous, and patterns that are written in
// the syntax of another router. It leaves to ServeMux how wildcards may stand
// together.
//
// A character that another router's syntax uses can be meant literally: it is then
// written percent-encoded, which ServeMux undoes.
func checkPattern(pattern string) error {
	if reason := whyDead(pattern); reason != "" {
		return &PatternError{Pattern: pattern, Reason: reason, Instead: respell(pattern)}
	}
	return nil
}

// splitPattern splits [METHOD ][HOST]/PATH as ServeMux does. The path is empty
// where there is no slash.
func splitPattern(pattern string) (method, host, path string) {
	rest := pattern
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		method, rest = pattern[:i], strings.TrimLeft(pattern[i:], " \t")
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return method, rest[:i], rest[i:]
	}
	return method, rest, ""
}

// whyDead says why the pattern can match no request. It returns "" if it can match one.
func whyDead(pattern string) string {
	if trimmed := strings.TrimSpace(pattern); trimmed != pattern && trimmed != "" {
		return "it begins or ends with a blank"
	}
	method, host, path := splitPattern(pattern)
	if reason := whyNoMethod(method, pattern); reason != "" {
		return reason
	}
	switch {
	case path == "":
		return "it has no path, which begins with a slash"
	case strings.HasSuffix(host, ":") && strings.HasPrefix(path, "//"):
		return "it is a URL, and a pattern has no scheme"
	case host != "" && !isName(host):
		return "the host is not a name in lower case, without port and final dot, so no request would match"
	case host != "" && method == http.MethodConnect:
		return "CONNECT requests are refused where an API is bound by its host"
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		if segment == "" && !last {
			return "it has an empty segment (//), which no clean path has"
		}
		if reason := whyNoSegment(segment, last); reason != "" {
			return reason
		}
	}
	return ""
}

// whyNoMethod says why no request can have the method. It returns "" if one can.
func whyNoMethod(method, pattern string) string {
	plain := !strings.ContainsFunc(method, func(r rune) bool {
		return r != '-' && r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
	switch {
	case method == "":
		return ""
	case method[0] == '/':
		return "it has a blank in the path; a literal one is written %20, and a method stands in front of the path"
	case isAnyMethod(method):
		return fmt.Sprintf("%q is no method; a pattern without one is for all of them", method)
	case len(knownMethods(head(pattern))) > 1:
		return "a pattern has one method"
	case !plain:
		return fmt.Sprintf("%q is no method", method)
	case strings.ToUpper(method) != method:
		return "the method is not in upper case, so no request would have it"
	}
	return ""
}

// whyNoSegment says why a segment is neither a wildcard nor text that a clean path can
// have. It returns "" if it is one of them.
func whyNoSegment(segment string, last bool) string {
	if strings.ContainsAny(segment, "{}") {
		if isWildcard(segment) {
			return ""
		}
		return fmt.Sprintf("%q is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _", segment)
	}
	for _, r := range segment {
		if r <= unicode.MaxASCII && !inPath(byte(r)) || r > unicode.MaxASCII && !unicode.IsPrint(r) {
			return whyNotInPath(segment, r)
		}
	}
	text, err := url.PathUnescape(segment)
	switch {
	case err != nil:
		return "a percent sign is not followed by two hexadecimal digits; a literal one is written %25, and a wildcard {name}"
	case text == "." || text == "..":
		return "it has a dot segment, which no clean path has"
	case strings.Contains(text, "/"):
		return "it has an encoded slash, and a request with one is ambiguous, as routers that decode it take the path for another; bind all paths of the folder above"
	case strings.ContainsAny(text, "\x00\r\n"):
		return "it has NUL or a line end, and a request with one is refused"
	case strings.ContainsAny(text, "{}"), strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">"):
		return fmt.Sprintf("%q is an encoded wildcard; one is written {name}", segment)
	case segment == "..." && last:
		return "... is no wildcard; a slash at the end stands for all paths below, or {name...}"
	case strings.HasPrefix(segment, ":"):
		return fmt.Sprintf("%q is no wildcard; one is written {name}, and a literal colon at the start of a segment %%3A", segment)
	case strings.Contains(segment, ".*"), strings.Contains(segment, ".+"), strings.HasPrefix(segment, "("):
		return fmt.Sprintf("%q is a regular expression; a wildcard is written {name}, a literal star %%2A, plus sign %%2B, parenthesis %%28", segment)
	case strings.HasPrefix(segment, "*"), strings.Contains(segment, "**"), last && strings.HasSuffix(segment, "*"):
		return fmt.Sprintf("%q is no wildcard; one is written {name}, all paths below are a slash at the end or {name...}, and a literal star is %%2A", segment)
	case last && strings.HasSuffix(segment, "$"):
		return "$ does not mark the end of a path; a literal one is written %24"
	}
	return ""
}

// whyNotInPath says what is wrong with a character that no path in a URL has.
func whyNotInPath(segment string, r rune) string {
	switch r {
	case '?':
		return "a pattern has no query and no optional parts; a literal question mark is written %3F"
	case '#':
		return "a pattern has no fragment; a literal # is written %23"
	case '<', '>', '[', ']':
		return fmt.Sprintf("%q is no wildcard; one is written {name}, and a literal %c %s", segment, r, url.PathEscape(string(r)))
	}
	return fmt.Sprintf("%q does not stand in the path of a URL; a literal one is written %s", r, url.PathEscape(string(r)))
}

// inPath reports whether a character of ASCII can stand in a path as it is: RFC
// 3986, section 3.3.
func inPath(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@%", c) >= 0
}

// isWildcard reports whether a segment is one of ServeMux's wildcards.
func isWildcard(segment string) bool {
	name, opened := strings.CutPrefix(segment, "{")
	name, closed := strings.CutSuffix(name, "}")
	if name == "$" {
		return opened && closed
	}
	return opened && closed && isIdentifier(strings.TrimSuffix(name, "..."))
}

// isIdentifier reports whether a name is an identifier of Go, as the name of a
// wildcard is.
func isIdentifier(name string) bool {
	for i, r := range name {
		if !unicode.IsLetter(r) && r != '_' && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return name != ""
}

// isAnyMethod reports whether a text stands for all methods elsewhere.
func isAnyMethod(text string) bool {
	switch strings.ToUpper(text) {
	case "ANY", "ALL", "*", "**", ".*", "X-AMAZON-APIGATEWAY-ANY-METHOD":
		return true
	}
	return false
}
