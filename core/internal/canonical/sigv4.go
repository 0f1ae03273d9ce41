package canonical

import (
	"net/http"
	"slices"
)

// SigV4 says how a canonical request of SigV4 differs from request to request
// (PROTOCOLS section 2).
type SigV4 struct {
	// SignedHeaders and Payload are the last two lines.
	SignedHeaders, Payload string
	// Path is the rule for the path.
	Path SigV4Path
	// Without is the decoded name of a parameter that is left out of the query:
	// the signature, where it stands there.
	Without string
}

// BuildSigV4 builds the canonical request of SigV4 and SigV4a into m.Request:
//
//	METHOD \n path \n query \n headers \n SignedHeaders \n payload
//
// The path must have passed [Message.CheckSigV4Path].
func (m *Message) BuildSigV4(r *http.Request, s SigV4) error {
	t := m.targetFor(r)
	if err := m.headers.read(r, s.SignedHeaders); err != nil {
		return err
	}
	b := AppendLine(m.Request[:0], r.Method)
	b = s.Path.append(b, t.path, t.shape)
	b = append(b, '\n')
	if err := m.query.read(t.query); err != nil {
		return err
	}
	if s.Without != "" {
		m.query.Drop(s.Without)
	}
	b = m.query.Append(b, ByEncoded)
	b = append(b, '\n')
	return m.finish(b, s.Payload, true, true)
}

// Drop removes every parameter with a name, which consists of unreserved
// characters: those look alike decoded and encoded.
func (q *Query) Drop(name string) {
	q.split, q.whole = false, false // what is left is not the query any more
	q.pairs = slices.DeleteFunc(q.pairs, func(p pair) bool { return string(q.text[p.start:p.name]) == name })
}
