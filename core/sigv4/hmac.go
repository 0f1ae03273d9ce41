package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"sync"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// hmacSHA256 is AWS4-HMAC-SHA256.
type hmacSHA256 struct{}

func (hmacSHA256) name() string       { return "sigv4" }
func (hmacSHA256) identifier() string { return Algorithm }

// parseScope reads region/service.
func (hmacSHA256) parseScope(c *core.Credential, text string) bool {
	c.Region, c.Service, _ = strings.Cut(text, "/")
	return c.Region != "" && c.Service != "" && !strings.Contains(c.Service, "/")
}

// parseRegion has nothing to read: the scope names the region.
func (hmacSHA256) parseRegion(*http.Request, *core.Credential, field) error { return nil }

func (hmacSHA256) isSignature(text string) bool {
	return authorization.IsHex(text, hex.EncodedLen(sha256.Size))
}

func (hmacSHA256) verifies(_ *core.Key, secret core.Secret, c *core.Credential, stringToSign []byte) bool {
	var want, got [2 * sha256.Size]byte
	appendMAC(want[:0], secret, c, stringToSign)
	return copy(got[:], c.Signature) == len(got) && hmac.Equal(want[:], got[:])
}

// fingerprint is half of the MAC's digits: only one MAC fits.
func (hmacSHA256) fingerprint(_ []byte, signature string) (f [sha256.Size]byte) {
	copy(f[:], signature)
	return f
}

// appendMAC appends the signature over the string to sign, in hexadecimal.
//
// Signing keys are remembered with the secret. Region and service are the
// key's, and in the header form the day is at most one from the clock's, so
// strangers cannot grow that memory or turn it over. In the query form they
// choose among eight days: those signing keys are made anew.
func appendMAC(dst []byte, secret core.Secret, c *core.Credential, stringToSign []byte) []byte {
	scope := scopeKey{c.Timestamp[:len("20060102")], c.Region, c.Service}
	var states *sync.Pool
	if c.Presigned {
		states = scope.derive(secret.Reveal())
	} else {
		states = core.Derive(secret, scope, scope.derive)
	}
	state := states.Get().(*macState)
	defer states.Put(state)
	state.Reset()
	state.Write(stringToSign)
	return hex.AppendEncode(dst, state.Sum(state.sum[:0]))
}

// macState is an HMAC that has taken in its key, with room for its result.
type macState struct {
	hash.Hash
	sum [sha256.Size]byte
}

// scopeKey names a signing key.
type scopeKey struct{ day, region, service string }

// derive returns states that have taken in the signing key of the scope
// (PROTOCOLS section 2).
func (s scopeKey) derive(secret string) *sync.Pool {
	key := []byte("AWS4" + secret)
	for _, part := range [...]string{s.day, s.region, s.service, terminator} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return &sync.Pool{New: func() any { return &macState{Hash: hmac.New(sha256.New, key)} }}
}
