package sdk

import (
	"crypto/hmac"
	"encoding/hex"
	"hash"
	"strings"
	"sync"
)

// MAC returns the Key of an HMAC. It keeps states that have taken in the key.
func MAC(newHash func() hash.Hash, key []byte) Key {
	return &mac{sync.Pool{New: func() any { return &macState{mac: hmac.New(newHash, key)} }}}
}

// Chain derives the key of a scoped HMAC from the secret along the parts of
// the scope, terminator included: HMAC(HMAC(prefix+secret, part 1), part 2) ...
func Chain(newHash func() hash.Hash, prefix, secret, scope string) []byte {
	key := []byte(prefix + secret)
	for part := range strings.SplitSeq(scope, "/") {
		h := hmac.New(newHash, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return key
}

type mac struct{ states sync.Pool }

// macState is a prepared HMAC, with room for one computation.
type macState struct {
	mac            hash.Hash
	sum            [DigestSize]byte
	made, received [2 * DigestSize]byte
}

func (k *mac) Sign(text []byte) (string, error) {
	s := k.states.Get().(*macState)
	defer k.release(s)
	s.sign(text)
	return string(s.made[:]), nil
}

func (k *mac) Verify(text []byte, signature string) bool {
	s := k.states.Get().(*macState)
	defer k.release(s)
	s.sign(text)
	return len(signature) == copy(s.received[:], signature) && hmac.Equal(s.made[:], s.received[:])
}

func (s *macState) sign(text []byte) {
	s.mac.Reset()
	s.mac.Write(text)
	s.mac.Sum(s.sum[:0])
	hex.Encode(s.made[:], s.sum[:])
}

// release wipes what would be a valid signature of what may be a forgery.
func (k *mac) release(s *macState) {
	clear(s.sum[:])
	clear(s.made[:])
	k.states.Put(s)
}
