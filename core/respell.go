package core

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// respell returns the patterns that somebody may have meant who wrote a pattern in
// the syntax of another router, as a proposal in an error. It returns none if it does not
// understand the whole pattern.
func respell(pattern string) (all []string) {
	methods, host, path := meant(strings.TrimSpace(pattern))
	if path == "" {
		return nil
	}
	for _, path := range respellPath(path) {
		for _, method := range methods {
			if method != "" {
				method += " "
			}
			all = append(all, method+host+path)
		}
	}
	for _, proposal := range all {
		if whyDead(proposal) != "" || register(http.NewServeMux(), proposal, new(binding)) != nil {
			return nil
		}
	}
	return all
}

var (
	withScheme = regexp.MustCompile(`^(.*?)[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s]*(.*)$`)
	variable   = regexp.MustCompile(`[$#%]?\{+[^{}/]*\}+`)
	port       = regexp.MustCompile(`:[0-9]+$`)
	version    = regexp.MustCompile(` HTTP/[0-9.]+$`)
	spaceSlash = regexp.MustCompile(`[ \t]/`)
	hostWord   = regexp.MustCompile(`[A-Za-z0-9._-]+`)
)

// meant splits a pattern of another router into methods, host and path, which ServeMux
// could not. The methods are "" alone for all methods. The path is empty if the pattern
// has a part that is none of the three.
func meant(pattern string) (methods []string, host, path string) {
	front := head(pattern)
	path = pattern[len(front):]
	if whole := withScheme.FindStringSubmatch(pattern); whole != nil {
		front, path = whole[1], cmp.Or(whole[2], "/")
	}
	path = version.ReplaceAllString(path, "")
	words := strings.Fields(path)
	switch {
	case path == "":
		front, path = withoutSlash(pattern)
	case len(words) == 2 && front == "" && len(knownMethods(words[1])) > 0: // the method behind the path
		path, front = words[0], words[1]
	case slices.ContainsFunc(words[1:], func(word string) bool { return word[0] == '/' || len(knownMethods(word)) > 0 }):
		return nil, "", "" // two patterns
	}
	if strings.Contains(front, "*.") { // some hosts, and a pattern without one is for all
		return nil, "", ""
	}
	front = port.ReplaceAllString(variable.ReplaceAllString(front, ""), "")
	found, unknown := hostWord.FindAllStringIndex(front, -1), false
	for _, at := range found {
		word := front[at[0]:at[1]]
		labels := strings.Split(strings.TrimSuffix(word, "."), ".")
		switch {
		case len(knownMethods(word)) == 1:
			methods = append(methods, strings.ToUpper(word))
		case isAnyMethod(word), strings.Trim(word, ".-_") == "":
		case at[1] < len(front): // nothing that belongs to the path
			unknown = true
		case len(labels) == 1, isService(labels):
			path = "/" + word + path
		default:
			host = strings.Join(labels, ".")
		}
	}
	if len(methods) == 0 {
		methods = []string{""}
	} else if unknown {
		return nil, "", ""
	}
	return methods, strings.ToLower(host), path
}

// withoutSlash splits a pattern without any slash.
func withoutSlash(pattern string) (front, path string) {
	words := strings.Fields(pattern)
	if len(words) == 0 || strings.HasPrefix(words[len(words)-1], "$") {
		return "", ""
	}
	last := words[len(words)-1]
	if isService(strings.Split(last, ".")) {
		last += "/"
	}
	return strings.Join(words[:len(words)-1], " "), "/" + last
}

// isService reports whether labels are the name of a gRPC service, and not a host's:
// payments.v1.Payments.
func isService(labels []string) bool {
	last := labels[len(labels)-1]
	return len(labels) > 1 && strings.ToUpper(last) != last && unicode.IsUpper(rune(last[0]))
}

// head returns what stands in front of the path.
func head(pattern string) string {
	if strings.HasPrefix(pattern, "/") {
		return ""
	}
	if at := spaceSlash.FindStringIndex(pattern); at != nil {
		return pattern[:at[1]-1]
	}
	front, _, _ := strings.Cut(pattern, "/")
	return front
}

// knownMethods returns the methods of a list in any of the usual forms, nil if
// there is another word in it.
func knownMethods(list string) (methods []string) {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r != '-' && r != '.' && !unicode.IsLetter(r) }) {
		switch word = strings.ToUpper(word); word {
		case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
			http.MethodOptions, http.MethodConnect, http.MethodTrace, "QUERY":
			methods = append(methods, word)
		default:
			return nil
		}
	}
	return methods
}

// respellPath returns the path with ServeMux's wildcards: two where a star stood for
// the path and for those below.
func respellPath(path string) []string {
	if i := strings.IndexByte(path, '#'); i >= 0 && !strings.HasPrefix(path[i:], "#{") {
		path = path[:i]
	}
	path = cmp.Or(strings.TrimSuffix(path, "/?"), "/")
	if i := strings.IndexByte(path, '?'); i >= 0 && (i == len(path)-1 || strings.Contains(path[i:], "=")) && !strings.ContainsAny(path[:i], "({[<") {
		path = path[:i]
	}
	path = strings.TrimSuffix(path, "$")
	segments := cutPath(path)
	named := map[string]bool{}
	for i, segment := range segments {
		last := i == len(segments)-1
		if segment == "" || whyNoSegment(segment, last) == "" {
			continue
		}
		if segment == "." || segment == ".." {
			continue // cleaned below
		}
		if text := strings.TrimSuffix(strings.TrimSuffix(segment, "*"), "."); last && text != segment && text != "" && whyNoSegment(text, true) == "" {
			segments[i] = text
			whole := clean(strings.Join(segments, "/"))
			return []string{whole, whole + "/"}
		}
		name, rest, ok := wildcard(segment)
		if !ok {
			if segments[i] = escapeSegment(segment); segments[i] == "" {
				return nil
			}
			continue
		}
		if rest && name == "" && (last || segment == "**") {
			return []string{clean(strings.Join(segments[:i], "/") + "/")}
		}
		name = cmp.Or(name, "id")
		base := name
		for n := 2; named[name]; n++ {
			name = base + strconv.Itoa(n)
		}
		named[name] = true
		if segments[i] = "{" + name + "}"; rest && last {
			segments[i] = "{" + name + "...}"
		}
	}
	return []string{clean(strings.Join(segments, "/"))}
}

// cutPath cuts a path at the slashes that do not stand in brackets.
func cutPath(path string) (segments []string) {
	depth, start := 0, 0
	for i := range len(path) {
		switch path[i] {
		case '{', '(', '[', '<':
			depth++
		case '}', ')', ']', '>':
			depth--
		case '/':
			if depth <= 0 {
				segments, start = append(segments, path[start:i]), i+1
			}
		}
	}
	return append(segments, path[start:])
}

// identifier is more than ServeMux takes as one. What it does not take is not proposed.
const (
	identifier = `(` + letter + `(?:` + letter + `|[0-9])*)`
	letter     = `[A-Za-z_\x80-\x{10ffff}]`
)

var (
	// The rest of a path in the syntax of other routers, with and without a name.
	namedRest = []*regexp.Regexp{
		regexp.MustCompile(`^\*` + identifier + `$`),
		regexp.MustCompile(`^:` + identifier + `(?:[*+]|\(\.[*+]\)|\{\.[*+]\})$`),
		regexp.MustCompile(`^\{\s*(?:\*{1,2}|\.\.\.)` + identifier + `\s*\}$`),
		regexp.MustCompile(`^\{\s*` + identifier + `\s*(?:[*+]|[:=]\s*(?:\.[*+]|\(\.[*+]\)|\*{1,2}|path))\s*\}$`),
		regexp.MustCompile(`^<path:` + identifier + `>$`),
		regexp.MustCompile(`^\[{1,2}\.\.\.` + identifier + `\]{1,2}$`),
		regexp.MustCompile(`^\(\?P?<` + identifier + `>\.[*+]\)$`),
	}
	unnamedRest = regexp.MustCompile(`^(?:\*{1,2}|\(?\.[*+]\)?|\.\.\.|\{(?:\.\.\.|\*{1,2})\})[?$]?$`)
	// One segment.
	converted = regexp.MustCompile(`^<(?:\w+(?:\([^()]*\))?:)?\s*` + identifier + `\s*>`)
	bracketed = regexp.MustCompile(`^(?::|\[|\{\{?\s*|\(\?P?<)` + identifier)
	inBraces  = regexp.MustCompile(`\{+\s*` + identifier)
	anonymous = regexp.MustCompile(`^(?:(?:\\[dw]|\[[^\]]*\]|\([^?].*\)|%[sdv]|\{[0-9]*\}|<>)[*+?]?|\*.*)$`)
)

// wildcard says what a wildcard of another router matches: one segment, or the rest of
// the path.
func wildcard(segment string) (name string, rest, ok bool) {
	if text, err := url.PathUnescape(segment); err == nil && strings.ContainsAny(text, "{}<>") {
		segment = text
	}
	for _, form := range namedRest {
		if found := form.FindStringSubmatch(segment); found != nil {
			return found[1], true, true
		}
	}
	if unnamedRest.MatchString(segment) {
		return "", true, true
	}
	for _, form := range []*regexp.Regexp{converted, bracketed, inBraces} {
		if found := form.FindStringSubmatch(hyphens(segment)); found != nil {
			return found[1], false, true
		}
	}
	return "", false, anonymous.MatchString(segment)
}

var hyphenated = regexp.MustCompile(`\{\s*` + letter + `(?:` + letter + `|[0-9.-])*(?:` + letter + `|[0-9])\s*\}`)

// hyphens makes names in braces identifiers: {user-id} becomes {user_id}.
func hyphens(segment string) string {
	return hyphenated.ReplaceAllStringFunc(segment, strings.NewReplacer("-", "_", ".", "_").Replace)
}

// escapeSegment percent-encodes what cannot stand in a path as it is. It returns ""
// for what looks like an expression.
func escapeSegment(segment string) string {
	if strings.ContainsAny(segment, `\^|?*+()[]{}<>$%`) {
		return ""
	}
	return url.PathEscape(segment)
}
