package sigv4

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/outgoing"
)

// Presign puts a credential into the query of r.URL that is valid from at on,
// for one second to a week, in whole seconds. Digest is as for Sign. For S3 an
// undeclared body counts as unsigned, so PayloadHashed declares it there.
// Whoever uses the URL must send the signed headers: all x-amz-* headers that r
// has, and those that the options name.
func (s *Signer) Presign(r *http.Request, digest string, at time.Time, expires time.Duration) error {
	if expires < time.Second || expires > authorization.MaxExpires || expires%time.Second != 0 {
		return errors.New("sigv4: validity is not whole seconds from 1 to 604800")
	}
	c, err := s.prepare(r, at)
	if err != nil {
		return err
	}
	path, query := canonical.Target(r)
	if found, err := readParameters(query); err != nil || found != (parameters{}) {
		return errors.New("sigv4: the query holds parameters of a credential")
	}
	c.Presigned, c.Expires = true, expires
	digest, declared := s.payload(digest, true)
	if c.SignedHeaders, err = outgoing.SignedHeaders(r, s.options.Headers...); err != nil {
		return err
	}
	add := func(i int, value string) {
		if query != "" {
			query += "&"
		}
		query += parameterNames[i] + "=" + url.QueryEscape(value)
	}
	before := query
	add(algorithmParameter, s.algorithm)
	add(credentialParameter, s.key.ID+"/"+c.Scope)
	add(dateParameter, c.Timestamp)
	add(expiresParameter, strconv.Itoa(int(expires/time.Second)))
	add(signedHeadersParameter, c.SignedHeaders)
	if token := s.key.SessionToken; !token.IsZero() {
		add(tokenParameter, token.Reveal())
	}
	if s.algorithm == AlgorithmA {
		add(regionSetParameter, s.options.RegionSet)
	}
	if declared {
		add(contentParameter, digest)
	}
	canonical.SetQuery(r, path, query)
	signature, err := s.signature(r, &c, digest)
	if err != nil {
		canonical.SetQuery(r, path, before)
		return err
	}
	add(signatureParameter, signature)
	canonical.SetQuery(r, path, query)
	return nil
}
