package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// warn reports what is likely to be a mistake in the fields that are not those of keys.
func (e *environment) warn(r *report) {
	if e.replay != nil {
		if !r.warnCut(e.replay.server) {
			r.warnOdd(e.replay.server.mark, e.store.url.Reveal(), address)
		}
	}
	for _, a := range e.apis {
		warnMethod(a.at["match"], a.method(), r)
		a.warn(e.policy.Rewrite.AddPrefix, r)
	}
	for i, method := range e.policy.Replay.ExemptMethods {
		warnMethod(e.at[fmt.Sprintf("replay.exempt_methods[%d]", i)], method, r)
	}
}

// warn reports values that are likely a mistake, and those that the gateway's console
// does not take.
func (k *keyEntry) warn(built key, r *report) {
	nameLimit.warn(k.at["name"], k.name, r)
	cut := map[mark]bool{}
	for _, ref := range k.references() {
		cut[ref.mark] = r.warnCut(ref)
	}
	k.values(built, func(f keyField, at mark, value string) {
		if !cut[at] && !r.warnOdd(at, value, f.manner) {
			f.limit.warn(at, value, r)
		}
	})
}

// warnCut reports a secret of which YAML has likely taken something off.
func (r *report) warnCut(ref secretRef) bool {
	if ref.cut != "" {
		r.add(ref.mark, ref.cut)
	}
	return ref.cut != ""
}

var usualMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY"}

// warnMethod reports a method that is likely mistyped, so that no request would have it.
func warnMethod(m mark, method string, r *report) {
	if method != "" && !slices.Contains(usualMethods, method) {
		r.add(m, fmt.Sprintf("the method %q is none of %s; is it mistyped?", method, strings.Join(usualMethods, ", ")))
	}
}

// method returns the method of the pattern, "" where it has none.
func (a *apiEntry) method() string {
	return a.Match[:max(0, strings.IndexAny(a.Match, " \t"))]
}

// warn reports a pattern that is valid and likely a mistake. stripped is the prefix that
// a proxy removes from paths. A pattern that no request would match is an error, which
// core reports.
func (a *apiEntry) warn(stripped string, r *report) {
	m := a.at["match"]
	host, path, _ := strings.Cut(strings.TrimLeft(a.Match[len(a.method()):], " \t"), "/")
	if path != "" && host != "" && host != "localhost" && !strings.Contains(host, ".") {
		r.add(m, fmt.Sprintf("%q is the host; a path begins with a slash", host))
	}
	if stripped != "" && strings.HasPrefix("/"+path+"/", stripped+"/") {
		r.add(m, fmt.Sprintf("it starts with %s, which rewrite.add_prefix says was stripped; a pattern is for the path as it is received", stripped))
	}
	if literal := foreign.FindString(path); literal != "" {
		r.add(m, fmt.Sprintf("%q is taken literally; a wildcard is a whole segment, {name}, "+
			"and percent-encoding shows that the character is meant", literal))
	}
	if a.Open && (strings.HasSuffix(path, "/") || path == "" || strings.HasSuffix(path, "...}")) {
		r.add(m, openSubtree)
	}
}

// openSubtree is also the text of a rule of gatewayauth check, which prints the warning
// once because the texts are equal.
const openSubtree = "every path below is open to everyone: list the paths that need no key, and write {$} at the end of a pattern for that path alone"

// foreign matches a segment that has another router's wildcard in it. Such a segment is
// a valid literal as well.
var foreign = regexp.MustCompile(`[^/]*(?:\*|[^0-9A-Za-z/:\x80-\x{10ffff}]:[A-Za-z_])[^/]*`)

// limit is what the gateway's console requires of a field (user guide, "Signature
// Keys"). Keys of other gateways look different, so it gives warnings only. Fields
// without a published limit have shortLimit.
type limit struct {
	form *regexp.Regexp
	rule string
}

// published starts the rules of the gateway.
const published = "outside of the gateway's published limits: "

var (
	nameLimit = limit{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{2,63}$`),
		published + "3 to 64 letters, digits and _, starting with a letter"}
	hmacKeyLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{7,31}$`),
		published + "8 to 32 letters, digits, _ and -, starting with a letter or digit"}
	hmacSecretLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_!@#$%-]{15,63}$`),
		published + "16 to 64 letters, digits and _!@#$%-, starting with a letter or digit"}
	basicKeyLimit = limit{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{3,31}$`),
		published + "4 to 32 letters, digits, _ and -, starting with a letter"}
	basicSecretLimit = limit{regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_!@#$%-]{7,63}$`),
		published + "8 to 64 letters, digits and _!@#$%-, starting with a letter or digit"}
	aesKeyLimit = limit{regexp.MustCompile(`^[A-Za-z0-9+/][A-Za-z0-9_!@#$%+/=-]{15}([A-Za-z0-9_!@#$%+/=-]{16})?$`),
		published + "16 or 32 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"}
	aesVectorLimit = limit{regexp.MustCompile(`^[A-Za-z0-9+/][A-Za-z0-9_!@#$%+/=-]{15}$`),
		published + "16 letters, digits and _!@#$%+/=-, starting with a letter, digit, + or /"}
	// shortLimit is below what any vendor gives out as an access key or its secret.
	shortLimit = limit{regexp.MustCompile(`(?s)^.{16}`), "shorter than 16 characters"}
)

func (l limit) warn(m mark, text string, r *report) {
	if l.form != nil && text != "" && !l.form.MatchString(text) {
		r.add(m, l.rule)
	}
}
