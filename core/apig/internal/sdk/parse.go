package sdk

import (
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

const (
	dateHeader    = "x-sdk-date"
	dateField     = "X-Sdk-Date" // the same, as http.Header has it
	tokenHeader   = "x-security-token"
	unsignedValue = "UNSIGNED-PAYLOAD"
	dayFormat     = "20060102"

	// The parameters of the query form are those of the header, the date, and
	// the time of validity.
	parameterPrefix    = "X-Sdk-"
	algorithmParameter = parameterPrefix + "Algorithm"
	signatureParameter = parameterPrefix + "Signature"
)

// Parse reads the credential from the Authorization header or, where there is
// none, from the query.
func (s *scheme) Parse(r *http.Request, c *core.Credential) error {
	v, m := s.variant, c.Message()
	var credential string
	var err error
	note := new(uint8)
	if values := m.Header(r, "Authorization"); len(values) > 0 {
		credential, note, err = v.parseHeader(r, values[0], m, c)
	} else {
		credential, err = v.parseQuery(r, c)
	}
	if err != nil {
		return err
	}
	if *note == 0 {
		*note = v.listed(c)
	}
	c.Algorithm, c.SignsRequest = v.Algorithm, true
	if n := len(c.Signature); n%2 != 0 || n < hex.EncodedLen(v.MinSignature) || n > hex.EncodedLen(v.MaxSignature) || !lowerhex.Is(c.Signature, n) {
		return malformed("the signature is not lower-case hexadecimal digits, as many as the algorithm has")
	}
	if err := v.parseCredential(credential, m, c); err != nil {
		return err
	}
	if err := m.CheckPath(r); err != nil {
		return ambiguous(err)
	}
	if *note&listsToken != 0 {
		c.SessionToken, _ = value(r, tokenHeader)
	}
	return v.parsePayload(r, c, *note)
}

// What a list of signed headers holds.
const (
	listRead = 1 << iota
	listsToken
	listsDigest
)

// listed says what the list of signed headers holds that is looked at.
func (v *Variant) listed(c *core.Credential) (l uint8) {
	l = listRead
	if c.Signs(tokenHeader) {
		l |= listsToken
	}
	if c.Signs(v.DigestHeader) {
		l |= listsDigest
	}
	return l
}

// parseHeader reads the Authorization header and the date beside it. What is noted
// about the header is there again where that is remembered.
func (v *Variant) parseHeader(r *http.Request, header string, m *canonical.Message, c *core.Credential) (credential string, note *uint8, err error) {
	fields, err := m.Authorization.Read(header, v.Algorithm)
	if fields == nil {
		return "", nil, core.ErrNoCredential
	}
	credential, other := fields.Access, fields.Credential
	if v.Scoped {
		credential, other = other, credential
	}
	switch {
	case err != nil:
		return "", nil, core.Refuse(core.CodeCredentialMalformed, err.Error())
	case credential == "" && other != "":
		return "", nil, core.ErrNoCredential // the other form of the same algorithm
	case credential == "" || other != "" || !fields.Listed:
		return "", nil, malformed("the fields are not Access or Credential, SignedHeaders and Signature")
	}
	c.SignedHeaders, c.Signature = fields.SignedHeaders, fields.Signature
	c.Date = dateHeader
	if values := m.Header(r, dateField); len(values) == 1 {
		c.Timestamp = values[0]
	}
	return credential, &fields.Note, nil
}

// parseQuery reads the query form: everything that the header form has, in
// parameters.
func (v *Variant) parseQuery(r *http.Request, c *core.Credential) (credential string, err error) {
	_, query := c.Message().Target(r)
	if !v.Presigned || !canonical.HasParameter(query, algorithmParameter) {
		return "", core.ErrNoCredential
	}
	p, err := authorization.ParsePresigned(query, parameterPrefix)
	switch {
	case err != nil:
		return "", ambiguous(err)
	case p.Algorithm != v.Algorithm || strings.Contains(p.Credential, "/") != v.Scoped:
		return "", core.ErrNoCredential
	case p.Credential == "" || p.SignedHeaders == "" || p.Signature == "":
		return "", malformed("X-Sdk-Credential, X-Sdk-SignedHeaders or X-Sdk-Signature is absent or empty")
	}
	if _, twice := r.Header[dateField]; twice {
		return "", core.Refuse(core.CodeRequestAmbiguous, "the date stands in the query and in a header")
	}
	expires, ok := authorization.ParseExpires(p.Expires)
	if !ok {
		return "", malformed("X-Sdk-Expires is not a number of seconds from 1 to 604800")
	}
	c.Presigned, c.Expires = true, expires
	c.SignedHeaders, c.Signature = p.SignedHeaders, p.Signature
	c.Timestamp = p.Date
	return p.Credential, nil
}

// parseCredential reads the id, the scope where there is one, and the date,
// whose day the scope repeats.
func (v *Variant) parseCredential(credential string, m *canonical.Message, c *core.Credential) error {
	day := ""
	if !v.Scoped {
		c.KeyID = credential
	} else {
		scope := m.Authorization.Scope(credential, v.Terminator)
		if scope == nil {
			return malformed("the credential is not an id, date, region, service and what the algorithm ends it with")
		}
		day = scope.Date
		c.KeyID, c.Scope, c.Region, c.Service = scope.KeyID, scope.Text, scope.Region, scope.Service
	}
	var ok bool
	if c.Time, ok = m.Authorization.Date(c.Timestamp); !ok {
		return malformed("x-sdk-date is absent or not of the form 20060102T150405Z")
	}
	if v.Scoped && day != c.Timestamp[:len(dayFormat)] {
		return malformed("the date in the scope is not the day of x-sdk-date")
	}
	return nil
}

// parsePayload reads the payload header, which counts only where it is signed.
func (v *Variant) parsePayload(r *http.Request, c *core.Credential, listed uint8) error {
	c.Payload, c.Hash = core.PayloadHashed, v.Hash
	if listed&listsDigest == 0 {
		return nil
	}
	declared, present := value(r, v.DigestHeader)
	if !present {
		return nil
	}
	c.Declared = declared
	switch {
	case declared == unsignedValue:
		c.Payload = core.PayloadUnsigned
	case strings.HasPrefix(declared, "STREAMING-"):
		return core.Refuse(core.CodePayloadUnsupported, "payloads signed in chunks are not supported")
	case lowerhex.Is(declared, hex.EncodedLen(DigestSize)):
		c.Payload = core.PayloadDeclared
	default:
		return malformed("the content digest is neither 64 lower-case hexadecimal digits nor UNSIGNED-PAYLOAD")
	}
	return nil
}

// value returns the one value of a header.
func value(r *http.Request, name string) (string, bool) {
	var one [1]string
	values := canonical.Values(r, name, &one)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

func malformed(detail string) error { return core.Refuse(core.CodeCredentialMalformed, detail) }
