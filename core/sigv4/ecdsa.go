package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// ConfigA is [Config] for SigV4a.
type ConfigA struct {
	// Keys finds keys by the access key id. Required. Every key needs its
	// Region and Service: a credential that names none is refused.
	Keys core.KeySource
	// Paths is Normalized unless set.
	Paths Paths
	// PathsByID is Paths for single keys, by access key id.
	PathsByID map[string]Paths
	// AllowRegionWildcards lets entries of the region set with a '*' (us-*, or *
	// alone) match the key's region. Such a request is valid in every region
	// that they match, so it can be sent to another one than was meant.
	AllowRegionWildcards bool
	// AllowRegionWildcardsByID is AllowRegionWildcards for single keys, by access
	// key id.
	AllowRegionWildcardsByID map[string]bool
}

// NewA returns the scheme "sigv4a": AWS4-ECDSA-P256-SHA256. Beside what New
// checks, requests carry a signed X-Amz-Region-Set: a list, joined by commas, in
// which the key's Region must occur.
func NewA(c ConfigA) core.Scheme {
	wildcards := ecdsaP256{c.AllowRegionWildcards, maps.Clone(c.AllowRegionWildcardsByID)}
	return &scheme{algorithm: wildcards, keys: c.Keys, paths: c.Paths, pathsByID: maps.Clone(c.PathsByID)}
}

// ecdsaP256 is AWS4-ECDSA-P256-SHA256.
type ecdsaP256 struct {
	wildcards     bool
	wildcardsByID map[string]bool
}

func (ecdsaP256) name() string       { return "sigv4a" }
func (ecdsaP256) identifier() string { return AlgorithmA }

// parseScope reads id/yyyymmdd/service/aws4_request; the region set takes the
// region's place.
func (ecdsaP256) parseScope(_ *authorization.Reader, credential string) *authorization.Scope {
	var s authorization.Scope
	var ok bool
	s.KeyID, s.Text, _ = strings.Cut(credential, "/")
	s.Date, s.Service, _ = strings.Cut(s.Text, "/")
	s.Service, ok = strings.CutSuffix(s.Service, "/"+terminator)
	if !ok || s.KeyID == "" || s.Service == "" || strings.Contains(s.Service, "/") {
		return nil
	}
	return &s
}

func (ecdsaP256) isSignature(text string) bool {
	n := len(text)
	return n >= hex.EncodedLen(signature.MinDER) && n <= hex.EncodedLen(signature.MaxDER) && n%2 == 0 && lowerhex.Is(text, n)
}

// verifies takes signatures in strict DER alone, with r and s from 1 to n-1.
func (ecdsaP256) verifies(key *core.Key, secret core.Secret, c *core.Credential, stringToSign []byte) bool {
	public := core.Derive(secret, publicKey{key.ID}, publicKey{key.ID}.derive)
	return signature.VerifyP256(public, stringToSign, c.Signature)
}

// fingerprint is a hash: several signatures fit one string.
func (ecdsaP256) fingerprint(stringToSign []byte, _ string) [sha256.Size]byte {
	return sha256.Sum256(stringToSign)
}
