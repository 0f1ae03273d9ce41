package core_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestPatternReasons_T175: what each error says, in whole.
func TestPatternReasons_T175(t *testing.T) {
	const usage = `; a pattern is [METHOD ][HOST]/PATH, as in "GET /orders/{id}" or "/orders/"`
	for pattern, reason := range map[string]string{
		" /a":                   `it begins or ends with a blank`,
		"/a ":                   `it begins or ends with a blank`,
		" healthz ":             `it begins or ends with a blank`,
		"\t":                    `it has no path, which begins with a slash`,
		"":                      `it has no path, which begins with a slash`,
		"GET healthz":           `it has no path, which begins with a slash`,
		"https://example.com/a": `it is a URL, and a pattern has no scheme`,
		"a:/x":                  `the host is not a name in lower case, without port and final dot, so no request would match`,
		"a//x":                  `it has an empty segment (//), which no clean path has`,
		"example.com./a":        `the host is not a name in lower case, without port and final dot, so no request would match`,
		"CONNECT example.com/":  `CONNECT requests are refused where an API is bound by its host`,
		"//a":                   `it has an empty segment (//), which no clean path has`,
		"/a b":                  `it has a blank in the path; a literal one is written %20, and a method stands in front of the path`,
		"GET\t /x y":            `' ' does not stand in the path of a URL; a literal one is written %20`,
		"ANY /a":                `"ANY" is no method; a pattern without one is for all of them`,
		"GET,POST /a":           `a pattern has one method`,
		"G@T /a":                `"G@T" is no method`,
		"G\u00c9T /a":           "\"G\u00c9T\" is no method",
		"x_y-1 /a":              `the method is not in upper case, so no request would have it`,
		"/a/{":                  `"{" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/%":                    `a percent sign is not followed by two hexadecimal digits; a literal one is written %25, and a wildcard {name}`,
		"/%2e/x":                `it has a dot segment, which no clean path has`,
		"/a%2Fb":                `it has an encoded slash, and a request with one is ambiguous, as routers that decode it take the path for another; bind all paths of the folder above`,
		"/a%00":                 `it has NUL or a line end, and a request with one is refused`,
		"/%7Bx%7D":              `"%7Bx%7D" is an encoded wildcard; one is written {name}`,
		"/%3Cx%3E":              `"%3Cx%3E" is an encoded wildcard; one is written {name}`,
		"/a/...":                `... is no wildcard; a slash at the end stands for all paths below, or {name...}`,
		"/:id":                  `":id" is no wildcard; one is written {name}, and a literal colon at the start of a segment %3A`,
		"/x.+":                  `"x.+" is a regular expression; a wildcard is written {name}, a literal star %2A, plus sign %2B, parenthesis %28`,
		"/a**/b":                `"a**" is no wildcard; one is written {name}, all paths below are a slash at the end or {name...}, and a literal star is %2A`,
		"/x*":                   `"x*" is no wildcard; one is written {name}, all paths below are a slash at the end or {name...}, and a literal star is %2A`,
		"/a$":                   `$ does not mark the end of a path; a literal one is written %24`,
		"/a?":                   `a pattern has no query and no optional parts; a literal question mark is written %3F`,
		"/a#b":                  `a pattern has no fragment; a literal # is written %23`,
		"/[a]":                  `"[a]" is no wildcard; one is written {name}, and a literal [ %5B`,
		"/a\u00a0b":             `'\u00a0' does not stand in the path of a URL; a literal one is written %C2%A0`,
		"/{1a}":                 `"{1a}" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/{a":                   `"{a" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/a}":                   `"a}" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/{$":                   `"{$" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/$}":                   `"$}" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/}a{":                  `"}a{" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/{}":                   `"{}" is no wildcard: one is a whole segment, {name}, or {name...} for the rest of the path, and a name is letters, digits and _`,
		"/<a>":                  `"<a>" is no wildcard; one is written {name}, and a literal < %3C`,
		"/a>":                   `"a>" is no wildcard; one is written {name}, and a literal > %3E`,
		"/a]":                   `"a]" is no wildcard; one is written {name}, and a literal ] %5D`,
		"/Z[":                   `"Z[" is no wildcard; one is written {name}, and a literal [ %5B`,
		"any /a":                `"any" is no method; a pattern without one is for all of them`,
		"GET|POST|PUT /a":       `a pattern has one method`,
		"/a|b":                  `'|' does not stand in the path of a URL; a literal one is written %7C`,
		"/a\u2028b":             `'\u2028' does not stand in the path of a URL; a literal one is written %E2%80%A8`,
		"/a\x7fb":               `'\x7f' does not stand in the path of a URL; a literal one is written %7F`,
	} {
		_, err := bound(pattern)
		problem, ok := errors.AsType[*core.PatternError](err)
		if !ok {
			t.Errorf("%q: got %v", pattern, err)
			continue
		}
		want := reason + usage
		if len(problem.Instead) > 0 {
			want = reason + `; write "` + strings.Join(problem.Instead, `" and "`) + `"`
		}
		if problem.Reason != reason || problem.Error() != want {
			t.Errorf("%q: got  %v\nwant %s", pattern, problem, want)
		}
	}
	for _, pattern := range []string{"X_Y-1 /a", "/.../a", "/%3Ca", "/a%3E", "/Zz9", "/a$/{$}", "/{x}", "/{_1...}", "/x*/a", "/a$/b", "/\u00e9"} {
		if _, err := bound(pattern); err != nil {
			t.Errorf("%q: got %v", pattern, err)
		}
	}
}
