package aescfb

import (
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// SignOptions say what a [Signer] signs and sends.
type SignOptions struct {
	// Headers are further headers, signed where the request has them.
	Headers []string
	// Payload is how the body is signed: PayloadHashed (also for the zero
	// value), PayloadDeclared, or PayloadUnsigned.
	Payload core.Payload
	// OmitAccess leaves the key's name out of the credential; the verifier then
	// takes the key that is bound to the API.
	OmitAccess bool
	// Format is the wire format; nil means [Profile1].
	Format Format
}

// Signer signs outgoing requests in AES profile 1 (or another [Format]); see
// package signer.
type Signer struct {
	scheme  *Scheme
	cfb     *cfb
	name    string
	headers *apig.Signer
}

// NewSigner returns a Signer that uses the key's current key and vector.
// Problems of the key are reported by every Sign.
func NewSigner(key Key, options SignOptions) *Signer {
	s := &Signer{scheme: New(Config{Keys: []Key{key}, Format: options.Format}),
		// Its HMAC is not sent, so it needs no secret: it sets the headers and
		// lists what is signed.
		headers: apig.NewSigner(core.Key{ID: "unused"}, apig.SignOptions{Headers: options.Headers, Payload: options.Payload})}
	if !options.OmitAccess {
		s.name = key.Name
	}
	s.cfb = newCFB(key.core().Secret.Reveal())
	return s
}

// NewHash returns SHA-256, or nil where the payload is left unsigned.
func (s *Signer) NewHash() hash.Hash { return s.headers.NewHash() }

// Sign sets Authorization, X-Sdk-Date and, as the options say,
// X-Sdk-Content-Sha256.
func (s *Signer) Sign(r *http.Request, digest string, at time.Time) error {
	if s.scheme.invalid != nil {
		return s.scheme.invalid
	}
	if err := s.headers.Sign(r, digest, at); err != nil {
		return err
	}
	_, text := authorization.Cut(r.Header.Get("Authorization"))
	r.Header.Del("Authorization")
	fields, err := authorization.Parse(text)
	if err != nil {
		return err
	}
	if declared := one(r, digestHeader); declared != "" {
		digest = declared
	}
	c := core.Credential{Algorithm: s.scheme.format.Algorithm(s.cfb.bits), Timestamp: one(r, dateHeader), SignedHeaders: fields.SignedHeaders}
	m := canonical.NewMessage()
	defer m.Free()
	if _, err := s.scheme.stringToSign(m, r, &c, digest, canonical.ByDecoded); err != nil {
		return err
	}
	plaintext := s.scheme.format.Plaintext(m.StringToSign)
	if len(plaintext) != s.scheme.format.PlaintextSize() {
		return errors.New("the wire format gave a plaintext of another length than it announced")
	}
	access := ""
	if s.name != "" {
		access = "Access=" + s.name + ", "
	}
	signature := hex.EncodeToString(s.cfb.encrypt(nil, plaintext))
	r.Header.Set("Authorization", c.Algorithm+" "+access+"SignedHeaders="+c.SignedHeaders+", Signature="+signature)
	return nil
}
