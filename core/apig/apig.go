// Package apig verifies and makes the signatures of Huawei Cloud and Open
// Telekom Cloud API Gateway: SDK-HMAC-SHA256 with a flat key, in the
// Authorization header (the signature key type "hmac").
//
//	Authorization: SDK-HMAC-SHA256 Access=<id>, SignedHeaders=<a;b>, Signature=<64 hex>
//
// # What it proves
//
// That a holder of the secret signed this method, path, query, the listed
// headers with all their values, the date, and the body: either its hash, or
// the digest in a signed x-sdk-content-sha256 that the body is then checked
// against.
//
// # What it does not
//
// The vendor's canonical form cannot tell /a from /a/, ?b from ?b=, nor the
// order in which a repeated parameter's values stand; these pairs have one
// signature. Headers that are not listed may be anything. With
// UNSIGNED-PAYLOAD, where the policy allows it, the body may be anything. The
// secret is shared: whoever can verify can also sign.
//
// Paths whose canonical form hides what a router can see are refused: encoded
// slashes and backslashes, encoded unreserved characters such as %61, dot
// segments.
package apig

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"strings"
	"sync"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// Algorithm is the token in front of the credential.
const Algorithm = "SDK-HMAC-SHA256"

const (
	dateHeader    = "x-sdk-date"
	digestHeader  = "x-sdk-content-sha256"
	tokenHeader   = "x-security-token"
	unsignedValue = "UNSIGNED-PAYLOAD"
)

// Config says where the keys are.
type Config struct {
	// Keys finds keys by the Access field. Required.
	Keys core.KeySource
}

// New returns the scheme "hmac": SDK-HMAC-SHA256 with a flat key, header form.
func New(c Config) core.Scheme { return &scheme{keys: c.Keys} }

type scheme struct{ keys core.KeySource }

var _ core.Canonicalizer = (*scheme)(nil)

func (s *scheme) Name() string         { return "hmac" }
func (s *scheme) Algorithms() []string { return []string{Algorithm} }
func (s *scheme) Keys() core.KeySource { return s.keys }

func malformed(detail string) error { return core.Refuse(core.CodeCredentialMalformed, detail) }

// Parse reads the header form.
func (s *scheme) Parse(r *http.Request, c *core.Credential) error {
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return core.ErrNoCredential
	}
	token, text := authorization.Cut(values[0])
	if token != Algorithm {
		return core.ErrNoCredential
	}
	fields, err := authorization.Parse(text)
	switch {
	case err != nil:
		return &core.Error{Code: core.CodeCredentialMalformed, Err: err}
	case fields.Credential != "" && fields.Access == "":
		return core.ErrNoCredential // the scoped form of the same algorithm
	case fields.Access == "" || fields.Credential != "" || !fields.Listed:
		return malformed("the fields are not Access, SignedHeaders and Signature")
	case !authorization.IsHex(fields.Signature, hex.EncodedLen(sha256.Size)):
		return malformed("the signature is not 64 lower-case hexadecimal digits")
	}
	c.Algorithm, c.KeyID, c.Signature = Algorithm, fields.Access, fields.Signature
	c.SignsRequest, c.SignedHeaders, c.Date = true, fields.SignedHeaders, dateHeader
	date, _ := value(r, dateHeader)
	at, ok := authorization.ParseDate(date)
	if !ok {
		return malformed("x-sdk-date is absent or not of the form 20060102T150405Z")
	}
	c.Timestamp, c.Time = date, at
	path, _ := canonical.Target(r)
	if err := canonical.CheckPath(path); err != nil {
		return ambiguous(err)
	}
	if c.Signs(tokenHeader) {
		c.SessionToken, _ = value(r, tokenHeader)
	}
	return parsePayload(r, c)
}

// parsePayload reads the payload header, which counts only where it is signed.
func parsePayload(r *http.Request, c *core.Credential) error {
	c.Payload, c.NewHash = core.PayloadHashed, sha256.New
	declared, present := value(r, digestHeader)
	if !present || !c.Signs(digestHeader) {
		return nil
	}
	c.Declared = declared
	switch {
	case declared == unsignedValue:
		c.Payload = core.PayloadUnsigned
	case strings.HasPrefix(declared, "STREAMING-"):
		return core.Refuse(core.CodePayloadUnsupported, "payloads signed in chunks are not supported")
	case authorization.IsHex(declared, hex.EncodedLen(sha256.Size)):
		c.Payload = core.PayloadDeclared
	default:
		return malformed("x-sdk-content-sha256 is neither 64 lower-case hexadecimal digits nor UNSIGNED-PAYLOAD")
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

// Verify compares the signature with that of every secret, over the two orders
// in which the vendor's SDKs write the query.
func (s *scheme) Verify(r *http.Request, c *core.Credential, _ *core.Key, secrets []core.Secret, payload string) (int, error) {
	m := canonical.NewMessage()
	defer m.Free()
	for order, more := canonical.ByDecoded, true; more; order++ {
		var err error
		if more, err = stringToSign(m, r, c, payload, order); err != nil {
			return -1, err
		}
		for i, secret := range secrets {
			if want := sign(secret, m.StringToSign); hmac.Equal(want[:], []byte(c.Signature)) {
				return i, nil
			}
		}
	}
	return -1, core.Refuse(core.CodeSignatureMismatch, "the signature does not fit the request as received, or the secret")
}

// Canonical shows what Verify computes.
func (s *scheme) Canonical(r *http.Request, c *core.Credential, payload string) (string, string, error) {
	m := canonical.NewMessage()
	defer m.Free()
	_, err := stringToSign(m, r, c, payload, canonical.ByDecoded)
	return string(m.Request), string(m.StringToSign), err
}

// stringToSign builds canonical request and string to sign into m, and reports
// whether another order of the query gives another one.
func stringToSign(m *canonical.Message, r *http.Request, c *core.Credential, payload string, order canonical.Order) (more bool, err error) {
	more, err = m.BuildSDK(r, c.SignedHeaders, payload, order)
	if err != nil {
		return false, ambiguous(err)
	}
	digest := sha256.Sum256(m.Request)
	m.StringToSign = append(m.StringToSign[:0], Algorithm...)
	m.StringToSign = append(m.StringToSign, '\n')
	m.StringToSign = append(m.StringToSign, c.Timestamp...)
	m.StringToSign = append(m.StringToSign, '\n')
	m.StringToSign = hex.AppendEncode(m.StringToSign, digest[:])
	return more, nil
}

// ambiguous gives a canonicalisation error its code.
func ambiguous(err error) error {
	code := core.CodeRequestAmbiguous
	if errors.Is(err, canonical.ErrHeaderAbsent) {
		code = core.CodeHeaderNotSigned
	}
	return &core.Error{Code: code, Err: err}
}

// sign returns the hexadecimal HMAC of text.
func sign(secret core.Secret, text []byte) (signature [2 * sha256.Size]byte) {
	macs := core.Derive(secret, flatKey{}, prepare)
	mac := macs.Get().(hash.Hash)
	defer macs.Put(mac)
	mac.Reset()
	mac.Write(text)
	var sum [sha256.Size]byte
	hex.Encode(signature[:], mac.Sum(sum[:0]))
	return signature
}

// flatKey names the derivation of a secret that is the HMAC key itself.
type flatKey struct{}

// prepare returns HMAC states that have taken in the key.
func prepare(text string) *sync.Pool {
	key := []byte(text)
	return &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
}
