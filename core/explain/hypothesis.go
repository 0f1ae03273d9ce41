package explain

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// A hypothesis is the request as it may have been when it was signed, and the key that it
// may have been signed with.
type hypothesis struct {
	method, host, path, query string
	header                    http.Header // changed only by set
	own                       bool        // header is a copy
	digest                    string      // the hash of the body
	payload                   string      // the signed payload, instead of the one that the request declares

	scheme   core.Scheme // nil: the first scheme that recognises the credential
	key      *core.Key   // nil: the key that the credential names
	anyScope bool        // region and service are not compared with the key's
	anyToken bool        // the key has the credential's session token, or none

	credentialHeader string // "": that of the policy

	rewrite func(canonicalRequest string) string // edits the canonical request; for a scheme that is a Prover
}

// set replaces the values of a header, given in lower case.
func (h *hypothesis) set(name string, values ...string) {
	if name == "host" {
		h.host = strings.Join(values, ",")
		return
	}
	if !h.own {
		h.header, h.own = h.header.Clone(), true
		if h.header == nil {
			h.header = http.Header{}
		}
	}
	h.header[http.CanonicalHeaderKey(name)] = values
}

// request returns the request of a hypothesis, without its body.
func (s *search) request(h *hypothesis) *http.Request {
	r := *s.received
	r.Method, r.Host, r.Header, r.Body = h.method, h.host, h.header, nil
	if r.RequestURI = h.path; r.RequestURI == "" {
		r.RequestURI = "/"
	}
	if h.query != "" {
		r.RequestURI += "?" + h.query
	}
	return &r
}

// verification is the result of verifying a credential with a hypothesis.
type verification struct {
	signature  bool // the signature matches, body aside
	body       bool // the body is the signed one
	scheme     core.Scheme
	credential *core.Credential
	key        *core.Key
	secret     int // index among the accepted secrets of key
}

func (v *verification) whole() bool { return v.signature && v.body }

// verifies verifies the credential with the hypothesis. It calls the scheme itself, so
// that only the signature decides, and not the policy.
func (s *search) verifies(h *hypothesis) (v verification) {
	s.tried++
	r := s.request(h)
	scheme, c, err := s.parse(r, h)
	if err != nil {
		return v
	}
	key := h.key
	if key == nil {
		key = s.key(scheme, c.KeyID)
	}
	v.scheme, v.credential, v.key = scheme, c, key
	if key == nil {
		return v
	}
	if !h.anyScope {
		inRegion := c.Region == key.Region
		if c.InRegion != nil {
			inRegion = key.Region != "" && c.InRegion(key.Region)
		}
		if !inRegion || c.Service != key.Service {
			return v
		}
	}
	if h.anyToken {
		same := *key
		same.SessionToken = core.NewSecret(c.SessionToken)
		key = &same
	}
	if want := key.SessionToken; !want.IsZero() && !equal(c.SessionToken, want.Reveal()) {
		return v
	}
	secrets := key.SecretsAt(s.now)
	if !c.SignsRequest {
		// The credential is a password. Verify of its scheme is not called: it may count
		// wrong passwords, or call another server.
		v.secret = slices.IndexFunc(secrets, func(secret core.Secret) bool { return equal(c.Signature, secret.Reveal()) })
		v.signature, v.body = v.secret >= 0, v.secret >= 0
		return v
	}
	v.body = c.Payload != core.PayloadDeclared || equal(h.digest, c.Declared)
	if h.rewrite != nil {
		v.secret = s.proves(scheme, h, c, key, secrets)
	} else if v.secret, err = scheme.Verify(r, c, key, secrets, payloadOf(h, c)); err != nil {
		v.secret = -1
	}
	v.signature = v.secret >= 0 && v.secret < len(secrets)
	return v
}

func payloadOf(h *hypothesis, c *core.Credential) string {
	switch {
	case c.Payload == core.PayloadDeclared || c.Payload == core.PayloadUnsigned:
		return c.Declared
	case h.payload != "":
		return h.payload
	}
	return h.digest
}

// parse finds the scheme of the hypothesis and reads the credential.
func (s *search) parse(r *http.Request, h *hypothesis) (core.Scheme, *core.Credential, error) {
	schemes := s.policy.Schemes
	if h.scheme != nil {
		schemes = []core.Scheme{h.scheme}
	}
	r = inAuthorization(r, s.credentialHeader(h))
	for _, scheme := range schemes {
		c := new(core.Credential)
		switch err := scheme.Parse(r, c); {
		case err == nil:
			return scheme, c, nil
		case !errors.Is(err, core.ErrNoCredential):
			return nil, nil, err
		}
	}
	return nil, nil, core.ErrNoCredential
}

// A keyAt identifies a key. Ids are unique within the key source of a scheme.
type keyAt struct {
	scheme core.Scheme
	id     string
}

// key looks a key up, and caches it. Its secrets are copies, so that keys which schemes
// derive for a hypothesis are not stored with the real secret.
func (s *search) key(scheme core.Scheme, id string) *core.Key {
	at := keyAt{scheme, id}
	if key, known := s.keys[at]; known {
		return key
	}
	if id == "" {
		id = s.binding.key
	}
	key := s.lookUp(scheme.Keys(), id)
	if key != nil {
		key = s.detached(key)
	}
	s.keys[at] = key
	return key
}

func (s *search) detached(key *core.Key) *core.Key {
	s.hideKey(key)
	own := *key
	own.Secret = core.NewSecret(key.Secret.Reveal())
	own.Previous = slices.Clone(key.Previous)
	for i, p := range own.Previous {
		own.Previous[i].Secret = core.NewSecret(p.Secret.Reveal())
	}
	return &own
}

// with returns the key with one secret.
func with(key *core.Key, secret core.Secret) *core.Key {
	other := *key
	other.Secret, other.Previous = secret, nil
	return &other
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *search) ctx() context.Context { return s.received.Context() }

func (s *search) hash(body []byte) string {
	sum := s.bodyHash.New()
	sum.Write(body)
	return hex.EncodeToString(sum.Sum(nil))
}
