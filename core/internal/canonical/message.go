package canonical

import (
	"net/http"
	"sync"
)

// A Message is the scratch space of one verification: the signed headers, the
// canonical request and the string to sign, in buffers that are reused. It holds
// text of requests and never a secret.
type Message struct {
	Request      []byte
	StringToSign []byte
	// Front is the Authorization header up to its signature, where the scheme does not
	// remember it.
	Front    string
	query    Query
	headers  headers
	targetOf *http.Request
	target   target
}

var messages = sync.Pool{New: func() any { return new(Message) }}

// NewMessage returns an empty Message from the pool.
func NewMessage() *Message { return messages.Get().(*Message) }

// Free gives m back to the pool.
func (m *Message) Free() {
	m.Reset()
	messages.Put(m)
}

// Reset makes m ready for another request, and lets go of what a large one has
// grown.
func (m *Message) Reset() {
	const most = 16 << 10
	m.headers.reset()
	m.query.forget()
	m.targetOf, m.target, m.Front = nil, target{}, ""
	m.Request, m.StringToSign = m.Request[:0], m.StringToSign[:0] // what is not built anew is empty, and no other request's
	if cap(m.Request) > most || cap(m.headers.text) > most || cap(m.query.text) > most || cap(m.headers.lines) > most/64 {
		*m = Message{}
	}
}

// Target is [Target], which is called once for a request, until Reset.
func (m *Message) Target(r *http.Request) (path, query string) {
	t := m.targetFor(r)
	return t.path, t.query
}

func (m *Message) targetFor(r *http.Request) *target {
	if m.targetOf != r {
		t := &m.target
		t.path, t.query = Target(r)
		t.shape, m.targetOf = shapeOf(t.path), r
	}
	return &m.target
}

// CheckTarget refuses targets that can be read in two ways whatever the
// scheme, and those with more than maxParams parameters.
func (m *Message) CheckTarget(r *http.Request, maxParams int) error {
	return m.targetFor(r).check(&m.query, maxParams)
}

// HasParameter is [HasParameter] for the query of r.
func (m *Message) HasParameter(r *http.Request, names ...string) bool {
	return m.query.hasParameter(m.targetFor(r).query, names)
}

// ReadHeaders finds the values of the signed headers of r. Builders of canonical
// requests for r and the same list use what it found.
func (m *Message) ReadHeaders(r *http.Request, list *SignedHeaders) error {
	return m.headers.read(r, list)
}

// OuterBlanks reports whether a value that was read begins or ends with a space
// or a tab. Canonical forms do not show them, and HTTP has none there: HTTP/1
// servers take them off, but for those of a folded line, and HTTP/2 forbids them
// (RFC 9113 section 8.2.1).
func (m *Message) OuterBlanks() bool { return m.headers.seen&outerBlanks != 0 }

// finish ends a canonical request with the headers, their list and the payload.
func (m *Message) finish(b []byte, payload string, joined, collapse bool) error {
	h := &m.headers
	if h.plain {
		b = append(b, h.text...)
	} else if h.seen&lineEnds != 0 { // what no server lets into a value
		return ErrHeaderValue
	} else {
		b = h.append(b, joined, collapse)
	}
	m.Request = append(b, payload...)
	return nil
}

// AppendLine appends text and the end of a line.
func AppendLine(b []byte, text string) []byte { return append(append(b, text...), '\n') }
