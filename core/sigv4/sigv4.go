package sigv4

import (
	"crypto/sha256"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// The algorithms, as they stand in front of a credential.
const (
	Algorithm  = "AWS4-HMAC-SHA256"
	AlgorithmA = "AWS4-ECDSA-P256-SHA256"
)

// Config says where the keys are, and how their signers write paths.
type Config struct {
	// Keys finds keys by the access key id. Required. Every key needs its
	// Region and Service: a credential that names none is refused.
	Keys core.KeySource
	// Paths is Normalized unless set.
	Paths Paths
	// PathsByID is Paths for single keys, by access key id.
	PathsByID map[string]Paths
}

// New returns the scheme "sigv4": AWS4-HMAC-SHA256.
func New(c Config) core.Scheme {
	return newScheme(&hmacSHA256, ConfigA{Keys: c.Keys, Paths: c.Paths, PathsByID: c.PathsByID})
}

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
func NewA(c ConfigA) core.Scheme { return newScheme(&ecdsaP256, c) }

func newScheme(a *signing.Algorithm, c ConfigA) core.Scheme {
	byID := make(map[string]signing.Rules)
	for id, paths := range c.PathsByID {
		byID[id] = paths.rules(c.AllowRegionWildcards)
	}
	for id, allow := range c.AllowRegionWildcardsByID {
		paths, ok := c.PathsByID[id]
		if !ok {
			paths = c.Paths
		}
		byID[id] = paths.rules(allow)
	}
	return signing.New(a, c.Keys, c.Paths.rules(c.AllowRegionWildcards), byID)
}

const (
	digestHeader = "x-amz-content-sha256"
	terminator   = "aws4_request"
)

var bodyHash = core.NewHash(sha256.New)

var hmacSHA256 = signing.Algorithm{
	Protocol: &protocol, Name: "sigv4", Identifier: Algorithm, DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sha256.Sum256, MinSignature: sha256.Size, MaxSignature: sha256.Size,
	Scope: &signing.Scope{Terminator: terminator}, Collapse: true, Presigned: true,
	ScopedKey: func(secret, _, scope string) signing.Key { return signing.ScopedMAC("AWS4", secret, scope) },
}

// ecdsaP256 has a region set in place of the region, and a key that does not depend
// on the scope.
var ecdsaP256 = signing.Algorithm{
	Protocol: &protocol, Name: "sigv4a", Identifier: AlgorithmA, DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sha256.Sum256, MinSignature: signature.MinDER, MaxSignature: signature.MaxDER,
	Scope: &signing.Scope{Terminator: terminator, WithoutRegion: true}, Collapse: true, Presigned: true,
	Key: func(secret, id string) signing.Key { return signing.P256("AWS4A"+secret, AlgorithmA, id, 1) },
}
