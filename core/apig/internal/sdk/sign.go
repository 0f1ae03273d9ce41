package sdk

import (
	"errors"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/outgoing"
)

// SignOptions say what a [Signer] signs besides method, path, query, host,
// date and every x-sdk-* and x-amz-* header of the request.
type SignOptions struct {
	// Headers are further headers, signed where the request has them.
	Headers []string
	// Payload is how the body is signed: PayloadHashed (also for the zero
	// value), PayloadDeclared (its digest in the scheme's content header), or
	// PayloadUnsigned.
	Payload core.Payload
	// Expires puts the credential in the query, for schemes that have this form,
	// and is how long it is valid: whole seconds, up to seven days. Zero puts it
	// in the Authorization header.
	Expires time.Duration
}

// Signer signs outgoing requests as the gateway does; see package signer.
type Signer struct {
	variant *Variant
	key     core.Key
	options SignOptions
}

// NewSigner returns a Signer of a variant.
func NewSigner(v *Variant, key core.Key, options SignOptions) *Signer {
	options.Headers = slices.Clone(options.Headers)
	return &Signer{variant: v, key: key, options: options}
}

// NewHash returns the scheme's hash, or nil where the payload is left unsigned.
func (s *Signer) NewHash() hash.Hash {
	if s.options.Payload == core.PayloadUnsigned {
		return nil
	}
	return s.variant.Hash.New()
}

// Sign sets Authorization and X-Sdk-Date or, with Expires, the X-Sdk-*
// parameters of the query; and, as the options and the key say,
// X-Sdk-Content-Sha256 (or -Sm3) and X-Security-Token. Before that it gives r the
// form in which it is sent; see package signer.
func (s *Signer) Sign(r *http.Request, digest string, at time.Time) error {
	if err := outgoing.Prepare(r); err != nil {
		return err
	}
	at = at.UTC()
	c := core.Credential{Timestamp: at.Format(authorization.DateFormat), Presigned: s.options.Expires != 0}
	credential := s.key.ID
	if s.variant.Scoped {
		if s.key.Region == "" || s.key.Service == "" {
			return errors.New("the key names no region or no service, which the scheme signs")
		}
		parts := []string{at.Format(dayFormat), s.key.Region, s.key.Service}
		if s.variant.Terminator != "" {
			parts = append(parts, s.variant.Terminator)
		}
		c.Scope = strings.Join(parts, "/")
		credential += "/" + c.Scope
	}
	if (s.variant.Scoped || c.Presigned) && strings.Contains(s.key.ID+s.key.Region+s.key.Service, "/") {
		return errors.New("the key's id, region or service has a slash, which separates them in a credential")
	}
	payload := s.declare(r, digest)
	if token := s.key.SessionToken; !token.IsZero() {
		r.Header.Set(tokenHeader, token.Reveal())
	}
	r.Header.Del("Authorization")
	if c.Presigned {
		return s.presign(r, &c, credential, payload)
	}
	r.Header.Set(dateHeader, c.Timestamp)
	var err error
	if c.SignedHeaders, err = s.signedHeaders(r); err != nil {
		return err
	}
	signature, err := s.sign(r, &c, payload)
	if err != nil {
		return err
	}
	field := "Access="
	if s.variant.Scoped {
		field = "Credential="
	}
	fields := field + credential + ", SignedHeaders=" + c.SignedHeaders + ", Signature=" + signature
	if read, err := authorization.Parse(fields); err != nil || read.Access+read.Credential != credential {
		return errors.New("the key's id, region or service is empty, or has a character that a credential cannot hold")
	}
	r.Header.Set("Authorization", s.variant.Algorithm+" "+fields)
	return nil
}

// declare sets or deletes the payload header, and returns the payload line.
func (s *Signer) declare(r *http.Request, digest string) string {
	switch s.options.Payload {
	case core.PayloadDeclared:
		r.Header.Set(s.variant.DigestHeader, digest)
	case core.PayloadUnsigned:
		digest = unsignedValue
		r.Header.Set(s.variant.DigestHeader, digest)
	default:
		r.Header.Del(s.variant.DigestHeader)
	}
	return digest
}

// presign puts the credential in the query.
func (s *Signer) presign(r *http.Request, c *core.Credential, credential, payload string) error {
	seconds := strconv.FormatInt(int64(s.options.Expires/time.Second), 10)
	expires, ok := authorization.ParseExpires(seconds)
	switch {
	case !s.variant.Presigned:
		return errors.New("the scheme has no form in the query")
	case !ok || expires != s.options.Expires:
		return errors.New("the time of validity is not a number of whole seconds up to seven days")
	}
	path, query := canonical.Target(r)
	if p, err := authorization.ParsePresigned(query, parameterPrefix); err != nil || p != (authorization.Presigned{}) {
		return errors.New("the query holds parameters of a credential already")
	}
	r.Header.Del(dateHeader)
	var err error
	if c.SignedHeaders, err = s.signedHeaders(r); err != nil {
		return err
	}
	for _, p := range [][2]string{
		{"Algorithm", s.variant.Algorithm}, {"Credential", credential}, {"Date", c.Timestamp},
		{"Expires", seconds}, {"SignedHeaders", c.SignedHeaders},
	} {
		query = appendParameter(query, parameterPrefix+p[0], p[1])
	}
	canonical.SetQuery(r, path, query)
	signature, err := s.sign(r, c, payload)
	if err != nil {
		return err
	}
	canonical.SetQuery(r, path, appendParameter(query, signatureParameter, signature))
	return nil
}

func appendParameter(query, name, value string) string {
	if query != "" {
		query += "&"
	}
	return query + name + "=" + url.QueryEscape(value)
}

func (s *Signer) sign(r *http.Request, c *core.Credential, payload string) (string, error) {
	path, _ := canonical.Target(r)
	if err := canonical.CheckPath(path); err != nil {
		return "", ambiguous(err)
	}
	m := canonical.NewMessage()
	defer m.Free()
	if _, err := s.variant.stringToSign(m, r, c, payload, canonical.ByDecoded); err != nil {
		return "", err
	}
	return s.variant.key(s.key.Secret, s.key.ID, c).Sign(m.StringToSign)
}

// signedHeaders lists what is signed of r, sorted.
func (s *Signer) signedHeaders(r *http.Request) (string, error) {
	if s.key.SessionToken.IsZero() {
		return outgoing.SignedHeaders(r, s.options.Headers...)
	}
	return outgoing.SignedHeaders(r, append(slices.Clip(s.options.Headers), tokenHeader)...)
}
