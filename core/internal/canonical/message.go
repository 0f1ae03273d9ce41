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
	query        Query
	headers      headers

	targetOf   *http.Request
	path, rest string
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
	m.headers.forget()
	m.targetOf, m.path, m.rest = nil, "", ""
	if cap(m.Request) > most || cap(m.query.text) > most || cap(m.headers.lines) > most/64 {
		*m = Message{}
	}
}

// Target is [Target], which is called once for a request, until Reset.
func (m *Message) Target(r *http.Request) (path, query string) {
	if m.targetOf != r {
		m.path, m.rest = Target(r)
		m.targetOf = r
	}
	return m.path, m.rest
}

// ReadHeaders finds the values of the signed headers of r, given in lower case
// and joined with ';'. It does so once for a request and list, until Reset.
func (m *Message) ReadHeaders(r *http.Request, list string) error { return m.headers.read(r, list) }

// HeaderNames returns the names in a list that was remembered, nil for another.
func (m *Message) HeaderNames(list string) []string {
	if list == m.headers.known {
		return m.headers.names
	}
	return nil
}

// RememberHeaders keeps the names that were read last, to find the next request's
// faster: gateways sign the same headers each time. Lists of strangers are not
// for it.
func (m *Message) RememberHeaders() { m.headers.remember() }

// OuterBlanks reports whether a value that was read begins or ends with a space
// or a tab. Canonical forms do not show them, and HTTP has none there: HTTP/1
// servers take them off, but for those of a folded line, and HTTP/2 forbids them
// (RFC 9113 section 8.2.1).
func (m *Message) OuterBlanks() bool {
	for _, line := range m.headers.lines {
		for _, value := range line.values {
			if len(Trim(value)) != len(value) {
				return true
			}
		}
	}
	return false
}
