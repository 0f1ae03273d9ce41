package sigv4

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// The parameters of the query form.
const (
	algorithmParameter = iota
	credentialParameter
	dateParameter
	expiresParameter
	signedHeadersParameter
	signatureParameter
	tokenParameter
	regionSetParameter
	contentParameter
)

var parameterNames = [...]string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
	"X-Amz-Security-Token", "X-Amz-Region-Set", "X-Amz-Content-Sha256",
}

// parameters are the values of parameterNames in one query.
type parameters [len(parameterNames)]field

// parseQuery reads the query form.
func (s *scheme) parseQuery(r *http.Request, c *core.Credential, p *presented) error {
	_, query := c.Message().Target(r)
	if !isPresigned(query) {
		return core.ErrNoCredential
	}
	values, err := readParameters(query)
	switch {
	case err != nil:
		return err
	case values[algorithmParameter].present && values[algorithmParameter].value != s.identifier():
		return core.ErrNoCredential
	}
	for i := algorithmParameter; i <= signatureParameter; i++ {
		if !values[i].present {
			return malformed("a protocol parameter is missing in the query")
		}
	}
	c.Presigned, c.SignedHeaders = true, values[signedHeadersParameter].value
	var ok bool
	if c.Expires, ok = authorization.ParseExpires(values[expiresParameter].value); !ok {
		return malformed("X-Amz-Expires is not a number of seconds from 1 to 604800")
	}
	for i, v := range values {
		if v.present && i != contentParameter && len(r.Header.Values(parameterNames[i])) > 0 {
			return repeated("a protocol parameter stands in the query and in a header")
		}
	}
	p.credential, p.signature = values[credentialParameter].value, values[signatureParameter].value
	p.date, p.token, p.regionSet = values[dateParameter], values[tokenParameter], values[regionSetParameter]
	p.digest = signedHeader(r, c, digestHeader)
	if digest := values[contentParameter]; digest.present {
		if p.digest.present {
			return repeated("the digest of the body stands in the query and in a signed header")
		}
		p.digest = digest
	}
	return nil
}

// isPresigned reports whether the query holds a credential, or a part of one.
func isPresigned(query string) bool {
	for _, i := range [...]int{algorithmParameter, credentialParameter, signatureParameter} {
		if canonical.HasParameter(query, parameterNames[i]) {
			return true
		}
	}
	return false
}

// readParameters finds the protocol's parameters. Each stands there at most
// once, letter by letter: a reader that folds case, or takes the last of two,
// would see another request. Only the digest may be spelled in lower case, as
// some signers do that move headers into the query.
func readParameters(query string) (values parameters, err error) {
	for piece := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if name, err = url.QueryUnescape(name); err != nil {
			return values, canonicalError(canonical.ErrQueryEscape)
		}
		for i, known := range parameterNames {
			if !strings.EqualFold(name, known) {
				continue
			}
			if values[i].present || name != known && i != contentParameter {
				return values, repeated("a protocol parameter stands twice in the query, or in another spelling")
			}
			if value, err = url.QueryUnescape(value); err != nil {
				return values, canonicalError(canonical.ErrQueryEscape)
			}
			values[i] = field{value, true}
		}
	}
	return values, nil
}
