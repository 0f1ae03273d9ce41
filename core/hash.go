package core

import (
	"encoding/hex"
	"hash"
	"sync"
)

// A Hash makes the hashes of bodies, and keeps those that were used for the next
// body. A scheme makes one, once.
type Hash struct {
	newHash func() hash.Hash
	states  sync.Pool
	empty   string
}

// NewHash returns a Hash of what newHash makes, such as [crypto/sha256.New].
func NewHash(newHash func() hash.Hash) *Hash {
	h := &Hash{newHash: newHash, states: sync.Pool{New: func() any { return &hashState{Hash: newHash()} }}}
	h.empty = hex.EncodeToString(newHash().Sum(nil))
	return h
}

// New returns a hash of its own.
func (h *Hash) New() hash.Hash { return h.newHash() }

// hashState is a hash with room for its result.
type hashState struct {
	hash.Hash
	sum [64]byte
	hex [128]byte
}

func (h *Hash) get() *hashState {
	s := h.states.Get().(*hashState)
	s.Reset()
	return s
}

func (h *Hash) put(s *hashState) { h.states.Put(s) }

// digest is the hash of what was written, in lower-case hex.
func (s *hashState) digest() []byte {
	sum := s.Sum(s.sum[:0])
	return hex.AppendEncode(s.hex[:0], sum)
}
