// Package sm verifies and makes the signatures of package apig with the
// algorithms of China's commercial cryptography, SM3 and SM2, which it takes
// from github.com/emmansun/gmsm:
//
//	New     hmac-sm3  SDK-HMAC-SM3 Access=<id>
//	NewSM2  sm2       SDK-SM2-SM3 Access=<id>
//
// each followed by ", SignedHeaders=<a;b>, Signature=<hex>". SM3 (GB/T 32905) is
// the hash everywhere, also of the body, and the header that declares the
// body's digest is X-Sdk-Content-Sm3. There is no form in the query.
//
// What they prove and what they do not is as for the schemes of package apig,
// the signatures of [NewSM2] as for those of apig.NewECDSA: the private key is
// derived from the secret, and whoever has the secret can sign.
package sm

import (
	"crypto/rand"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/internal/sdk"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// Config says where the keys are.
type Config = apig.Config

// New returns the scheme "hmac-sm3": SDK-HMAC-SM3, header form only.
func New(c Config) core.Scheme { return signing.New(&hmacSM3, c.Keys, signing.Rules{}, nil) }

// NewSM2 returns the scheme "sm2": SDK-SM2-SM3 (GB/T 32918) with the default
// user id 1234567812345678, header form only. A signature is (r, s) in DER and
// in no other encoding.
func NewSM2(c Config) core.Scheme { return signing.New(&sm2SM3, c.Keys, signing.Rules{}, nil) }

// NewSigner returns a Signer for [New]. It uses the key's id, secret and
// session token.
func NewSigner(key core.Key, options apig.SignOptions) *apig.Signer {
	return newSigner(&hmacSM3, key, options)
}

// NewSM2Signer returns a Signer for [NewSM2]. It uses what [NewSigner] uses.
func NewSM2Signer(key core.Key, options apig.SignOptions) *apig.Signer {
	return newSigner(&sm2SM3, key, options)
}

func newSigner(a *signing.Algorithm, key core.Key, options apig.SignOptions) *apig.Signer {
	return (*apig.Signer)(signing.NewSigner(a, key, signing.SignOptions(options), signing.Rules{}))
}

const (
	digestHeader = "x-sdk-content-sm3"
	sm2Algorithm = "SDK-SM2-SM3"
)

var bodyHash = core.NewHash(sm3.New)

var hmacSM3 = signing.Algorithm{
	Protocol: &sdk.Protocol, Name: "hmac-sm3", Identifier: "SDK-HMAC-SM3", DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sm3.Sum, MinSignature: sm3.Size, MaxSignature: sm3.Size,
	Key: func(secret, _ string) signing.Key { return signing.MAC(sm3.New, []byte(secret)) },
}

var sm2SM3 = signing.Algorithm{
	Protocol: &sdk.Protocol, Name: "sm2", Identifier: sm2Algorithm, DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sm3.Sum, MinSignature: signature.MinDER, MaxSignature: signature.MaxDER,
	Key: sm2Key,
}

func sm2Key(secret, id string) signing.Key {
	private, err := signing.DerivePrivateKey(sm3.New, secret, sm2Algorithm, id, 0, sm2.NewPrivateKey)
	if err != nil {
		return signing.NoKey(err)
	}
	return signing.Asymmetric(
		func(text []byte) ([]byte, error) { return private.Sign(rand.Reader, text, sm2.DefaultSM2SignerOpts) },
		func(text []byte, presented string) bool {
			der, ok := signature.DecodeDER(nil, presented)
			return ok && sm2.VerifyASN1WithSM2(&private.PublicKey, nil, text, der)
		})
}
