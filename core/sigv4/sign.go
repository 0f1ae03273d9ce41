package sigv4

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
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

// SignOptions say how a [Signer] signs, and what besides method, path, query,
// host, date and every x-amz-* and x-sdk-* header of the request.
type SignOptions struct {
	// Headers are further headers, signed where the request has them.
	Headers []string
	// Payload is how the body is signed: PayloadHashed (also for the zero
	// value), PayloadDeclared (its digest in x-amz-content-sha256, which S3
	// asks for), or PayloadUnsigned.
	Payload core.Payload
	// Paths is the rule of the service that is signed for.
	Paths Paths
	// RegionSet is the region set of [NewSignerA]; empty means the key's region.
	RegionSet string
}

// Signer signs outgoing requests; see package signer for the header form, and
// [Signer.Presign] for the query form. It uses the key's id, secret, region,
// service and session token.
type Signer struct {
	algorithm string
	key       core.Key
	options   SignOptions
}

// NewSigner returns a Signer of AWS4-HMAC-SHA256.
func NewSigner(key core.Key, options SignOptions) *Signer { return newSigner(Algorithm, key, options) }

// NewSignerA returns a Signer of AWS4-ECDSA-P256-SHA256.
func NewSignerA(key core.Key, options SignOptions) *Signer {
	if options.RegionSet == "" {
		options.RegionSet = key.Region
	}
	return newSigner(AlgorithmA, key, options)
}

func newSigner(algorithm string, key core.Key, options SignOptions) *Signer {
	options.Headers = slices.Clone(options.Headers)
	return &Signer{algorithm: algorithm, key: key, options: options}
}

// NewHash returns SHA-256, or nil where the payload is left unsigned.
func (s *Signer) NewHash() hash.Hash {
	if s.options.Payload == core.PayloadUnsigned {
		return nil
	}
	return sha256.New()
}

// Sign sets Authorization, X-Amz-Date and, as the algorithm, the options and
// the key say, X-Amz-Region-Set, X-Amz-Content-Sha256 and X-Amz-Security-Token.
// Before that it gives r the form in which it is sent; see package signer.
func (s *Signer) Sign(r *http.Request, digest string, at time.Time) error {
	c, err := s.prepare(r, at)
	if err != nil {
		return err
	}
	r.Header.Set(dateHeader, c.Timestamp)
	if s.algorithm == AlgorithmA {
		r.Header.Set(regionSetHeader, s.options.RegionSet)
	}
	if token := s.key.SessionToken; !token.IsZero() {
		r.Header.Set(tokenHeader, token.Reveal())
	}
	digest, declared := s.payload(digest, false)
	if declared {
		r.Header.Set(digestHeader, digest)
	}
	if c.SignedHeaders, err = outgoing.SignedHeaders(r, s.options.Headers...); err != nil {
		return err
	}
	signature, err := s.signature(r, &c, digest)
	if err != nil {
		return err
	}
	credential := s.key.ID + "/" + c.Scope
	fields := "Credential=" + credential + ", SignedHeaders=" + c.SignedHeaders + ", Signature=" + signature
	if read, err := authorization.Parse(fields); err != nil || read.Credential != credential {
		return errors.New("sigv4: the key's id, region or service has a character that a credential cannot hold")
	}
	r.Header.Set("Authorization", s.algorithm+" "+fields)
	return nil
}

// prepare gives r the form in which it is sent, without what an earlier signature
// may have left, and returns what the signer says before it knows the request.
func (s *Signer) prepare(r *http.Request, at time.Time) (core.Credential, error) {
	err := outgoing.Prepare(r)
	if err == nil {
		s.clear(r.Header)
	}
	return s.credential(at), err
}

// credential returns what the signer says before it knows the request.
func (s *Signer) credential(at time.Time) core.Credential {
	timestamp := at.UTC().Format(authorization.DateFormat)
	parts := []string{timestamp[:len("20060102")], s.key.Region, s.key.Service, terminator}
	if s.algorithm == AlgorithmA {
		parts = slices.Delete(parts, 1, 2)
	}
	return core.Credential{
		Algorithm: s.algorithm, KeyID: s.key.ID, Timestamp: timestamp,
		Scope: strings.Join(parts, "/"), Region: s.key.Region, Service: s.key.Service,
	}
}

// clear removes what an earlier signature may have left.
func (s *Signer) clear(h http.Header) {
	for _, name := range [...]string{"Authorization", dateHeader, regionSetHeader, tokenHeader, digestHeader} {
		h.Del(name)
	}
}

// payload returns the payload line, and whether the request must say it.
func (s *Signer) payload(digest string, presigned bool) (line string, declared bool) {
	object := presigned && s.options.Paths.unsigned(s.key.Service)
	switch s.options.Payload {
	case core.PayloadUnsigned:
		return unsignedValue, !object
	case core.PayloadDeclared:
		return digest, true
	}
	return digest, object
}

// signature signs r with what c says.
func (s *Signer) signature(r *http.Request, c *core.Credential, payload string) (string, error) {
	if s.key.Region == "" || s.key.Service == "" || strings.Contains(c.KeyID+s.key.Region+s.key.Service, "/") {
		return "", errors.New("sigv4: the key has no region or service, or a slash in one of its parts")
	}
	path, _ := canonical.Target(r)
	if err := s.options.Paths.rule().Check(path); err != nil {
		return "", canonicalError(err)
	}
	m := canonical.NewMessage()
	defer m.Free()
	if err := stringToSign(m, r, c, s.options.Paths, payload); err != nil {
		return "", err
	}
	if s.algorithm == Algorithm {
		return signingKey(s.key.Secret, c).Sign(m.StringToSign)
	}
	private := core.Derive(s.key.Secret, privateKey{s.key.ID}, privateKey{s.key.ID}.derive)
	if private == nil {
		return "", errors.New("sigv4: the secret gives no private key")
	}
	digest := sha256.Sum256(m.StringToSign)
	signature, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
	return hex.EncodeToString(signature), err
}
