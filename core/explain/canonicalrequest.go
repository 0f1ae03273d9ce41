package explain

import (
	"net/url"
	"slices"
	"strings"
)

// A form is a canonical request, divided into its lines.
type form struct {
	method, path, query string
	headers             []source // value and name of each line
	signed, payload     string
	tight               bool // no empty line after the headers
}

// String returns the canonical request.
func (f *form) String() string {
	var b strings.Builder
	for _, line := range []string{f.method, f.path, f.query} {
		b.WriteString(line + "\n")
	}
	for _, h := range f.headers {
		b.WriteString(h.where + ":" + h.value + "\n")
	}
	if !f.tight {
		b.WriteString("\n")
	}
	b.WriteString(f.signed + "\n" + f.payload)
	return b.String()
}

// parseForm reads a canonical request:
//
//	METHOD \n path \n query \n header lines \n \n SignedHeaders \n payload
func parseForm(text string) (f form, ok bool) {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	n := len(lines)
	if n < 5 {
		return f, false
	}
	f = form{method: lines[0], path: lines[1], query: lines[2], signed: lines[n-2], payload: lines[n-1]}
	for _, line := range lines[3 : n-2] {
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found {
			return f, false
		}
		f.headers = append(f.headers, source{value, strings.ToLower(name)})
	}
	return f, true
}

// senders yields the request as the sender's canonical request describes it.
func (s *search) senders() (edits []edit) {
	theirs, ok := parseForm(s.hints.CanonicalRequest)
	if !ok || s.credential == nil {
		return nil
	}
	query := s.sameSignature(theirs.query)
	values := map[string][]string{}
	for _, line := range theirs.headers {
		values[line.where] = append(values[line.where], line.value)
	}
	findings := s.differences()
	if len(findings) == 0 {
		return nil
	}
	edits = append(edits, edit{"sender", "", findings, func(h *hypothesis) {
		h.digest = theirs.payload
		h.rewrite = func(string) string { return theirs.String() }
	}})
	paths := []string{theirs.path, strings.TrimSuffix(theirs.path, "/")}
	for _, path := range paths[:2] {
		if plain, err := url.PathUnescape(path); err == nil {
			paths = append(paths, plain)
		}
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		if path == "" || path[0] != '/' || strings.Contains(path, "?") {
			continue
		}
		edits = append(edits, edit{"sender", path, findings, func(h *hypothesis) {
			h.method, h.path, h.query = theirs.method, path, query
			for name, lines := range values {
				h.set(name, lines...)
			}
			h.digest, h.payload = theirs.payload, theirs.payload
		}})
	}
	return edits
}

// differences returns a finding for each line in which the canonical requests differ.
func (s *search) differences() (findings []Finding) {
	const advice = "the sender signed another %s than the verifier received: make proxies forward it unchanged"
	for _, line := range s.explanation.Lines {
		if !line.Differs {
			continue
		}
		cause, what := CauseHeader, "value of the header "+strings.TrimSuffix(line.Name, ":")
		switch line.Name {
		case "method":
			cause, what = CauseMethod, "method"
		case "path":
			cause, what = CausePath, "path"
			theirs, ours := strings.TrimSuffix(line.Sender, "/"), strings.TrimSuffix(line.Verifier, "/")
			switch {
			case theirs == ours:
				cause = CauseSlash
			case strings.HasSuffix(theirs, ours) || strings.HasSuffix(ours, theirs):
				cause = CausePrefix
			}
		case "query":
			cause, what = CauseQuery, "query"
			if strings.Count(line.Sender, "&") != strings.Count(line.Verifier, "&") || line.Sender == "" || line.Verifier == "" {
				cause = CauseParameters
			}
		case "host:":
			cause, what = CauseHost, "host"
		case "signed headers":
			cause, what = CauseSigner, "list of signed headers"
		case "payload":
			cause, what = CauseBody, "body"
			switch line.Sender {
			case unsignedPayload:
				cause = CauseUnsignedPayload
			case s.hash(nil):
				cause = CauseEmptyBody
			}
		}
		findings = append(findings, Finding{Cause: cause, Proven: true,
			Detail: strings.Replace(advice, "%s", what, 1), Change: line.Name + " " + line.Sender + " instead of " + line.Verifier})
	}
	return findings
}

// compare compares the canonical request that was signed with the verifier's, line by line.
func compare(signed, verifier string) (lines []Line) {
	if signed == "" || verifier == "" {
		return nil
	}
	add := func(name, sender, verifier string) {
		lines = append(lines, Line{name, sender, verifier, sender != verifier})
	}
	theirs, ok := parseForm(signed)
	ours, _ := parseForm(verifier)
	if !ok {
		add("all", signed, verifier)
		return lines
	}
	add("method", theirs.method, ours.method)
	add("path", theirs.path, ours.path)
	add("query", theirs.query, ours.query)
	rest := slices.Clone(ours.headers)
	for _, line := range theirs.headers {
		i := slices.IndexFunc(rest, func(h source) bool { return h.where == line.where })
		if i < 0 {
			add(line.where+":", line.value, "")
			lines[len(lines)-1].Differs = true
			continue
		}
		add(line.where+":", line.value, rest[i].value)
		rest = slices.Delete(rest, i, i+1)
	}
	for _, line := range rest {
		lines = append(lines, Line{line.where + ":", "", line.value, true})
	}
	add("signed headers", theirs.signed, ours.signed)
	add("payload", theirs.payload, ours.payload)
	return lines
}
