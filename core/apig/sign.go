package apig

import (
	"hash"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// SignOptions say what a [Signer] signs besides method, path, query, host,
// date and every x-sdk-* and x-amz-* header of the request.
type SignOptions struct {
	// Headers are further headers, signed where the request has them.
	Headers []string
	// Payload is how the body is signed: PayloadHashed (also for the zero
	// value), PayloadDeclared (its digest in the scheme's content header), or
	// PayloadUnsigned.
	Payload core.Payload
	// Expires puts the credential in the query and is how long it is valid: whole
	// seconds, up to seven days; [NewSigner] and [NewScopedSigner] only. Zero puts
	// it in the Authorization header.
	Expires time.Duration
}

// Signer signs outgoing requests as the gateway does; see package signer.
type Signer signing.Signer

func newSigner(a *signing.Algorithm, key core.Key, options SignOptions) *Signer {
	return (*Signer)(signing.NewSigner(a, key, signing.SignOptions(options), signing.Rules{}))
}

// NewSigner returns a Signer for [New]. It uses the key's id, secret and
// session token.
func NewSigner(key core.Key, options SignOptions) *Signer { return newSigner(&flat, key, options) }

// NewScopedSigner returns a Signer for [NewScoped]. It uses the key's id,
// secret, region, service and session token.
func NewScopedSigner(key core.Key, options SignOptions) *Signer {
	return newSigner(&scoped, key, options)
}

// NewV11Signer returns a Signer for [NewV11]. It uses what [NewScopedSigner] uses.
func NewV11Signer(key core.Key, options SignOptions) *Signer { return newSigner(&v11, key, options) }

// NewECDSASigner returns a Signer for [NewECDSA]. It uses what [NewSigner] uses.
func NewECDSASigner(key core.Key, options SignOptions) *Signer {
	return newSigner(&ecdsaP256, key, options)
}

// NewHash returns the scheme's hash, or nil where the payload is left unsigned.
func (s *Signer) NewHash() hash.Hash { return (*signing.Signer)(s).NewHash() }

// Sign sets Authorization and X-Sdk-Date or, with Expires, the X-Sdk-*
// parameters of the query; and, as the options and the key say,
// X-Sdk-Content-Sha256 (or -Sm3) and X-Security-Token. Before that it gives r the
// form in which it is sent; see package signer. Digest is that of the body, by
// [Signer.NewHash], in lower-case hex.
func (s *Signer) Sign(r *http.Request, digest string, at time.Time) error {
	return (*signing.Signer)(s).Sign(r, digest, at)
}
