package explain

import (
	"fmt"
	"net/url"
	pathpkg "path"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// prefixes yields paths with a prefix put in front or taken away.
func (s *search) prefixes() (edits []edit) {
	received, query := canonical.Target(s.received)
	at := func(path, detail string) {
		if path != "" && path[0] == '/' && clean(path) != clean(s.base.path) { // else it is no prefix
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
		at(prefix+received, "the signed path begins with "+prefix+", which a proxy has taken away: set "+s.setting("Rewrite.AddPrefix")+" to it, or let the proxy pass the path on")
	}
	edits = append(edits, s.originals(query)...)
	if s.policy.Rewrite.AddPrefix != "" {
		at(received, "the path as received was signed, and "+s.setting("Rewrite.AddPrefix")+" puts something in front: take it away")
	}
	for _, prefix := range known {
		if rest, ok := strings.CutPrefix(received, prefix); ok {
			at(rest, "the signed path has no "+prefix+", which a proxy has put in front: let it pass the path on")
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
		at(rest, "the signed path has no "+dropped+", which a proxy has put in front: let it pass the path on")
		for _, prefix := range known {
			at(prefix+rest, "the signed path begins with "+prefix+", which a proxy has replaced by "+dropped+": let it pass the path on")
		}
	}
	return edits
}

// originals yields the targets that proxies leave in a header.
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
			"the target that "+name+" names was signed, and a proxy has written it anew: let it pass the target on as received",
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
	path, did := s.base.path+"/", "taken away"
	if short, ok := strings.CutSuffix(s.base.path, "/"); ok {
		path, did = short, "added"
	}
	if path == "" {
		return nil
	}
	return []edit{newEdit("path", CauseSlash, "path "+path+" instead of "+s.base.path,
		"a slash at the end of the path was "+did+" on the way: let the proxy pass the path on", func(h *hypothesis) { h.path = path })}
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
	const advice = ": let what is in between pass the path on as received"
	decoded, err := url.PathUnescape(base)
	if err != nil {
		decoded = base
	}
	at(escape(decoded, "/"), "the path was signed encoded, and decoded on the way"+advice)
	at(decoded, "the path was signed decoded: the sender encodes it after signing, something in between encodes it, or the sender signs for S3 (paths: s3)")
	at(escape(base, "/"), "the path was signed encoded twice: the sender encodes what is encoded already, or signs by the rule of every service but S3 (paths: normalized)")
	at((&url.URL{Path: decoded}).EscapedPath(), "the path was signed in another encoding"+advice)
	at(digits(base, strings.ToUpper), "percent sequences in the path were signed in upper case"+advice)
	at(digits(base, strings.ToLower), "percent sequences in the path were signed in lower case"+advice)
	at(strings.ReplaceAll(base, "+", "%20"), "a blank in the path was signed as %20, and became a + on the way"+advice)
	at(strings.ReplaceAll(base, "%20", "+"), "a + in the path was signed, and became a blank on the way"+advice)
	at(clean(base), "dot segments or double slashes were signed resolved, and the request has them: let the sender resolve them before it sends")
	merged := base
	for strings.Contains(merged, "//") {
		merged = strings.ReplaceAll(merged, "//", "/")
	}
	at(merged, "double slashes were signed merged, and the request has them: let the sender merge them before it sends")
	at("/"+base, "two slashes at the beginning were signed, and one was taken away on the way"+advice)
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

// digits rewrites the digits of percent sequences.
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
