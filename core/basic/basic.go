// Package basic verifies Basic credentials (RFC 7617), the signature key type
// "basic".
//
//	Authorization: Basic base64(id ":" secret)
//
// It proves that the sender knows the password. It proves nothing about the request: not
// the method, the target, the headers or the body. The password itself is sent, so
// everyone who can read one request can send others. Use it only over TLS, and only if
// the gateway offers nothing better.
package basic

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// Algorithm is the scheme name in the Authorization header. Its case does not matter
// (RFC 9110 section 11.1).
const Algorithm = "Basic"

// Config configures the scheme.
type Config struct {
	// Keys finds keys by the user name. Required.
	Keys core.KeySource
	// Now is the clock of the throttle; nil means time.Now.
	Now func() time.Time
}

// New returns the scheme "basic".
//
// Wrong passwords are throttled: after ten in a second for one user from one
// address (of IPv6 a /64), that address is refused for that user until the
// second is over, right or wrong. For ten minutes after a right password nothing is
// throttled for that user and address, so guesses cannot lock out a gateway that
// works. Behind a proxy that hides addresses, guesses that arrive before the
// gateway's first request can block it for as long as they go on. A new scheme, for
// example after the configuration was reloaded, trusts no address yet. Many
// addresses give as many times the guesses, and more where thousands of users and
// addresses are tried within a second, since the memory for the counts is bounded. Only a
// password that cannot be guessed helps against that.
func New(c Config) core.Scheme {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &scheme{keys: c.Keys, throttle: newThrottle(c.Now)}
}

type scheme struct {
	keys     core.KeySource
	throttle *throttle
}

func (s *scheme) Name() string         { return "basic" }
func (s *scheme) Algorithms() []string { return []string{Algorithm} }
func (s *scheme) Keys() core.KeySource { return s.keys }

// Parse reads the header.
func (s *scheme) Parse(r *http.Request, c *core.Credential) error {
	values := c.Authorization(r)
	if len(values) == 0 {
		return core.ErrNoCredential
	}
	token, _ := authorization.Cut(values[0])
	// EqualFold folds U+017F to s as well; the token is ASCII.
	if len(token) != len(Algorithm) || !strings.EqualFold(token, Algorithm) {
		return core.ErrNoCredential
	}
	encoded := strings.TrimPrefix(values[0][len(token):], " ")
	if strings.ContainsAny(encoded, "\r\n") { // which the decoder skips
		return malformed()
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return malformed()
	}
	id, password, found := strings.Cut(string(decoded), ":")
	if !found || id == "" || password == "" {
		return malformed()
	}
	c.Algorithm, c.KeyID, c.Signature = Algorithm, id, password
	return nil
}

func malformed() error {
	return core.Refuse(core.CodeCredentialMalformed, "not the base64 of a user name, a colon and a password")
}

// Verify compares the password with every secret, by their hashes, so that the
// time taken depends on neither.
func (s *scheme) Verify(r *http.Request, c *core.Credential, _ *core.Key, secrets []core.Secret, _ string) (int, error) {
	peer := s.throttle.peer(r.RemoteAddr, c.KeyID)
	if !s.throttle.allow(peer) {
		return -1, core.Refuse(core.CodeThrottled, "too many wrong passwords from this address")
	}
	got := sha256.Sum256([]byte(c.Signature))
	matched := -1
	for i, secret := range secrets {
		want := sha256.Sum256([]byte(secret.Reveal()))
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 && matched < 0 {
			matched = i
		}
	}
	s.throttle.record(peer, matched >= 0)
	if matched < 0 {
		return -1, core.RefuseWithHint(core.CodeSignatureMismatch, "wrong password",
			"Compare the password of the key in the file with the sender's; a captured file does not hold passwords, so explain cannot.")
	}
	return matched, nil
}
