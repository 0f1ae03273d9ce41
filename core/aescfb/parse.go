package aescfb

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

const (
	dateHeader    = "x-sdk-date"
	digestHeader  = "x-sdk-content-sha256"
	unsignedValue = "UNSIGNED-PAYLOAD"
)

var bodyHash = core.NewHash(sha256.New)

func malformed(detail string) error { return core.Refuse(core.CodeCredentialMalformed, detail) }

// Parse reads the header.
func (s *Scheme) Parse(r *http.Request, c *core.Credential) error {
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return core.ErrNoCredential
	}
	algorithm, text := authorization.Cut(values[0])
	if algorithm != s.format.Algorithm(128) && algorithm != s.format.Algorithm(256) {
		return core.ErrNoCredential
	}
	fields, err := authorization.Parse(text)
	switch {
	case err != nil:
		return core.Refuse(core.CodeCredentialMalformed, err.Error())
	case fields.Credential != "" || !fields.Listed:
		return malformed("the fields are not SignedHeaders, Signature and, optionally, Access")
	case !lowerhex.Is(fields.Signature, hex.EncodedLen(s.format.PlaintextSize())):
		return malformed("the signature is not lower-case hexadecimal digits, two for each byte of the plaintext")
	}
	date := one(r, dateHeader)
	at, ok := authorization.ParseDate(date)
	if !ok {
		return malformed("x-sdk-date is absent or not of the form 20060102T150405Z")
	}
	*c = core.Credential{
		Algorithm: algorithm, KeyID: fields.Access, Signature: fields.Signature,
		SignsRequest: true, SignedHeaders: fields.SignedHeaders,
		Date: dateHeader, Timestamp: date, Time: at,
		Payload: core.PayloadHashed, Hash: bodyHash,
	}
	path, _ := canonical.Target(r)
	if err := canonical.TrailingSlash.Check(path); err != nil {
		return refused(err)
	}
	// The payload header counts only where it is signed.
	if c.Declared = one(r, digestHeader); c.Declared == "" || !c.Signs(digestHeader) {
		c.Declared = ""
		return nil
	}
	switch {
	case c.Declared == unsignedValue:
		c.Payload = core.PayloadUnsigned
	case strings.HasPrefix(c.Declared, "STREAMING-"):
		return core.Refuse(core.CodePayloadUnsupported, "payloads signed in chunks are not supported")
	case lowerhex.Is(c.Declared, hex.EncodedLen(sha256.Size)):
		c.Payload = core.PayloadDeclared
	default:
		return malformed("x-sdk-content-sha256 is neither 64 lower-case hexadecimal digits nor UNSIGNED-PAYLOAD")
	}
	return nil
}

// one returns the value of a header that core lets through once at most.
func one(r *http.Request, name string) string {
	var space [1]string
	if values := canonical.Values(r, name, &space); len(values) == 1 {
		return values[0]
	}
	return ""
}

// refused gives an error of the canonical form its code.
func refused(err error) error {
	if errors.Is(err, canonical.ErrHeaderAbsent) {
		return core.Refuse(core.CodeHeaderNotSigned, err.Error())
	}
	return core.Refuse(core.CodeRequestAmbiguous, err.Error())
}
