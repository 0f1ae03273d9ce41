// Package signature verifies the signatures of requests: HMACs for the schemes with a
// shared secret, ECDSA on P-256 for those that derive a key pair from one. No other
// package compares signatures.
//
// It is separate from the schemes so that published test vectors, with any key and any
// message, can be run against the functions that verify requests.
package signature

import (
	"crypto/hmac"
	"hash"
	"sync"

	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// MACSize is the size in bytes of every MAC: that of SHA-256, and of SM3.
const MACSize = 32

// A MAC signs and verifies texts with one key. It pools hash states that have processed
// the key, and is safe for concurrent use.
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

// Sign returns the MAC of text in lower-case hex. The error is always nil; it is part of
// the signature that asymmetric keys share.
func (m *MAC) Sign(text []byte) (string, error) {
	s := m.states.Get().(*macState)
	defer m.release(s)
	s.sign(text)
	return string(lowerhex.Append(make([]byte, 0, 2*MACSize), &s.sum)), nil
}

// Verify reports whether signature is the MAC of text, as 64 lower-case hexadecimal
// digits. It returns false for a truncated MAC (RFC 2104 section 5), which no scheme here
// uses. The digits are compared in constant time; their number is not secret.
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

// release overwrites the computed MAC, which would be a valid signature of a possibly
// forged request, and returns the state to the pool.
func (m *MAC) release(s *macState) {
	clear(s.sum[:])
	m.states.Put(s)
}
