package canonical

import (
	"net/http"
	"slices"
)

// Form is in what the canonical requests of the schemes differ. The zero value is
// that of SDK-HMAC-SHA256 with a flat key (docs/protocols.md, SDK canonical request).
type Form struct {
	// Path is the rule for the path.
	Path PathRule
	// Joined makes one line of the values of a repeated header, in the order
	// received, with commas between them. Otherwise each value has a line, and the
	// lines are sorted.
	Joined bool
	// Collapse makes one space of every run of white space inside a header value.
	Collapse bool
	// Without is the decoded name of the query parameter that is left out: the one
	// that holds the signature. It consists of unreserved characters.
	Without string
}

// Build builds the canonical request into m.Request:
//
//	METHOD \n path \n query \n headers \n SignedHeaders \n payload
//
// The path must have passed [Message.CheckPath]. It reports whether the next
// [Order] of the query gives another canonical request.
func (m *Message) Build(r *http.Request, signedHeaders, payload string, order Order, form Form) (more bool, err error) {
	t := m.targetFor(r)
	if err = m.headers.readText(r, signedHeaders); err != nil {
		return false, err
	}
	b := AppendLine(m.Request[:0], r.Method)
	b = form.Path.append(b, t.path, t.shape)
	b = append(b, '\n')
	if err = m.query.read(t.query); err != nil {
		return false, err
	}
	if form.Without != "" {
		m.query.Drop(form.Without)
	}
	more = order == ByDecoded && m.query.Differs()
	b = m.query.Append(b, order)
	b = append(b, '\n')
	return more, m.finish(b, payload, form.Joined, form.Collapse)
}

// Drop removes every parameter with a name, which consists of unreserved
// characters: those look alike decoded and encoded.
func (q *Query) Drop(name string) {
	q.split, q.whole = false, false // what is left is not the query any more
	q.pairs = slices.DeleteFunc(q.pairs, func(p pair) bool { return string(q.text[p.start:p.name]) == name })
}
