package signing

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// Parameters are the values of a protocol's parameters in one query.
type Parameters [maxParameters]Value

// A Value is that of a parameter or header, which may be absent.
type Value struct {
	Text    string
	Present bool
}

// parseQuery reads the query form.
func (s *scheme) parseQuery(r *http.Request, m *canonical.Message, c *core.Credential, p *presented) error {
	_, query := m.Target(r)
	if !s.Presigned || !canonical.HasParameter(query, s.Markers...) {
		return core.ErrNoCredential
	}
	values, err := s.parseParameters(query)
	if err != nil {
		return err
	}
	algorithm, credential := values[algorithmParameter], values[credentialParameter]
	if algorithm.Present && algorithm.Text != s.Identifier {
		return core.ErrNoCredential
	}
	if s.FlatAndScoped && strings.Contains(credential.Text, "/") != (s.Scope != nil) {
		return core.ErrNoCredential // of another scheme
	}
	for i, parameter := range s.Parameters[:signatureParameter+1] {
		if !values[i].Present || parameter.NotEmpty && values[i].Text == "" {
			return malformed(s.Details.Missing)
		}
	}
	var ok bool
	if c.Expires, ok = authorization.ParseExpires(values[expiresParameter].Text); !ok {
		return malformed(s.Details.Expires)
	}
	for i, parameter := range s.Parameters {
		if values[i].Present && parameter.Exclusive && len(r.Header.Values(parameter.Name)) > 0 {
			return ambiguous(s.Details.Exclusive)
		}
	}
	c.Presigned, c.SignedHeaders = true, values[signedHeadersParameter].Text
	c.Signature, c.Timestamp = values[signatureParameter].Text, values[dateParameter].Text
	p.scope, p.isScope = s.Scope.parse(credential.Text)
	p.token, p.regionSet = values[tokenParameter], values[regionSetParameter]
	if !s.has(tokenParameter) {
		p.token = SignedHeader(r, c, s.TokenHeader)
	}
	p.digest = SignedHeader(r, c, s.DigestHeader)
	if digest := values[digestParameter]; digest.Present {
		if p.digest.Present {
			return ambiguous("the digest of the body stands in the query and in a signed header")
		}
		p.digest = digest
	}
	return nil
}

// parseParameters finds the protocol's parameters in a raw query.
func (p *Protocol) parseParameters(query string) (Parameters, error) {
	values, err := ParseParameters(query, p.Parameters)
	switch {
	case errors.Is(err, ErrParameterRepeated):
		err = ambiguous(p.Details.Repeated)
	case err != nil:
		err = NotCanonical(err)
	}
	return values, err
}

// ErrParameterRepeated is returned by [ParseParameters] for a query in which a
// parameter occurs twice, or in another case.
var ErrParameterRepeated = errors.New("a parameter of the credential occurs twice, or in another case")

// ParseParameters reads the known parameters of a raw query, of which there are at
// most as many as the fields of [Parameters]. Each stands there at most once,
// letter by letter: a reader that folds case, or takes the last of two, would see
// another request. Other parameters are not looked at.
func ParseParameters(query string, known []Parameter) (values Parameters, err error) {
	for piece := range strings.SplitSeq(query, "&") {
		name, text, _ := strings.Cut(piece, "=")
		if name, err = url.QueryUnescape(name); err != nil {
			return values, canonical.ErrQueryEscape
		}
		for i, parameter := range known {
			if !strings.EqualFold(name, parameter.Name) {
				continue
			}
			if values[i].Present || name != parameter.Name && !parameter.AnyCase {
				return values, ErrParameterRepeated
			}
			if text, err = url.QueryUnescape(text); err != nil {
				return values, canonical.ErrQueryEscape
			}
			values[i] = Value{text, true}
		}
	}
	return values, nil
}

// has reports whether the query form has a parameter.
func (p *Protocol) has(parameter int) bool { return parameter < len(p.Parameters) }
