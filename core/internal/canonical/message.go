package canonical

import (
	"net/http"
	"strings"
	"sync"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// A Message is the scratch space of one verification: the signed headers, the
// canonical request and the string to sign, in buffers that are reused. It holds
// text of requests and never a secret.
type Message struct {
	Request      []byte
	StringToSign []byte
	// Authorization reads the header of that name.
	Authorization authorization.Reader
	query         Query
	headers       headers

	targetOf *http.Request
	target   target
}

var messages = sync.Pool{New: func() any { m := empty(); return &m }}

func empty() Message { return Message{headers: headers{usual: make([]Line, 1)}} }

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
	m.headers.end()
	m.query.forget()
	m.Authorization.Forget()
	m.targetOf, m.target = nil, target{}
	m.Request, m.StringToSign = m.Request[:0], m.StringToSign[:0] // what is not built anew is empty, and no other request's
	if cap(m.Request) > most || cap(m.headers.text) > most || cap(m.query.text) > most || cap(m.headers.room) > most/64 {
		*m = empty()
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

// ReadHeaders finds the values of the signed headers of r, given in lower case
// and joined with ';'. It does so once for a request and list, until Reset.
func (m *Message) ReadHeaders(r *http.Request, list string) error { return m.headers.read(r, list) }

// Signs reports whether a name in lower case is in a list, where that is the one
// that is remembered and can be asked; known is false elsewhere.
func (m *Message) Signs(list, name string) (signs, known bool) {
	if h := &m.headers; h.index.all && list == h.known && name != "" {
		return h.usually(name).name == name, true
	}
	return false, false
}

// Finding prepares for somebody who goes over the headers of r anyway, and gives
// those that Find knows their values: they are not looked for again, until Reset.
func (m *Message) Finding(r *http.Request) {
	if m.headers.foundOf != nil {
		m.headers.end()
	}
	m.headers.foundOf = r
}

// Find returns the line of a header that is remembered, given as [http.Header] has
// it, nil for others and some of those.
func (m *Message) Find(field string) *Line {
	if field != "" {
		if line := m.headers.usually(field); line.field == field {
			return line
		}
	}
	return nil
}

// Header returns the values of a header, given as [http.Header] has it.
func (m *Message) Header(r *http.Request, field string) []string {
	if m.headers.foundOf == r {
		if line := m.Find(field); line != nil {
			return line.Values
		}
	}
	return r.Header[field]
}

// Remember keeps what the next request from the same gateway has as well: the
// names of the signed headers in the list, if that was read last, and of a header
// with a credential what stands in front of its signature. Requests of strangers
// are not for it. What kindOf says about a name, as [http.Header] has it, is kept
// with it. Where lists take turns, it holds on to the one it has for a while:
// keeping each would cost more than it saves.
func (m *Message) Remember(list string, credential []string, kindOf func(field string) uint8) {
	if len(credential) > 0 {
		m.Authorization.Remember(credential[0])
	}
	h := &m.headers
	if list == h.known {
		h.misses = 0
		return
	}
	const most = 512
	if h.misses++; h.known != "" && h.misses < authorization.Patience || list == "" || len(list) > most {
		return
	}
	// A copy, since the list is part of a request; if possible the one that the
	// next credential has.
	if copied := m.Authorization.SignedHeaders(); copied == list {
		list = copied
	} else {
		list = strings.Clone(list)
	}
	h.remember(list, kindOf)
}

// Remembered returns the list that is remembered.
func (m *Message) Remembered() string { return m.headers.known }

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
//
//go:noinline
func AppendLine(b []byte, text string) []byte { return append(append(b, text...), '\n') }
