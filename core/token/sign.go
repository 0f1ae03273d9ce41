package token

import (
	"errors"
	"hash"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/outgoing"
)

// Signer adds a token to outgoing requests; see package signer. It does not obtain or
// renew the token.
type Signer struct{ token core.Secret }

// NewSigner returns a Signer for a token that the identity service has issued.
func NewSigner(token core.Secret) *Signer { return &Signer{token: token} }

// NewHash returns nil: nothing of the request is signed.
func (s *Signer) NewHash() hash.Hash { return nil }

// Sign sets X-Auth-Token, and deletes Authorization: a request with both is
// ambiguous. Before that it gives r the form in which it is sent; see package
// signer.
func (s *Signer) Sign(r *http.Request, _ string, _ time.Time) error {
	if err := outgoing.PrepareUnsigned(r); err != nil {
		return err
	}
	if misspelled(r.Header) {
		return errors.New("X-Auth-Token is also present with an underscore in its name")
	}
	token := s.token.Reveal()
	if !wellFormed(token) {
		return errors.New(notWellFormed)
	}
	r.Header.Del("Authorization")
	r.Header.Set(Header, token)
	return nil
}
