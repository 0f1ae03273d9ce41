package apig

import (
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig/internal/sdk"
)

// SignOptions say what a [Signer] signs besides method, path, query, host,
// date and every x-sdk-* and x-amz-* header of the request:
//
//   - Headers []string: further headers, signed where the request has them.
//   - Payload core.Payload: how the body is signed, by its hash (the zero
//     value), by its digest in a header (PayloadDeclared), or not at all
//     (PayloadUnsigned).
//   - Expires time.Duration: if not zero, the credential goes into the query and
//     is valid that long, in whole seconds up to seven days; [NewSigner] and
//     [NewScopedSigner] only.
type SignOptions = sdk.SignOptions

// Signer signs outgoing requests as the gateway does; see package signer. Its
// methods are those of signer.Signer, NewHash and Sign.
type Signer = sdk.Signer

// NewSigner returns a Signer for [New]. It uses the key's id, secret and
// session token.
func NewSigner(key core.Key, options SignOptions) *Signer {
	return sdk.NewSigner(&flat, key, options)
}

// NewScopedSigner returns a Signer for [NewScoped]. It uses the key's id,
// secret, region, service and session token.
func NewScopedSigner(key core.Key, options SignOptions) *Signer {
	return sdk.NewSigner(&scoped, key, options)
}

// NewV11Signer returns a Signer for [NewV11]. It uses what [NewScopedSigner] uses.
func NewV11Signer(key core.Key, options SignOptions) *Signer {
	return sdk.NewSigner(&v11, key, options)
}

// NewECDSASigner returns a Signer for [NewECDSA]. It uses what [NewSigner] uses.
func NewECDSASigner(key core.Key, options SignOptions) *Signer {
	return sdk.NewSigner(&ecdsaP256, key, options)
}
