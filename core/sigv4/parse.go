package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// presented is what a request presents, in either form.
type presented struct {
	credential, signature string
	date                  field
	token, digest         field // where they are signed
	regionSet             field // in the query
}

// field is the value of a header or parameter that may be absent.
type field struct {
	value   string
	present bool
}

const terminator = "aws4_request"

// Parse reads the credential in the Authorization header, or else in the query.
func (s *scheme) Parse(r *http.Request, c *core.Credential) error {
	var p presented
	var err error
	m := c.Message()
	if values := m.Header(r, "Authorization"); len(values) > 0 {
		err = s.parseHeader(r, m, c, values[0], &p)
	} else {
		err = s.parseQuery(r, c, &p)
	}
	if err != nil {
		return err
	}
	if !s.isSignature(p.signature) {
		return malformed("the signature is not of the algorithm's form in lower-case hexadecimal digits")
	}
	c.Algorithm, c.Signature, c.SignsRequest = s.identifier(), p.signature, true
	if err := s.parseCredential(m, c, p.credential, p.date); err != nil {
		return err
	}
	if p.token.present && p.token.value == "" {
		return malformed("the session token is empty")
	}
	c.SessionToken = p.token.value
	if err := s.parsePayload(c, p.digest); err != nil {
		return err
	}
	if err := m.CheckSigV4Path(r, s.pathsOf(c).rule()); err != nil {
		return canonicalError(err)
	}
	return s.parseRegion(r, c, p.regionSet)
}

// parseHeader reads the header form.
func (s *scheme) parseHeader(r *http.Request, m *canonical.Message, c *core.Credential, value string, p *presented) error {
	fields, err := m.Authorization.Read(value, s.identifier())
	if fields == nil {
		return core.ErrNoCredential
	}
	switch {
	case err != nil:
		return core.Refuse(core.CodeCredentialMalformed, err.Error())
	case fields.Credential == "" || fields.Access != "" || !fields.Listed:
		return malformed("the fields are not Credential, SignedHeaders and Signature")
	}
	p.credential, p.signature = fields.Credential, fields.Signature
	c.SignedHeaders, c.Date = fields.SignedHeaders, dateHeader
	if values := m.Header(r, dateField); len(values) == 1 {
		p.date = field{values[0], true}
	} else if timestamp, present, err := httpDate(r); err != nil {
		return err
	} else if present {
		p.date, c.Date = field{timestamp, true}, httpDateHeader
	}
	const neither = 1 // is in the list
	if fields.Note == neither {
		return nil
	}
	if !c.Signs(tokenHeader) && !c.Signs(digestHeader) {
		fields.Note = neither
	}
	p.token, p.digest = signedHeader(r, c, tokenHeader), signedHeader(r, c, digestHeader)
	return nil
}

// header returns the one value of a header.
func header(r *http.Request, name string) field {
	var one [1]string
	if values := canonical.Values(r, name, &one); len(values) == 1 {
		return field{values[0], true}
	}
	return field{}
}

// signedHeader returns the one value of a header that is acted on only where it
// is signed.
func signedHeader(r *http.Request, c *core.Credential, name string) field {
	if !c.Signs(name) {
		return field{}
	}
	return header(r, name)
}

// parseCredential reads id/yyyymmdd/scope/aws4_request, and the date that its
// day must be of.
func (s *scheme) parseCredential(m *canonical.Message, c *core.Credential, credential string, date field) error {
	at, ok := m.Authorization.Date(date.value)
	if !ok {
		return malformed("x-amz-date is absent, as is Date, or not of the form 20060102T150405Z")
	}
	c.Timestamp, c.Time = date.value, at
	scope := s.parseScope(&m.Authorization, credential)
	switch {
	case scope == nil:
		return malformed("the credential has not the parts of this algorithm's scope")
	case scope.Date != date.value[:len("20060102")]:
		return malformed("the credential's scope is of another day than the date")
	}
	c.KeyID, c.Scope, c.Region, c.Service = scope.KeyID, scope.Text, scope.Region, scope.Service
	return nil
}

// parsePayload reads what stands for the body.
func (s *scheme) parsePayload(c *core.Credential, digest field) error {
	c.Hash, c.Declared = bodyHash, digest.value
	switch {
	case !digest.present && c.Presigned && s.pathsOf(c).unsigned(c.Service):
		c.Payload, c.Declared = core.PayloadUnsigned, unsignedValue
	case !digest.present:
		c.Payload = core.PayloadHashed
	case digest.value == unsignedValue:
		c.Payload = core.PayloadUnsigned
	case strings.HasPrefix(digest.value, "STREAMING-"):
		return core.Refuse(core.CodePayloadUnsupported, "payloads signed in chunks are not supported")
	case lowerhex.Is(digest.value, hex.EncodedLen(sha256.Size)):
		c.Payload = core.PayloadDeclared
	default:
		return malformed("x-amz-content-sha256 is neither 64 lower-case hexadecimal digits nor UNSIGNED-PAYLOAD")
	}
	return nil
}

const unsignedValue = "UNSIGNED-PAYLOAD"
