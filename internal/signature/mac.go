// Package signature is the one place where a signature, as a request carries
// it, is compared or verified: HMACs for every scheme that has a shared secret,
// ECDSA on P-256 for those that derive a key pair from one.
//
// It lies here, and not with the schemes, so that published test vectors can be
// run against the very functions that decide about requests: with any key and
// any message, which no scheme lets through.
package signature

import (
	"crypto/hmac"
	"hash"
	"sync"

	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// MACSize is the size in bytes of every MAC: that of SHA-256, and of SM3.
const MACSize = 32

// A MAC signs and verifies texts with one key. It keeps states that have taken
// in the key, and is safe for concurrent use.
type MAC struct{ states sync.Pool }

// NewMAC returns the HMAC of a hash of [MACSize] bytes.
func NewMAC(newHash func() hash.Hash, key []byte) *MAC {
	return &MAC{sync.Pool{New: func() any { return &macState{mac: hmac.New(newHash, key)} }}}
}

// macState is a prepared HMAC, with room for one computation.
type macState struct {
	mac hash.Hash
	sum [MACSize]byte
}

// Sign returns the MAC of text in lower-case hex. The error is nil: it is there
// for those that sign with either kind of key.
func (m *MAC) Sign(text []byte) (string, error) {
	s := m.states.Get().(*macState)
	defer m.release(s)
	s.sign(text)
	return string(lowerhex.Append(make([]byte, 0, 2*MACSize), &s.sum)), nil
}

// Verify reports whether signature is the MAC of text: all of its 64 lower-case
// hexadecimal digits, and nothing else. A truncated MAC is none, although RFC
// 2104 section 5 lets a protocol agree on one: no scheme here does. Digits are
// compared in constant time; how many there are is no secret.
func (m *MAC) Verify(text []byte, signature string) bool {
	s := m.states.Get().(*macState)
	s.sign(text)
	is := lowerhex.Equal(&s.sum, signature)
	m.release(s)
	return is
}

func (s *macState) sign(text []byte) {
	s.mac.Reset()
	s.mac.Write(text)
	s.mac.Sum(s.sum[:0])
}

// release wipes what would be a valid signature of what may be a forgery.
func (m *MAC) release(s *macState) {
	clear(s.sum[:])
	m.states.Put(s)
}
