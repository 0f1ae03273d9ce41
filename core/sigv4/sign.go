package sigv4

import (
	"errors"
	"hash"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// SignOptions say how a [Signer] signs, and what besides method, path, query,
// host, date and every x-amz-* and x-sdk-* header of the request.
type SignOptions struct {
	// Headers are further headers, signed where the request has them.
	Headers []string
	// Payload is how the body is signed: PayloadHashed (also for the zero
	// value), PayloadDeclared (its digest in x-amz-content-sha256, which S3
	// asks for), or PayloadUnsigned.
	Payload core.Payload
	// Paths is the rule of the service that is signed for.
	Paths Paths
	// RegionSet is the region set of [NewSignerA]; empty means the key's region.
	RegionSet string
}

// Signer signs outgoing requests; see package signer for the header form, and
// [Signer.Presign] for the query form. It uses the key's id, secret, region,
// service and session token.
type Signer signing.Signer

// NewSigner returns a Signer of AWS4-HMAC-SHA256.
func NewSigner(key core.Key, options SignOptions) *Signer {
	return newSigner(&hmacSHA256, key, options)
}

// NewSignerA returns a Signer of AWS4-ECDSA-P256-SHA256.
func NewSignerA(key core.Key, options SignOptions) *Signer {
	if options.RegionSet != "" && key.Region != "" { // a key needs a region all the same
		key.Region = options.RegionSet
	}
	return newSigner(&ecdsaP256, key, options)
}

func newSigner(a *signing.Algorithm, key core.Key, options SignOptions) *Signer {
	common := signing.SignOptions{Headers: options.Headers, Payload: options.Payload}
	return (*Signer)(signing.NewSigner(a, key, common, options.Paths.rules(false)))
}

// NewHash returns SHA-256, or nil where the payload is left unsigned.
func (s *Signer) NewHash() hash.Hash { return (*signing.Signer)(s).NewHash() }

// Sign sets Authorization, X-Amz-Date and, as the algorithm, the options and
// the key say, X-Amz-Region-Set, X-Amz-Content-Sha256 and X-Amz-Security-Token.
// Before that it gives r the form in which it is sent; see package signer. Digest
// is the SHA-256 of the body, in lower-case hex.
func (s *Signer) Sign(r *http.Request, digest string, at time.Time) error {
	return (*signing.Signer)(s).Sign(r, digest, at)
}

// Presign puts a credential into the query of r.URL that is valid from at on,
// for one second to a week, in whole seconds. Digest is as for Sign. For S3 an
// undeclared body counts as unsigned, so PayloadHashed declares it there.
// Whoever uses the URL must send the signed headers: all x-amz-* headers that r
// has, and those that the options name.
func (s *Signer) Presign(r *http.Request, digest string, at time.Time, expires time.Duration) error {
	if expires == 0 {
		return errors.New("a validity of no time")
	}
	return (*signing.Signer)(s).Presigner(expires).Sign(r, digest, at)
}
