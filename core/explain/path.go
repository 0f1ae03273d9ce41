package explain

import (
	"fmt"
	"net/url"
	pathpkg "path"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// prefixes yields the path with a prefix added or removed.
func (s *search) prefixes() (edits []edit) {
	received, query := canonical.Target(s.received)
	at := func(path, detail string) {
		if path != "" && path[0] == '/' && clean(path) != clean(s.base.path) { // otherwise no prefix was changed
			edits = append(edits, newEdit("path", CausePrefix, "path "+path+" instead of "+s.base.path, detail,
				func(h *hypothesis) { h.path = path }))
		}
	}
	known := append([]string(nil), s.hints.Prefixes...)
	for _, value := range s.received.Header["X-Forwarded-Prefix"] {
		known = append(known, strings.Split(value, ",")...)
	}
	known = append(known, s.headerValue("X-Script-Name"))
	for _, other := range s.others {
		known = append(known, other.policy.Rewrite.AddPrefix)
	}
	for _, api := range s.policy.APIs {
		known = append(known, leading(api.Match)...)
	}
	const most = 60
	known = known[:min(len(known), most)]
	for i, prefix := range known {
		if prefix = strings.TrimSuffix(strings.TrimSpace(prefix), "/"); prefix != "" && prefix[0] != '/' {
			prefix = "/" + prefix
		}
		known[i] = prefix
	}
	known = slices.DeleteFunc(known, func(prefix string) bool { return prefix == "" })
	for _, prefix := range known {
		at(prefix+received, "the signed path begins with "+prefix+", which a proxy has removed: set "+s.setting("Rewrite.AddPrefix")+" to it, or make the proxy forward the path unchanged")
	}
	edits = append(edits, s.originals(query)...)
	if s.policy.Rewrite.AddPrefix != "" {
		at(received, "the path as received was signed, and "+s.setting("Rewrite.AddPrefix")+" adds a prefix to it: remove "+s.setting("Rewrite.AddPrefix"))
	}
	for _, prefix := range known {
		if rest, ok := strings.CutPrefix(received, prefix); ok {
			at(rest, "the signed path does not begin with "+prefix+", which a proxy has added: make the proxy forward the path unchanged")
		}
	}
	rest := received
	for range 3 {
		i := strings.IndexByte(rest[min(1, len(rest)):], '/')
		if i < 0 {
			break
		}
		dropped := received[:len(received)-len(rest)+i+1]
		rest = rest[i+1:]
		at(rest, "the signed path does not begin with "+dropped+", which a proxy has added: make the proxy forward the path unchanged")
		for _, prefix := range known {
			at(prefix+rest, "the signed path begins with "+prefix+", which a proxy has replaced by "+dropped+": make the proxy forward the path unchanged")
		}
	}
	return edits
}

// originals yields the original targets that proxies record in a header.
func (s *search) originals(query string) (edits []edit) {
	for _, name := range []string{"X-Original-Url", "X-Original-Uri", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Envoy-Original-Path"} {
		target := s.headerValue(name)
		if u, err := url.Parse(target); err == nil && u.Host != "" {
			target = u.RequestURI()
		}
		path, original, found := strings.Cut(target, "?")
		if path == "" || path[0] != '/' {
			continue
		}
		if !found {
			original = query
		}
		cause, to := CausePrefix, "path "+path+" instead of "+s.base.path
		written := "query " + original + " instead of " + query
		switch {
		case path == s.base.path && original == query:
			continue
		case path == s.base.path:
			cause, to = CauseQuery, written
		case original != query:
			to += ", " + written
		}
		switch {
		case cause == CauseQuery:
		case strings.Contains(path, "%") && !strings.HasSuffix(path, s.base.path) && !strings.HasSuffix(s.base.path, path):
			cause = CausePath
		}
		edits = append(edits, newEdit("path", cause, to,
			"the target in "+name+" was signed, and a proxy has changed it: make the proxy forward the target unchanged",
			func(h *hypothesis) { h.path, h.query = path, original }))
	}
	return edits
}

// leading returns the literal first segments of an API's pattern.
func leading(pattern string) (prefixes []string) {
	_, path := splitPattern(pattern)
	path = strings.TrimPrefix(path, "/")
	prefix := ""
	for i, segment := range strings.Split(path, "/") {
		if i == 2 || segment == "" || segment[0] == '{' {
			break
		}
		prefix += "/" + segment
		prefixes = append(prefixes, prefix)
	}
	return prefixes
}

// slashes yields the path with or without a slash at its end.
func (s *search) slashes() []edit {
	path, did := s.base.path+"/", "removed"
	if short, ok := strings.CutSuffix(s.base.path, "/"); ok {
		path, did = short, "added"
	}
	if path == "" {
		return nil
	}
	return []edit{newEdit("path", CauseSlash, "path "+path+" instead of "+s.base.path,
		"a proxy has "+did+" a slash at the end of the path: make the proxy forward the path unchanged", func(h *hypothesis) { h.path = path })}
}

// paths yields other spellings of the path.
func (s *search) paths() (edits []edit) {
	base := s.base.path
	at := func(path, detail string) {
		if path != base && path != "" && path[0] == '/' && !strings.Contains(path, "?") {
			edits = append(edits, newEdit("path", CausePath, "path "+path+" instead of "+base, detail,
				func(h *hypothesis) { h.path = path }))
		}
	}
	const advice = ": make proxies forward the path unchanged"
	decoded, err := url.PathUnescape(base)
	if err != nil {
		decoded = base
	}
	at(escape(decoded, "/"), "the path was signed percent-encoded, and decoded before it arrived"+advice)
	at(decoded, "the path was signed decoded: the sender encodes it after signing, a proxy encodes it, or the sender signs for S3 (set paths: s3)")
	at(escape(base, "/"), "the path was signed percent-encoded twice: the sender encodes an encoded path, or signs for a service other than S3 (set paths: normalized)")
	at((&url.URL{Path: decoded}).EscapedPath(), "the path was percent-encoded differently when it was signed"+advice)
	at(digits(base, strings.ToUpper), "the percent-encoding in the path was signed in upper case"+advice)
	at(digits(base, strings.ToLower), "the percent-encoding in the path was signed in lower case"+advice)
	at(strings.ReplaceAll(base, "+", "%20"), "a space in the path was signed as %20, and arrived as +"+advice)
	at(strings.ReplaceAll(base, "%20", "+"), "a + in the path was signed, and arrived as a space (%20)"+advice)
	at(clean(base), "the path was signed without its dot segments or double slashes, and sent with them: make the sender send the path that it signs")
	merged := base
	for strings.Contains(merged, "//") {
		merged = strings.ReplaceAll(merged, "//", "/")
	}
	at(merged, "the path was signed without its double slashes, and sent with them: make the sender send the path that it signs")
	at("/"+base, "the signed path begins with two slashes, and one was removed before it arrived"+advice)
	at(strings.ToLower(base), "the path was signed in lower case"+advice)
	return edits
}

// escape percent-encodes everything but unreserved characters and those in keep.
func escape(text, keep string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("-_.~", c) >= 0 || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// digits rewrites the hexadecimal digits of the percent-encoding.
func digits(text string, rewrite func(string) string) string {
	b := []byte(text)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], rewrite(text[i+1:i+3]))
			i += 2
		}
	}
	return string(b)
}

// clean resolves dot segments and double slashes, keeping a final slash.
func clean(p string) string {
	c := pathpkg.Clean(p)
	if strings.HasSuffix(p, "/") && c != "/" {
		c += "/"
	}
	return c
}
