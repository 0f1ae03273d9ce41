package signing

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// presign puts the credential in the query, with the parameters of added. Where it
// fails, the query is as it was.
func (s *Signer) presign(r *http.Request, c *core.Credential, credential, payload string, added Parameters) error {
	a := s.algorithm
	seconds := strconv.FormatInt(int64(s.options.Expires/time.Second), 10)
	expires, ok := authorization.ParseExpires(seconds)
	switch {
	case !a.Presigned:
		return errors.New("the scheme has no form in the query")
	case !ok || expires != s.options.Expires:
		return errors.New("the time of validity is not a number of whole seconds up to seven days")
	}
	path, before := canonical.Target(r)
	if found, err := a.parseParameters(before); err != nil || found != (Parameters{}) {
		return errors.New("the query holds parameters of a credential already")
	}
	if err := s.listHeaders(r, c); err != nil {
		return err
	}
	for i, text := range [...]string{
		algorithmParameter: a.Identifier, credentialParameter: credential, dateParameter: c.Timestamp,
		expiresParameter: seconds, signedHeadersParameter: c.SignedHeaders,
	} {
		added[i] = Value{text, true}
	}
	query := before
	for i, parameter := range a.Parameters {
		if added[i].Present {
			query = appendParameter(query, parameter.Name, added[i].Text)
		}
	}
	canonical.SetQuery(r, path, query)
	signature, err := s.signature(r, c, payload)
	if err != nil {
		canonical.SetQuery(r, path, before)
		return err
	}
	canonical.SetQuery(r, path, appendParameter(query, a.Parameters[signatureParameter].Name, signature))
	return nil
}

func appendParameter(query, name, value string) string {
	if query != "" {
		query += "&"
	}
	return query + name + "=" + url.QueryEscape(value)
}
