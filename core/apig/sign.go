package apig

import (
	"crypto/sha256"
	"hash"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// SignOptions say what a [Signer] signs besides method, path, query, host,
// date and every x-sdk-* header of the request.
type SignOptions struct {
	// Headers are further headers, signed where the request has them.
	Headers []string
	// Payload is how the body is signed: PayloadHashed (also for the zero
	// value), PayloadDeclared (its digest in x-sdk-content-sha256), or
	// PayloadUnsigned.
	Payload core.Payload
}

// Signer signs outgoing requests as the gateway does; see package signer.
type Signer struct {
	key     core.Key
	options SignOptions
}

// NewSigner returns a Signer that uses the key's id, secret and session token.
func NewSigner(key core.Key, options SignOptions) *Signer {
	options.Headers = slices.Clone(options.Headers)
	return &Signer{key: key, options: options}
}

// NewHash returns SHA-256, or nil where the payload is left unsigned.
func (s *Signer) NewHash() hash.Hash {
	if s.options.Payload == core.PayloadUnsigned {
		return nil
	}
	return sha256.New()
}

// Sign sets Authorization, X-Sdk-Date and, as the options and the key say,
// X-Sdk-Content-Sha256 and X-Security-Token.
func (s *Signer) Sign(r *http.Request, digest string, at time.Time) error {
	timestamp := at.UTC().Format(authorization.DateFormat)
	r.Header.Del("Authorization")
	r.Header.Set(dateHeader, timestamp)
	switch s.options.Payload {
	case core.PayloadDeclared:
		r.Header.Set(digestHeader, digest)
	case core.PayloadUnsigned:
		digest = unsignedValue
		r.Header.Set(digestHeader, digest)
	default:
		r.Header.Del(digestHeader)
	}
	if token := s.key.SessionToken; !token.IsZero() {
		r.Header.Set(tokenHeader, token.Reveal())
	}
	c := core.Credential{Timestamp: timestamp, SignedHeaders: s.signedHeaders(r)}
	m := canonical.NewMessage()
	defer m.Free()
	if _, err := stringToSign(m, r, &c, digest, canonical.ByDecoded); err != nil {
		return err
	}
	signature := sign(s.key.Secret, m.StringToSign)
	r.Header.Set("Authorization", Algorithm+" Access="+s.key.ID+
		", SignedHeaders="+c.SignedHeaders+", Signature="+string(signature[:]))
	return nil
}

// signedHeaders lists what is signed of r, sorted.
func (s *Signer) signedHeaders(r *http.Request) string {
	names := []string{"host"}
	for header := range r.Header {
		name := strings.ToLower(header)
		if strings.HasPrefix(name, "x-sdk-") || name == tokenHeader && !s.key.SessionToken.IsZero() ||
			slices.ContainsFunc(s.options.Headers, func(h string) bool { return strings.EqualFold(h, name) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ";")
}
