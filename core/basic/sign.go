package basic

import (
	"hash"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Signer adds a key's id and secret to outgoing requests; see package signer.
type Signer struct{ key core.Key }

// NewSigner returns a Signer for the key.
func NewSigner(key core.Key) *Signer { return &Signer{key: key} }

// NewHash returns nil: nothing of the request is signed.
func (s *Signer) NewHash() hash.Hash { return nil }

// Sign sets Authorization.
func (s *Signer) Sign(r *http.Request, _ string, _ time.Time) error {
	r.SetBasicAuth(s.key.ID, s.key.Secret.Reveal())
	return nil
}
