package canonical

import "sync"

// A Message is the scratch space of one verification: the canonical request
// and the string to sign, built into buffers that are reused. It holds text of
// requests and never a secret.
type Message struct {
	Request      []byte
	StringToSign []byte
	query        Query
}

var messages = sync.Pool{New: func() any { return new(Message) }}

// NewMessage returns an empty Message from the pool.
func NewMessage() *Message { return messages.Get().(*Message) }

// Free gives m back to the pool, unless a large request has grown it.
func (m *Message) Free() {
	const most = 16 << 10
	if cap(m.Request) <= most && cap(m.query.text) <= most {
		messages.Put(m)
	}
}
