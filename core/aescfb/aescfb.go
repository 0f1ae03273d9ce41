// Package aescfb verifies and makes signatures with a signature key of type
// "aes", in the format AES profile 1, which this project defines.
//
//	Authorization: SDK-AES-128-CFB Access=<key name>, SignedHeaders=<a;b>, Signature=<64 hex>
//	Authorization: SDK-AES-256-CFB SignedHeaders=<a;b>, Signature=<64 hex>
//
// # Not the vendor's format
//
// The gateway's vendor documents the parts of an aes key, but not the format of
// a request signed with one. This project therefore defines a format, AES
// profile 1. It verifies requests signed by [Signer], and by gateways configured
// to use the same format. To verify another format, implement [Format].
//
// # What it proves
//
// An accepted request was signed by a holder of the key and the vector. The
// signature covers the method, the path, the query, the listed headers with all
// their values, the date, and the body. The body is covered by its hash, or by
// the digest in a signed x-sdk-content-sha256 header, against which the body is
// then checked. The canonical request is that of package apig, and the same
// pairs of requests have equal signatures. Access names the key. It is not
// signed and proves nothing. Without it, the signature must match the key bound
// to the API.
//
// # What it does not prove
//
// AES-CFB is a cipher, not a message authentication code. All requests use the
// same vector, so one observed request reveals the key stream of the first
// block. Only the second block protects against forgery: its key stream depends
// on the first block of the ciphertext, so a forger needs an observed request
// whose digest has the same first 16 bytes. An attacker who can choose what the
// gateway signs finds two such requests with about 2^64 hashes, has one of them
// signed, and sends the other. This is less than half the strength of apig's
// HMAC. Prefer apig where the gateway offers it. For the same reason core.New
// refuses a format that encrypts fewer than 32 bytes.
//
// The key is shared: whoever can verify can also sign.
package aescfb

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// Config says which keys there are.
type Config struct {
	// Keys are the signature keys of type aes.
	Keys []Key
	// Format is the wire format; nil means [Profile1].
	Format Format
}

// New returns the scheme "aes". Problems of the configuration are those of
// [Scheme.Validate]; core.New takes no scheme that has any.
func New(c Config) *Scheme {
	if c.Format == nil {
		c.Format = Profile1()
	}
	s := &Scheme{format: c.Format, invalid: c.check()}
	if s.invalid != nil {
		return s
	}
	keys := make([]core.Key, len(c.Keys))
	for i, key := range c.Keys {
		keys[i] = key.core()
	}
	s.keys = core.Keys(keys...)
	return s
}

// Scheme is the scheme "aes".
type Scheme struct {
	format  Format
	keys    core.KeySource
	invalid error
}

var _ interface {
	core.Scheme
	core.Canonicalizer
	core.ProtocolScheme
	core.Validator
} = (*Scheme)(nil)

// Name returns aes.
func (s *Scheme) Name() string { return "aes" }

// Algorithms returns the tokens of the format.
func (s *Scheme) Algorithms() []string {
	return []string{s.format.Algorithm(128), s.format.Algorithm(256)}
}

// Keys returns the keys by name. It is nil where [Scheme.Validate] has
// something to report: core.New takes no such scheme.
func (s *Scheme) Keys() core.KeySource { return s.keys }

// HeaderPrefix returns x-sdk-: the date and the digest of the body stand in the
// headers of package apig.
func (s *Scheme) HeaderPrefix() string { return "x-sdk-" }

// Validate reports all problems of the configuration: keys and vectors of the
// wrong length, and a format whose plaintext is too short. Names that are
// missing or occur twice are reported by core.New.
func (s *Scheme) Validate() error { return s.invalid }

// Verify compares the whole signature with that of every secret of the
// algorithm's key length, over the two orders in which the vendor's SDKs write
// the query.
func (s *Scheme) Verify(r *http.Request, c *core.Credential, _ *core.Key, secrets []core.Secret, payload string) (int, error) {
	got, err := hex.DecodeString(c.Signature)
	if err != nil {
		return -1, malformed("the signature is not hexadecimal")
	}
	m := signing.Scratch(c)
	fits := false // a secret is of the algorithm's key length
	want := make([]byte, 0, len(got))
	for order, more := canonical.ByDecoded, true; more; order++ {
		if more, err = s.stringToSign(m, r, c, payload, order); err != nil {
			return -1, err
		}
		plaintext := s.format.Plaintext(m.StringToSign)
		if len(plaintext) != s.format.PlaintextSize() {
			return -1, errPlaintext
		}
		for i, secret := range secrets {
			cfb := core.Derive(secret, cfbKey{}, newCFB)
			if c.Algorithm != s.format.Algorithm(cfb.bits) {
				continue // the key decides about the algorithm
			}
			fits = true
			if want = cfb.encrypt(want[:0], plaintext); subtle.ConstantTimeCompare(want, got) == 1 {
				c.Fingerprint = sha256.Sum256(m.StringToSign)
				return i, nil
			}
		}
	}
	if !fits {
		return -1, core.Refuse(core.CodeSchemeNotAccepted, "the key is of the other length than the algorithm's")
	}
	return -1, core.Refuse(core.CodeSignatureMismatch, "the signature does not fit the request as received, or the key")
}

var errPlaintext = core.Refuse(core.CodeUnavailable, "the wire format gave a plaintext of another length than it announced")

// Canonical shows what Verify computes.
func (s *Scheme) Canonical(r *http.Request, c *core.Credential, payload string) (string, string, error) {
	m := canonical.NewMessage()
	defer m.Free()
	_, err := s.stringToSign(m, r, c, payload, canonical.ByDecoded)
	return string(m.Request), string(m.StringToSign), err
}

// stringToSign builds canonical request and string to sign into m, and reports
// whether another order of the query gives another one.
func (s *Scheme) stringToSign(m *canonical.Message, r *http.Request, c *core.Credential, payload string, order canonical.Order) (more bool, err error) {
	if more, err = m.Build(r, c.SignedHeaders, payload, order, canonical.Form{}); err != nil {
		return false, signing.NotCanonical(err)
	}
	m.StringToSign = s.format.StringToSign(m.StringToSign[:0], c.Algorithm, c.Timestamp, m.Request)
	return more, nil
}
