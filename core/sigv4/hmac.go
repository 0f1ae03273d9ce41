package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// hmacSHA256 is AWS4-HMAC-SHA256.
type hmacSHA256 struct{}

func (hmacSHA256) name() string       { return "sigv4" }
func (hmacSHA256) identifier() string { return Algorithm }

// parseScope reads id/yyyymmdd/region/service/aws4_request.
func (hmacSHA256) parseScope(r *authorization.Reader, credential string) *authorization.Scope {
	return r.Scope(credential, terminator)
}

// parseRegion has nothing to read: the scope names the region.
func (hmacSHA256) parseRegion(*http.Request, *core.Credential, field) error { return nil }

func (hmacSHA256) isSignature(text string) bool {
	return lowerhex.Is(text, hex.EncodedLen(sha256.Size))
}

func (hmacSHA256) verifies(_ *core.Key, secret core.Secret, c *core.Credential, stringToSign []byte) bool {
	return signingKey(secret, c).Verify(stringToSign, c.Signature)
}

// fingerprint is half of the MAC's digits: only one MAC fits.
func (hmacSHA256) fingerprint(_ []byte, signature string) (f [sha256.Size]byte) {
	copy(f[:], signature)
	return f
}

// signingKey returns the key that a credential is signed with.
//
// Signing keys are remembered with the secret. Region and service are the
// key's, and in the header form the day is at most one from the clock's, so
// strangers cannot grow that memory or turn it over. In the query form they
// choose among eight days: those signing keys are made anew.
func signingKey(secret core.Secret, c *core.Credential) *signature.MAC {
	scope := scopeKey{c.Timestamp[:len("20060102")], c.Region, c.Service}
	if c.Presigned {
		return scope.derive(secret.Reveal())
	}
	return core.Derive(secret, scope, scope.derive)
}

// scopeKey names a signing key.
type scopeKey struct{ day, region, service string }

// derive returns the signing key of the scope
// (PROTOCOLS section 2).
func (s scopeKey) derive(secret string) *signature.MAC {
	key := []byte("AWS4" + secret)
	for _, part := range [...]string{s.day, s.region, s.service, terminator} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return signature.NewMAC(sha256.New, key)
}
