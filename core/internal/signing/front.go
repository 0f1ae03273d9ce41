package signing

import (
	"encoding/hex"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// A front is what an Authorization header says in front of its signature. Gateways send
// the same one again and again, so a scheme remembers what it has read, see
// [scheme.remember].
type front struct {
	scope         authorization.Scope // the id alone for flat keys
	isScope       bool                // the credential has the parts of the algorithm's scope
	signedHeaders string
	// Whether the list has these headers, which count only where they are signed.
	signsToken, signsDigest bool
}

// readFront reads an Authorization header of the scheme.
func (s *scheme) readFront(header string) (f front, signature string, err error) {
	identifier, text := authorization.Cut(header)
	if identifier != s.Identifier {
		return f, "", core.ErrNoCredential
	}
	fields, err := authorization.Parse(text)
	credential, other := fields.Access, fields.Credential
	if s.Scope != nil {
		credential, other = other, credential
	}
	switch {
	case err != nil:
		return f, "", malformed(err.Error())
	case s.FlatAndScoped && credential == "" && other != "":
		return f, "", s.otherForm
	case other != "":
		return f, "", malformed(s.Details.Fields)
	case credential == "":
		return f, "", malformed(s.Details.NoCredential)
	case !fields.Listed:
		return f, "", malformed("SignedHeaders is absent")
	case fields.Signature == "":
		return f, "", malformed("Signature is absent")
	}
	c := core.Credential{SignedHeaders: fields.SignedHeaders}
	f.signedHeaders, f.signsToken, f.signsDigest = c.SignedHeaders, c.Signs(s.TokenHeader), c.Signs(s.DigestHeader)
	f.scope, f.isScope = s.Scope.parse(credential)
	return f, fields.Signature, nil
}

// cutSignature cuts a header in front of its signature, where that is the last field
// and has the one length that the algorithm has. It reports false for other headers.
func (s *scheme) cutSignature(header string) (front, signature string, ok bool) {
	shortest, longest := s.MinSignature, s.MaxSignature
	digits := hex.EncodedLen(longest)
	i := len(header) - digits
	if shortest != longest || i <= 0 || header[i-1] != '=' || !lowerhex.Is(header[i:], digits) {
		return "", "", false
	}
	return header[:i], header[i:], true
}

// remember keeps the front of a header whose signature was verified.
func (s *scheme) remember(m *canonical.Message) {
	const most = 1024
	if m.Front == "" || len(m.Front) > most {
		return
	}
	text := strings.Clone(m.Front) // it is part of a request
	f, signature, err := s.readFront(text + "0")
	if err == nil && len(signature) == 1 { // else another field is the last one
		s.fronts.Put(text, &f)
	}
}
