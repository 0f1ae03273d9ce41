package core

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// A guess is how the request may have been when it was signed, and with what.
type guess struct {
	method, host, path, query string
	header                    http.Header // to be changed by set alone
	own                       bool        // header is the guess's own
	digest                    string      // the hash of the body
	payload                   string      // what stands for the body, in place of what the request says

	scheme   Scheme // nil: the first that recognises the credential
	key      *Key   // nil: the one that the credential names
	anyScope bool   // whatever region and service the key is for
	anyToken bool   // the key has the credential's session token, or none

	edit func(canonicalRequest string) string // what its signer writes, where the scheme is a Prover
}

// set replaces the values of a header, given in lower case.
func (g *guess) set(name string, values ...string) {
	if name == "host" {
		g.host = strings.Join(values, ",")
		return
	}
	if !g.own {
		g.header, g.own = g.header.Clone(), true
		if g.header == nil {
			g.header = http.Header{}
		}
	}
	g.header[http.CanonicalHeaderKey(name)] = values
}

// request returns the head of the guessed request.
func (s *search) request(g *guess) *http.Request {
	r := *s.received
	r.Method, r.Host, r.Header, r.Body = g.method, g.host, g.header, nil
	if r.RequestURI = g.path; r.RequestURI == "" {
		r.RequestURI = "/"
	}
	if g.query != "" {
		r.RequestURI += "?" + g.query
	}
	return &r
}

// fit is how far a credential fits a guess, and with what.
type fit struct {
	signature  bool // but for the body
	body       bool // is the one that was signed
	scheme     Scheme
	credential *Credential
	key        *Key
	secret     int // of those of the key that are tried
}

func (f *fit) whole() bool { return f.signature && f.body }

// fits looks whether the credential fits the guess. It asks the schemes
// themselves, so that nothing but the mathematics is in the way.
func (s *search) fits(g *guess) (f fit) {
	s.tried++
	r := s.request(g)
	scheme, c, err := s.parse(r, g)
	if err != nil {
		return f
	}
	key := g.key
	if key == nil {
		key = s.key(scheme, c.KeyID)
	}
	f.scheme, f.credential, f.key = scheme, c, key
	if key == nil {
		return f
	}
	if !g.anyScope {
		inRegion := c.Region == key.Region
		if c.InRegion != nil {
			inRegion = key.Region != "" && c.InRegion(key.Region)
		}
		if !inRegion || c.Service != key.Service {
			return f
		}
	}
	if g.anyToken {
		same := *key
		same.SessionToken = NewSecret(c.SessionToken)
		key = &same
	}
	if want := key.SessionToken; !want.IsZero() && !equal(c.SessionToken, want.Reveal()) {
		return f
	}
	secrets := key.appendSecrets(nil, s.now)
	if !c.SignsRequest {
		// A password. The scheme is not asked: it may count wrong ones, or ask others.
		f.secret = slices.IndexFunc(secrets, func(secret Secret) bool { return equal(c.Signature, secret.Reveal()) })
		f.signature, f.body = f.secret >= 0, f.secret >= 0
		return f
	}
	f.body = c.Payload != PayloadDeclared || equal(g.digest, c.Declared)
	if g.edit != nil {
		f.secret = s.proves(scheme, g, c, key, secrets)
	} else if f.secret, err = scheme.Verify(r, c, key, secrets, payloadOf(g, c)); err != nil {
		f.secret = -1
	}
	f.signature = f.secret >= 0 && f.secret < len(secrets)
	return f
}

func payloadOf(g *guess, c *Credential) string {
	switch {
	case c.Payload == PayloadDeclared || c.Payload == PayloadUnsigned:
		return c.Declared
	case g.payload != "":
		return g.payload
	}
	return g.digest
}

// parse finds the scheme of the guess and reads the credential.
func (s *search) parse(r *http.Request, g *guess) (Scheme, *Credential, error) {
	schemes := s.policy.Schemes
	if g.scheme != nil {
		schemes = []Scheme{g.scheme}
	}
	for _, scheme := range schemes {
		c := new(Credential)
		switch err := scheme.Parse(r, c); {
		case err == nil:
			return scheme, c, nil
		case !errors.Is(err, ErrNoCredential):
			return nil, nil, err
		}
	}
	return nil, nil, ErrNoCredential
}

// keyAt names a key: ids are of a scheme's source.
type keyAt struct {
	scheme Scheme
	id     string
}

// key finds a key once. Its secrets are copies, so that what schemes derive for
// guesses is not remembered with the real ones.
func (s *search) key(scheme Scheme, id string) *Key {
	at := keyAt{scheme, id}
	if key, known := s.keys[at]; known {
		return key
	}
	if id == "" {
		id = s.bound
	}
	var key *Key
	var err error
	if source := scheme.Keys(); source == nil {
		err = ErrKeyUnknown
	} else if set, fixed := source.(*KeySet); fixed {
		key, err = set.Key(s.ctx(), id)
	} else {
		key, err = s.policy.ask(s.ctx(), source, id)
	}
	if err != nil || key == nil || !key.usable(id) {
		key = nil
	} else {
		key = s.detached(key)
	}
	s.keys[at] = key
	return key
}

func (s *search) detached(key *Key) *Key {
	s.hideKey(key)
	own := *key
	own.Secret = NewSecret(key.Secret.Reveal())
	own.Previous = slices.Clone(key.Previous)
	for i, p := range own.Previous {
		own.Previous[i].Secret = NewSecret(p.Secret.Reveal())
	}
	return &own
}

// with returns the key with one secret.
func with(key *Key, secret Secret) *Key {
	other := *key
	other.Secret, other.Previous = secret, nil
	return &other
}

func (s *search) ctx() context.Context { return s.received.Context() }

func (s *search) hash(body []byte) string {
	h := s.bodyHash.New()
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
