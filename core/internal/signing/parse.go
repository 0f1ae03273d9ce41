package signing

import (
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

// presented is what a request presents beside the fields of the credential.
type presented struct {
	front
	isHex         bool  // the signature is of the algorithm's length, in lower-case digits
	token, digest Value // where they are signed
	regionSet     Value
}

// Scratch returns the buffers of the verification that c belongs to, or new ones where
// no verifier is calling.
func Scratch(c *core.Credential) *canonical.Message {
	if m, ok := c.Scratch().(*canonical.Message); ok {
		return m
	}
	return canonical.NewMessage()
}

// Parse reads the credential from the Authorization header or, where there is
// none, from the query.
func (s *scheme) Parse(r *http.Request, c *core.Credential) error {
	var p presented
	var err error
	m := Scratch(c)
	if values := c.Authorization(r); len(values) > 0 {
		err = s.parseHeader(r, m, c, values[0], &p)
	} else {
		err = s.parseQuery(r, m, c, &p)
	}
	if err != nil {
		return err
	}
	c.Algorithm, c.SignsRequest = s.Identifier, true
	if n := len(c.Signature); !p.isHex && (n%2 != 0 || n < hex.EncodedLen(s.MinSignature) || n > hex.EncodedLen(s.MaxSignature) || !lowerhex.Is(c.Signature, n)) {
		return malformed(s.Details.Signature)
	}
	if err := s.parseCredential(c, &p.front); err != nil {
		return err
	}
	if s.TokenIsStrict && p.token.Present && p.token.Text == "" {
		return malformed("the session token is empty")
	}
	c.SessionToken = p.token.Text
	rules := s.rulesOf(c)
	if err := s.parsePayload(c, p.digest, &rules); err != nil {
		return err
	}
	if err := m.CheckPath(r, rules.Path); err != nil {
		return NotCanonical(err)
	}
	if !s.hasRegionSet() {
		return nil
	}
	return s.parseRegionSet(r, c, p.regionSet, rules.RegionWildcards)
}

// parseHeader reads the Authorization header and the headers that belong to it.
func (s *scheme) parseHeader(r *http.Request, m *canonical.Message, c *core.Credential, value string, p *presented) (err error) {
	text, signature, ok := s.cutSignature(value)
	if known, remembered := s.fronts.Get(text); ok && remembered {
		p.front, p.isHex, c.Signature = *known, true, signature
	} else if p.front, c.Signature, err = s.readFront(value); err != nil {
		return err
	} else {
		m.Front = text
	}
	c.SignedHeaders, c.Date = p.signedHeaders, s.DateHeader
	if values := r.Header[s.DateField]; len(values) == 1 {
		c.Timestamp = values[0]
	} else if s.OtherDate != nil {
		timestamp, present, err := s.OtherDate(r)
		if err != nil {
			return err
		}
		if present {
			c.Date, c.Timestamp = s.OtherDateHeader, timestamp
		}
	}
	if p.signsToken {
		p.token = header(r, s.TokenHeader)
	}
	if p.signsDigest {
		p.digest = header(r, s.DigestHeader)
	}
	return nil
}

// header returns the one value of a header.
func header(r *http.Request, name string) Value {
	var one [1]string
	if values := canonical.Values(r, name, &one); len(values) == 1 {
		return Value{Text: values[0], Present: true}
	}
	return Value{}
}

// SignedHeader returns the one value of a header that counts only where it is
// signed.
func SignedHeader(r *http.Request, c *core.Credential, name string) Value {
	if !c.Signs(name) {
		return Value{}
	}
	return header(r, name)
}

// parseCredential reads the date, and the scope where there is one. The scope repeats
// the day of the date.
func (s *scheme) parseCredential(c *core.Credential, f *front) error {
	var ok bool
	c.Time, ok = authorization.ParseDate(c.Timestamp)
	switch {
	case c.Timestamp == "" && !c.Presigned:
		return malformed(s.Details.NoDate)
	case !ok:
		return malformed(s.Details.Date)
	case !f.isScope:
		return malformed(s.Details.Scope)
	case s.Scope != nil && f.scope.Date != c.Timestamp[:len(dayFormat)]:
		return malformed(s.Details.ScopeDate)
	}
	c.KeyID, c.Scope, c.Region, c.Service = f.scope.KeyID, f.scope.Text, f.scope.Region, f.scope.Service
	return nil
}

// parsePayload reads what stands for the body.
func (s *scheme) parsePayload(c *core.Credential, digest Value, rules *Rules) error {
	if !digest.Present && c.Presigned && rules.unsignedPresigned(c.Service) {
		digest = Value{unsignedPayload, true}
	}
	c.Hash = s.Hash
	return ParsePayload(c, digest, s.Details.Digest)
}

// ParsePayload sets what stands for the body by the digest that the request
// declares, and refuses other forms of it with detail.
func ParsePayload(c *core.Credential, digest Value, detail string) error {
	c.Declared = digest.Text
	switch {
	case !digest.Present:
		c.Payload = core.PayloadHashed
	case digest.Text == unsignedPayload:
		c.Payload = core.PayloadUnsigned
	case strings.HasPrefix(digest.Text, "STREAMING-"):
		return core.Refuse(core.CodePayloadUnsupported, "payloads signed in chunks are not supported")
	case lowerhex.Is(digest.Text, hex.EncodedLen(DigestSize)):
		c.Payload = core.PayloadDeclared
	default:
		return malformed(detail)
	}
	return nil
}

func malformed(detail string) error { return core.Refuse(core.CodeCredentialMalformed, detail) }
func ambiguous(detail string) error { return core.Refuse(core.CodeRequestAmbiguous, detail) }

// NotCanonical gives an error of canonicalisation its code.
func NotCanonical(err error) error {
	if errors.Is(err, canonical.ErrHeaderAbsent) {
		return core.Refuse(core.CodeHeaderNotSigned, err.Error())
	}
	return ambiguous(err.Error())
}
