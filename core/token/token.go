package token

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// Header is the header that holds the token. It takes the place of an
// algorithm's name in identities, events and WWW-Authenticate.
const Header = "X-Auth-Token"

// maxToken is the longest token in bytes. Fernet tokens have about 200, PKI
// tokens a few thousand. Many servers take no header line of 8 KiB.
const maxToken = 8 << 10

const notWellFormed = "the token is empty, longer than 8 KiB, or has characters that tokens do not have"

// New returns the scheme "token". Problems of the configuration are those of
// [Scheme.Validate]; core.New takes no scheme that has any.
func New(c Config) *Scheme {
	s := &Scheme{invalid: c.check(), clients: make(map[string]*client, len(c.Keys))}
	if s.invalid != nil {
		return s
	}
	if c.Transport == nil {
		s.transport = newTransport()
		c.Transport = s.transport
	}
	c.defaults()
	keys := make([]core.Key, len(c.Keys))
	for i, key := range c.Keys {
		keys[i] = core.Key{Name: key.Name, ID: key.Name, Secret: unused}
		s.clients[key.Name] = newClient(c, key)
	}
	s.keys = core.Keys(keys...)
	return s
}

// Scheme is the scheme "token".
type Scheme struct {
	keys      core.KeySource
	clients   map[string]*client // by the key's name
	transport *http.Transport    // our own, nil where the user has set one
	invalid   error
}

var _ interface {
	core.Scheme
	core.Validator
	core.HeaderScheme
} = (*Scheme)(nil)

// Name returns token.
func (s *Scheme) Name() string { return "token" }

// Algorithms returns X-Auth-Token.
func (s *Scheme) Algorithms() []string { return []string{Header} }

// CredentialHeader returns X-Auth-Token: the credential does not stand in
// Authorization.
func (s *Scheme) CredentialHeader() string { return Header }

// Keys returns the keys by name; what counts as secret is our own password. It
// is nil where [Scheme.Validate] has something to report: core.New takes no such
// scheme.
func (s *Scheme) Keys() core.KeySource { return s.keys }

// Validate reports all problems of the configuration. Names that are missing or
// occur twice are reported by core.New. The identity service is not asked.
func (s *Scheme) Validate() error { return s.invalid }

// Parse reads the header. The token names no key: the key bound to the API says
// which identity service is asked.
func (s *Scheme) Parse(r *http.Request, c *core.Credential) error {
	values := r.Header[Header]
	if len(values) == 0 {
		return core.ErrNoCredential
	}
	switch {
	case len(values) > 1:
		return core.Refuse(core.CodeRequestAmbiguous, "more than one value of X-Auth-Token")
	case misspelled(r.Header):
		return core.Refuse(core.CodeRequestAmbiguous, "X-Auth-Token is also present with an underscore in its name")
	case !wellFormed(values[0]):
		return core.Refuse(core.CodeCredentialMalformed, notWellFormed)
	}
	c.Algorithm, c.Signature = Header, values[0]
	return nil
}

// misspelled reports whether a header is X-Auth-Token to readers that take
// underscores for dashes.
func misspelled(h http.Header) bool {
	for name := range h {
		if len(name) == len(Header) && strings.IndexByte(name, '_') >= 0 &&
			strings.EqualFold(strings.ReplaceAll(name, "_", "-"), Header) {
			return true
		}
	}
	return false
}

// wellFormed reports whether a token has the form of one: Fernet, PKI, JWS and
// UUID tokens are of the characters of bearer tokens (RFC 6750 section 2.1).
// What it means is for the identity service to say.
func wellFormed(token string) bool {
	for _, c := range []byte(token) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if digit := '0' <= c && c <= '9'; !letter && !digit && strings.IndexByte("-._~+/=", c) < 0 {
			return false
		}
	}
	return token != "" && len(token) <= maxToken
}

// Verify checks the token with the identity service, or uses the cached answer.
func (s *Scheme) Verify(r *http.Request, c *core.Credential, key *core.Key, _ []core.Secret, _ string) (int, error) {
	client, known := s.clients[key.Name]
	if !known {
		return -1, core.Refuse(core.CodeUnavailable, "the key belongs to another scheme")
	}
	subject, err := client.check(r.Context(), c.Signature)
	switch {
	case errors.Is(err, errInvalid):
		return -1, core.RefuseWithHint(core.CodeSignatureMismatch, "the identity service does not take the token for valid",
			"The sender needs a new token, of the identity service at iam_url; a captured file does not hold tokens, so explain cannot check it.")
	case err != nil:
		return -1, &core.Error{Code: core.CodeUnavailable, Detail: "no verdict of the identity service", Err: err}
	case client.key.CallerProject != "" && subject.projectID != client.key.CallerProject:
		return -1, core.RefuseWithHint(core.CodeSignatureMismatch, "the token is not scoped to the caller project of this key",
			"The sender must ask for a token of the project in caller_project; or correct caller_project of the key in the file.")
	}
	c.Attributes = subject.attributes
	return 0, nil
}

// Flush removes a token from the cache, for example because it was revoked or its roles
// have changed. Requests that start after Flush has returned ask the identity service
// again.
func (s *Scheme) Flush(token string) {
	for _, client := range s.clients {
		client.flush(token)
	}
}

// FlushAll removes all tokens from the cache.
func (s *Scheme) FlushAll() {
	for _, client := range s.clients {
		client.flushAll()
	}
}

// Close ends all calls to the identity service. Every request is refused with 503
// afterwards. It returns nil. Close is optional: the scheme has no goroutines besides
// its calls, which end with their timeout.
func (s *Scheme) Close() error {
	for _, client := range s.clients {
		client.close()
	}
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
	return nil
}

// unused is the secret of the keys: core asks for one, and no request is verified with it.
var unused = core.NewSecret("no request is signed with this")
