// Package apig verifies and makes the signatures of Huawei Cloud and Open
// Telekom Cloud API Gateway, and of the access keys of these clouds:
//
//	New        hmac        SDK-HMAC-SHA256 Access=<id>
//	NewScoped  aksk        SDK-HMAC-SHA256 Credential=<id>/<yyyymmdd>/<region>/<service>/sdk_request
//	NewV11     v11         V11-HMAC-SHA256 Credential=<id>/<yyyymmdd>/<region>/<service>
//	NewECDSA   ecdsa-p256  SDK-ECDSA-P256-SHA256 Access=<id>
//
// each followed by ", SignedHeaders=<a;b>, Signature=<hex>". The algorithms with
// SM3 and SM2 are in package sm. The gateway's signature key type "hmac" is [New].
//
// # What they prove
//
// That a holder of the secret signed this method, path, query, the listed
// headers with all their values, the date, and the body: either its hash, or
// the digest in a signed x-sdk-content-sha256 that the body is then checked
// against. The scoped ones prove as well that it was signed for the key's
// region and service, on the day of the date.
//
// # What they do not
//
// The vendor's canonical form cannot tell /a from /a/, ?b from ?b=, nor the
// order in which a repeated parameter's values stand; these pairs have one
// signature. [NewScoped] cannot tell runs of white space inside a header value
// from one space either. Headers that are not listed may be anything. With
// UNSIGNED-PAYLOAD, where the policy allows it, the body may be anything.
//
// The secret is shared: whoever can verify can also sign. This holds for
// [NewECDSA] too, whose private key is derived from the secret.
//
// Paths whose canonical form hides what a router can see are refused: encoded
// slashes and backslashes, encoded unreserved characters such as %61, dot
// segments.
//
// # Credentials in the query
//
// The schemes hmac and aksk read the credential from the query as well, where
// [core.Config].AllowPresigned permits it and there is no Authorization header:
// X-Sdk-Algorithm, X-Sdk-Credential (the id, for aksk with the scope),
// X-Sdk-Date, X-Sdk-Expires, X-Sdk-SignedHeaders and X-Sdk-Signature. Each occurs
// once and as it is spelled here; all but the signature are signed. Whoever has
// such a link can use it until it expires. The body counts as it does in the
// header form: its hash is signed unless a signed header says otherwise.
package apig

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig/internal/sdk"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// Algorithm is the token in front of the credential of [New] and [NewScoped].
const Algorithm = "SDK-HMAC-SHA256"

// Config says where the keys are.
type Config struct {
	// Keys finds keys by the id in the credential. Required.
	Keys core.KeySource
}

// New returns the scheme "hmac": SDK-HMAC-SHA256 with a flat key, in the
// Authorization header or the query.
func New(c Config) core.Scheme { return signing.New(&flat, c.Keys, signing.Rules{}, nil) }

// NewScoped returns the scheme "aksk": SDK-HMAC-SHA256 with a key derived for
// one day, region and service, in the Authorization header or the query. Keys
// need Region and Service; without them they verify nothing.
//
// The MAC key is that of a day: who learns it, and not the secret, can sign for
// this day, region and service only.
func NewScoped(c Config) core.Scheme { return signing.New(&scoped, c.Keys, signing.Rules{}, nil) }

// NewV11 returns the scheme "v11": V11-HMAC-SHA256, whose key is derived with
// HKDF for one id, day, region and service; header form only. Keys need Region
// and Service; without them they verify nothing. What holds for a day's key of
// [NewScoped] holds here.
func NewV11(c Config) core.Scheme { return signing.New(&v11, c.Keys, signing.Rules{}, nil) }

// NewECDSA returns the scheme "ecdsa-p256": SDK-ECDSA-P256-SHA256, header form
// only. The private key is derived from id and secret, so whoever has the
// secret can sign. The arithmetic needs the public point alone, but this
// package derives it from the secret and takes no other form of key.
//
// A signature is (r, s) in DER and in no other encoding. For every one there is
// a second, (r, n-s), that verifies as well: signatures do not identify
// requests.
func NewECDSA(c Config) core.Scheme { return signing.New(&ecdsaP256, c.Keys, signing.Rules{}, nil) }

const digestHeader = "x-sdk-content-sha256"

var bodyHash = core.NewHash(sha256.New)

var flat = signing.Algorithm{
	Protocol: &sdk.Protocol, Name: "hmac", OtherName: "aksk", Identifier: Algorithm, DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sha256.Sum256, MinSignature: sha256.Size, MaxSignature: sha256.Size,
	Presigned: true,
	Key:       func(secret, _ string) signing.Key { return signing.MAC(sha256.New, []byte(secret)) },
}

var scoped = signing.Algorithm{
	Protocol: &sdk.Protocol, Name: "aksk", OtherName: "hmac", Identifier: Algorithm, DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sha256.Sum256, MinSignature: sha256.Size, MaxSignature: sha256.Size,
	Scope: &signing.Scope{Terminator: "sdk_request"}, Collapse: true, Presigned: true,
	ScopedKey: func(secret, _, scope string) signing.Key { return signing.ScopedMAC("SDK", secret, scope) },
}

var v11 = signing.Algorithm{
	Protocol: &sdk.Protocol, Name: "v11", Identifier: "V11-HMAC-SHA256", DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sha256.Sum256, MinSignature: sha256.Size, MaxSignature: sha256.Size,
	Scope: &signing.Scope{},
	ScopedKey: func(secret, id, scope string) signing.Key {
		key, err := hkdf.Key(sha256.New, []byte(secret), []byte(id), scope, sha256.Size)
		if err != nil {
			return signing.NoKey(err)
		}
		return signing.MAC(sha256.New, hex.AppendEncode(nil, key)) // the key is the text
	},
}

const ecdsaAlgorithm = "SDK-ECDSA-P256-SHA256"

var ecdsaP256 = signing.Algorithm{
	Protocol: &sdk.Protocol, Name: "ecdsa-p256", Identifier: ecdsaAlgorithm, DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sha256.Sum256, MinSignature: signature.MinDER, MaxSignature: signature.MaxDER,
	Key: func(secret, id string) signing.Key { return signing.P256(secret, ecdsaAlgorithm, id, 0) },
}
