package signing

import (
	"errors"
	"hash"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/outgoing"
)

// SignOptions say what a [Signer] signs besides method, path, query, host, date and
// every header of the protocols, and how. The packages of the schemes document
// them.
type SignOptions struct {
	Headers []string
	Payload core.Payload
	Expires time.Duration // not zero: in the query
}

// Signer signs outgoing requests. Its methods are those of signer.Signer.
type Signer struct {
	algorithm *Algorithm
	key       core.Key
	options   SignOptions
	rules     Rules
}

// NewSigner returns a Signer of an algorithm. Rules are those of the service that is
// signed for. Where the algorithm has a region set, it is the key's region.
func NewSigner(a *Algorithm, key core.Key, options SignOptions, rules Rules) *Signer {
	options.Headers = slices.Clone(options.Headers)
	return &Signer{a, key, options, rules}
}

// Presigner returns a Signer like s that puts the credential in the query.
func (s *Signer) Presigner(expires time.Duration) *Signer {
	presigner := *s
	presigner.options.Expires = expires
	return &presigner
}

// NewHash returns the algorithm's hash, or nil where the payload is left unsigned.
func (s *Signer) NewHash() hash.Hash {
	if s.options.Payload == core.PayloadUnsigned {
		return nil
	}
	return s.algorithm.Hash.New()
}

// Sign puts a credential into r: in Authorization and the header of the date, or,
// with Expires, in the query. As the options and the key say, it sets the headers or
// parameters of the payload's digest, the session token and the region set as well.
// Before that it gives r the form in which it is sent, without what an earlier
// signature may have left; see package signer. Digest is that of the body, in
// lower-case hex.
func (s *Signer) Sign(r *http.Request, digest string, at time.Time) error {
	if err := outgoing.Prepare(r); err != nil {
		return err
	}
	a := s.algorithm
	c, credential, err := s.newCredential(at.UTC())
	if err != nil {
		return err
	}
	r.Header.Del("Authorization")
	r.Header.Del(a.DateHeader)
	payload, declared := s.payload(digest)
	added := s.declare(r, payload, declared)
	if c.Presigned {
		return s.presign(r, c, credential, payload, added)
	}
	r.Header.Set(a.DateHeader, c.Timestamp)
	if err := s.listHeaders(r, c); err != nil {
		return err
	}
	signature, err := s.signature(r, c, payload)
	if err != nil {
		return err
	}
	field := "Access="
	if a.Scope != nil {
		field = "Credential="
	}
	fields := field + credential + ", SignedHeaders=" + c.SignedHeaders + ", Signature=" + signature
	if read, err := authorization.Parse(fields); err != nil || read.Access+read.Credential != credential {
		return errors.New("the key's id, region or service is empty, or has a character that a credential cannot hold")
	}
	r.Header.Set("Authorization", a.Identifier+" "+fields)
	return nil
}

// newCredential returns what is known before the request is: c, and the text of the
// credential, which is the id and the scope.
func (s *Signer) newCredential(at time.Time) (c *core.Credential, credential string, err error) {
	a, key := s.algorithm, &s.key
	if key.ID == "" {
		return nil, "", errors.New("the key has no id, which a credential must name")
	}
	c = &core.Credential{Timestamp: at.Format(authorization.DateFormat), Presigned: s.options.Expires != 0}
	credential = key.ID
	if a.Scope != nil {
		if key.Region == "" || key.Service == "" {
			return nil, "", errors.New("the key names no region or no service, which the scheme signs")
		}
		c.Scope = a.Scope.text(at.Format(dayFormat), key.Region, key.Service)
		credential += "/" + c.Scope
	}
	if (a.Scope != nil || c.Presigned) && strings.Contains(key.ID+key.Region+key.Service, "/") {
		return nil, "", errors.New("the key's id, region or service has a slash, which separates them in a credential")
	}
	return c, credential, nil
}

// payload returns the payload line, and whether the request must declare it.
func (s *Signer) payload(digest string) (line string, declared bool) {
	undeclaredIsUnsigned := s.options.Expires != 0 && s.rules.unsignedPresigned(s.key.Service)
	switch s.options.Payload {
	case core.PayloadUnsigned:
		return unsignedPayload, !undeclaredIsUnsigned
	case core.PayloadDeclared:
		return digest, true
	}
	return digest, undeclaredIsUnsigned
}

// declare sets the headers of session token, region set and payload, and removes
// those of an earlier signature. What has a parameter of its own in the query form
// is returned for that instead.
func (s *Signer) declare(r *http.Request, payload string, declared bool) (added Parameters) {
	a := s.algorithm
	r.Header.Del(a.DigestHeader)
	if a.TokenIsStrict {
		r.Header.Del(a.TokenHeader)
	}
	if a.RegionSetHeader != "" {
		r.Header.Del(a.RegionSetHeader)
	}
	put := func(i int, header, text string) {
		if s.options.Expires != 0 && a.has(i) {
			added[i] = Value{text, true}
		} else {
			r.Header.Set(header, text)
		}
	}
	if token := s.key.SessionToken; !token.IsZero() {
		put(tokenParameter, a.TokenHeader, token.Reveal())
	}
	if a.hasRegionSet() {
		put(regionSetParameter, a.RegionSetHeader, s.key.Region)
	}
	if declared {
		put(digestParameter, a.DigestHeader, payload)
	}
	return added
}

// listHeaders sets c's list of the headers that are signed.
func (s *Signer) listHeaders(r *http.Request, c *core.Credential) (err error) {
	more := s.options.Headers
	if !s.key.SessionToken.IsZero() {
		more = append(slices.Clip(more), s.algorithm.TokenHeader)
	}
	c.SignedHeaders, err = outgoing.SignedHeaders(r, more...)
	return err
}

// signature signs r as c says.
func (s *Signer) signature(r *http.Request, c *core.Credential, payload string) (string, error) {
	a, rule := s.algorithm, s.rules.Path
	path, _ := canonical.Target(r)
	if err := rule.Check(path); err != nil {
		return "", NotCanonical(err)
	}
	m := canonical.NewMessage()
	defer m.Free()
	if _, err := a.buildStringToSign(m, r, c, payload, rule, a.FirstOrder); err != nil {
		return "", err
	}
	return a.key(s.key.Secret, s.key.ID, c).Sign(m.StringToSign)
}
