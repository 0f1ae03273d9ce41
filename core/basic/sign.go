package basic

import (
	"errors"
	"hash"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/outgoing"
)

// Signer adds the id and secret of a key to outgoing requests; see package signer.
type Signer struct{ key core.Key }

// NewSigner returns a Signer for the key.
func NewSigner(key core.Key) *Signer { return &Signer{key: key} }

// NewHash returns nil: nothing of the request is signed.
func (s *Signer) NewHash() hash.Hash { return nil }

// Sign sets Authorization. Before that it gives r the form in which it is sent;
// see package signer.
func (s *Signer) Sign(r *http.Request, _ string, _ time.Time) error {
	if err := outgoing.PrepareUnsigned(r); err != nil {
		return err
	}
	if s.key.ID == "" || strings.Contains(s.key.ID, ":") || s.key.Secret.IsZero() {
		return errors.New("the user name is empty or has a colon, or there is no password")
	}
	r.SetBasicAuth(s.key.ID, s.key.Secret.Reveal())
	return nil
}
