package aescfb

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

const (
	dateHeader   = "x-sdk-date"
	digestHeader = "x-sdk-content-sha256"
)

var bodyHash = core.NewHash(sha256.New)

func malformed(detail string) error { return core.Refuse(core.CodeCredentialMalformed, detail) }

// Parse reads the header.
func (s *Scheme) Parse(r *http.Request, c *core.Credential) error {
	values := c.Authorization(r)
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
	switch {
	case date == "":
		return malformed("x-sdk-date is absent: the sender or a proxy has left it out")
	case !ok:
		return malformed("x-sdk-date is not of the form 20260115T120000Z")
	}
	*c = core.Credential{
		Algorithm: algorithm, KeyID: fields.Access, Signature: fields.Signature,
		SignsRequest: true, SignedHeaders: fields.SignedHeaders,
		Date: dateHeader, Timestamp: date, Time: at,
		Hash: bodyHash,
	}
	path, _ := canonical.Target(r)
	if err := canonical.TrailingSlash.Check(path); err != nil {
		return signing.NotCanonical(err)
	}
	digest := signing.SignedHeader(r, c, digestHeader)
	return signing.ParsePayload(c, digest, "x-sdk-content-sha256 is neither 64 lower-case hexadecimal digits nor UNSIGNED-PAYLOAD")
}

// one returns the value of a header that core lets through once at most.
func one(r *http.Request, name string) string {
	var space [1]string
	if values := canonical.Values(r, name, &space); len(values) == 1 {
		return values[0]
	}
	return ""
}
