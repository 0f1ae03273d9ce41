package explain

import (
	"net/url"
	"slices"
	"strings"
)

// queries yields other spellings of the query.
func (s *search) queries() (edits []edit) {
	base := s.base.query
	if base == "" {
		return nil
	}
	at := func(query, detail string) {
		if query = s.sameSignature(query); query != base {
			edits = append(edits, newEdit("query", CauseQuery, "query "+query+" instead of "+base, detail,
				func(h *hypothesis) { h.query = query }))
		}
	}
	const advice = ": make proxies forward the query unchanged"
	at(strings.ReplaceAll(base, "+", "%2B"), "a plus sign was signed as %2B, and sent as +, which means a space in a query: make the sender send %2B")
	at(strings.ReplaceAll(base, "%2B", "%20"), "a space in the query was signed, and arrived as %2B, because a proxy has encoded the + that stands for a space"+advice)
	at(strings.ReplaceAll(base, "%20", "%2B"), "a plus sign in the query was signed, and arrived as a space, because a proxy has decoded %2B to +"+advice)
	at(each(base, func(text string) string { return escape(text, "+") }), "the query was percent-decoded after it was signed, or the sender signs an encoded query encoded again"+advice)
	at(each(base, func(text string) string { return escape(decoded(text), "") }), "the query was percent-encoded differently when it was signed"+advice)
	at(each(base, func(text string) string { return escape(decoded(decoded(text)), "") }), "the query was percent-encoded once more after it was signed"+advice)
	at(strings.ReplaceAll(base, ";", "&"), "parameters were separated by & when they were signed, and by a semicolon when they arrived"+advice)
	at(strings.ReplaceAll(base, ";", "%3B"), "a semicolon in the query was signed as %3B"+advice)
	if strings.HasSuffix(base, "=") {
		at(strings.TrimRight(base, "="), "the query ended without = when it was signed"+advice)
	}
	at(strings.ToLower(base), "the query was signed in lower case"+advice)
	return edits
}

// parameters yields the query with other parameters, mostly fewer.
func (s *search) parameters() (edits []edit) {
	base := s.base.query
	at := func(query, detail string) {
		if query = s.sameSignature(query); query != base {
			edits = append(edits, newEdit("query", CauseParameters, "query "+query+" instead of "+base, detail,
				func(h *hypothesis) { h.query = query }))
		}
	}
	if base == "" {
		return nil
	}
	pieces := strings.Split(base, "&")
	kept := func(keep func(i int, name string) bool) string {
		var left []string
		for i, piece := range pieces {
			name, _, _ := strings.Cut(piece, "=")
			if keep(i, name) {
				left = append(left, piece)
			}
		}
		return strings.Join(left, "&")
	}
	const most = 64
	for i := range pieces[:min(len(pieces), most)] {
		if isSignature(pieces[i]) || pieces[i] == "" {
			continue
		}
		at(kept(func(j int, _ string) bool { return i != j }), "the parameter "+pieces[i]+" was not signed: it was added after signing. Add it before the request is signed, or do not add it")
	}
	at("", "the signed query is empty: the sender does not sign the query, or the query was added after signing")
	first := map[string]bool{}
	at(kept(func(_ int, name string) bool { known := first[name]; first[name] = true; return !known }),
		"of parameters with the same name only the first was signed: the sender keeps one value for each name, or the others were added after signing")
	last := map[string]int{}
	for i, piece := range pieces {
		name, _, _ := strings.Cut(piece, "=")
		last[name] = i
	}
	at(kept(func(i int, name string) bool { return last[name] == i }),
		"of parameters with the same name only the last was signed: the sender keeps one value for each name, or the others were added after signing")
	at(kept(func(i int, name string) bool { return pieces[i] != name && pieces[i] != name+"=" }),
		"parameters without a value were not signed: make the sender sign all parameters that it sends")
	if values, err := url.ParseQuery(base); err == nil {
		at(values.Encode(), "the query was parsed, sorted and encoded again before it was signed: make the sender send the query that it signs")
	}
	return edits
}

// isSignature reports whether a parameter holds the signature, which is never
// signed itself.
func isSignature(piece string) bool {
	name, _, _ := strings.Cut(piece, "=")
	return name == "X-Sdk-Signature" || name == "X-Amz-Signature"
}

// sameSignature adds the signature of the received query if an edit has removed it. A
// presigned request without its signature cannot be verified.
func (s *search) sameSignature(query string) string {
	pieces := strings.Split(query, "&")
	for piece := range strings.SplitSeq(s.base.query, "&") {
		if isSignature(piece) && !slices.ContainsFunc(pieces, isSignature) {
			return strings.TrimPrefix(query+"&"+piece, "&")
		}
	}
	return query
}

// each rewrites the names and values of a query.
func each(query string, rewrite func(string) string) string {
	pieces := strings.Split(query, "&")
	for i, piece := range pieces {
		if isSignature(piece) {
			continue
		}
		name, value, found := strings.Cut(piece, "=")
		if pieces[i] = rewrite(name); found {
			pieces[i] += "=" + rewrite(value)
		}
	}
	return strings.Join(pieces, "&")
}

// decoded returns a name or value decoded, or as it is if it is not validly encoded.
func decoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
