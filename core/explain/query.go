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
	const advice = ": let what is in between pass the query on as received"
	at(strings.ReplaceAll(base, "+", "%2B"), "a + in the query was signed as %2B, and on the wire it means a blank: let the sender send %2B")
	at(strings.ReplaceAll(base, "%2B", "%20"), "a blank in the query was signed, and the request has %2B: something has encoded a + as if it were a plus sign"+advice)
	at(strings.ReplaceAll(base, "%20", "%2B"), "a plus sign in the query was signed, and the request has a blank: something has decoded %2B"+advice)
	at(each(base, func(text string) string { return escape(text, "+") }), "the query was signed encoded once more than it arrived: something has decoded it, or the sender signs what is encoded already"+advice)
	at(each(base, func(text string) string { return escape(decoded(text), "") }), "the query was signed in another encoding"+advice)
	at(each(base, func(text string) string { return escape(decoded(decoded(text)), "") }), "the query was signed encoded once less than it arrived: something has encoded it once more"+advice)
	at(strings.ReplaceAll(base, ";", "&"), "parameters were signed as separated by &, and arrived separated by a semicolon"+advice)
	at(strings.ReplaceAll(base, ";", "%3B"), "a semicolon in the query was signed as %3B"+advice)
	if strings.HasSuffix(base, "=") {
		at(strings.TrimRight(base, "="), "the signed query does not end in ="+advice)
	}
	at(strings.ToLower(base), "the query was signed in lower case"+advice)
	return edits
}

// parameters yields the query with fewer parameters, or other ones.
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
		at(kept(func(j int, _ string) bool { return i != j }), "the parameter "+pieces[i]+" was not signed: something has added it after that. Let it come before the signer, or not at all")
	}
	at("", "the signed query is empty: the sender leaves the query out of what it signs, or something has added it after that")
	first := map[string]bool{}
	at(kept(func(_ int, name string) bool { known := first[name]; first[name] = true; return !known }),
		"of parameters with one name only the first was signed: the sender signs a map, or something has added the others after that")
	last := map[string]int{}
	for i, piece := range pieces {
		name, _, _ := strings.Cut(piece, "=")
		last[name] = i
	}
	at(kept(func(i int, name string) bool { return last[name] == i }),
		"of parameters with one name only the last was signed: the sender signs a map, or something has added the others after that")
	at(kept(func(i int, name string) bool { return pieces[i] != name && pieces[i] != name+"=" }),
		"parameters without a value were not signed: the sender leaves them out")
	if values, err := url.ParseQuery(base); err == nil {
		at(values.Encode(), "the query was signed as sorted and written anew")
	}
	return edits
}

// isSignature reports whether a parameter holds the signature, which is never
// signed itself.
func isSignature(piece string) bool {
	name, _, _ := strings.Cut(piece, "=")
	return name == "X-Sdk-Signature" || name == "X-Amz-Signature"
}

// sameSignature gives a query the signature of the received one, where an edit
// has taken it away: without it nothing can be verified.
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

// decoded undoes the encoding of a name or value, where it is one.
func decoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
