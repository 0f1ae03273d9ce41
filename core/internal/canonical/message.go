package canonical

import (
	"net/http"
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

var messages = sync.Pool{New: func() any { return new(Message) }}

// NewMessage returns an empty Message from the pool.
func NewMessage() *Message { return messages.Get().(*Message) }

// Free gives m back to the pool.
func (m *Message) Free() {
	m.Reset()
	messages.Put(m)
}

// Reset makes m ready for another request, and lets go of what a large one has
// grown. It reports whether m still has what it was told to remember.
func (m *Message) Reset() (remembers bool) {
	const most = 16 << 10
	m.headers.end()
	m.query.forget()
	m.targetOf, m.target = nil, target{}
	if cap(m.Request) > most || cap(m.query.text) > most || cap(m.headers.room) > most/64 {
		*m = Message{}
		return false
	}
	return true
}

// Target is [Target], which is called once for a request, until Reset.
func (m *Message) Target(r *http.Request) (path, query string) {
	t := m.targetFor(r)
	return t.path, t.query
}

func (m *Message) targetFor(r *http.Request) *target {
	if m.targetOf != r {
		m.target = newTarget(Target(r))
		m.targetOf = r
	}
	return &m.target
}

// CheckTarget refuses targets that can be read in two ways whatever the
// scheme, and those with more than maxParams parameters.
func (m *Message) CheckTarget(r *http.Request, maxParams int) error {
	return m.targetFor(r).check(&m.query, maxParams)
}

// CheckPath is [CheckPath] for the path of r.
func (m *Message) CheckPath(r *http.Request) error {
	t := m.targetFor(r)
	return checkPath(t.path, t.plain)
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

// Finding returns where to put the values of r's headers, each at its index
// among the fields that are remembered, by somebody who goes over the headers anyway: they are not looked for
// again, until Reset.
func (m *Message) Finding(r *http.Request) []Line {
	m.headers.end()
	m.headers.foundOf = r
	return m.headers.usual
}

// RememberHeaders keeps the names in the list if that was read last, to find the
// next request's headers faster: gateways sign the same headers each time. Lists
// of strangers are not for it. It returns the list that is remembered now, and its
// fields as [http.Header] has them: empty for those that stand elsewhere as well.
func (m *Message) RememberHeaders(list string) (known string, fields []string) {
	m.headers.remember(list)
	return m.headers.known, m.headers.fields
}

// OuterBlanks reports whether a value that was read begins or ends with a space
// or a tab. Canonical forms do not show them, and HTTP has none there: HTTP/1
// servers take them off, but for those of a folded line, and HTTP/2 forbids them
// (RFC 9113 section 8.2.1).
func (m *Message) OuterBlanks() bool {
	for _, line := range m.headers.lines {
		for _, value := range line.Values {
			if len(Trim(value)) != len(value) {
				return true
			}
		}
	}
	return false
}
