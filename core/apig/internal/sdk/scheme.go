package sdk

import (
	"errors"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// New returns the scheme of a variant, with keys from keys.
func New(v *Variant, keys core.KeySource) core.Scheme { return &scheme{v, keys} }

type scheme struct {
	variant *Variant
	keys    core.KeySource
}

var _ interface {
	core.Prover
	core.ProtocolScheme
} = (*scheme)(nil)

func (s *scheme) Name() string         { return s.variant.Name }
func (s *scheme) Algorithms() []string { return []string{s.variant.Algorithm} }
func (s *scheme) Keys() core.KeySource { return s.keys }
func (s *scheme) HeaderPrefix() string { return "x-sdk-" }

// Verify tries the signature with every secret, over the two orders in which
// the vendor's SDKs write the query.
func (s *scheme) Verify(r *http.Request, c *core.Credential, key *core.Key, secrets []core.Secret, payload string) (int, error) {
	m := c.Message()
	for order, more := canonical.ByDecoded, true; more; order++ {
		var err error
		if more, err = s.variant.stringToSign(m, r, c, payload, order); err != nil {
			return -1, err
		}
		for i, secret := range secrets {
			if s.variant.key(secret, key.ID, c).Verify(m.StringToSign, c.Signature) {
				c.Fingerprint = s.variant.fingerprint(m.StringToSign, c.Signature)
				return i, nil
			}
		}
	}
	return -1, core.Refuse(core.CodeSignatureMismatch, "the signature does not fit the request as received, or the secret")
}

// fingerprint stands for the string to sign: half of an HMAC's digits are as good
// as a hash of it, and there already.
func (v *Variant) fingerprint(stringToSign []byte, signature string) (f [DigestSize]byte) {
	if v.MinSignature < v.MaxSignature { // several signatures fit one string
		return v.Sum(stringToSign)
	}
	copy(f[:], signature)
	return f
}

// Canonical shows what Verify computes.
func (s *scheme) Canonical(r *http.Request, c *core.Credential, payload string) (string, string, error) {
	m := canonical.NewMessage()
	defer m.Free()
	_, err := s.variant.stringToSign(m, r, c, payload, canonical.ByDecoded)
	return string(m.Request), string(m.StringToSign), err
}

// Proves reports whether the signature is that of the secret over another
// canonical request.
func (s *scheme) Proves(canonicalRequest string, c *core.Credential, key *core.Key, secret core.Secret) bool {
	text := s.variant.appendStringToSign(nil, []byte(canonicalRequest), c)
	return s.variant.key(secret, key.ID, c).Verify(text, c.Signature)
}

// stringToSign builds canonical request and string to sign into m, and reports
// whether another order of the query gives another one.
func (v *Variant) stringToSign(m *canonical.Message, r *http.Request, c *core.Credential, payload string, order canonical.Order) (more bool, err error) {
	form := canonical.SDKForm{Collapse: v.Collapse}
	if c.Presigned {
		form.Without = signatureParameter
	}
	if more, err = m.BuildSDK(r, c.SignedHeaders, payload, order, form); err != nil {
		return false, ambiguous(err)
	}
	m.StringToSign = v.appendStringToSign(m.StringToSign[:0], m.Request, c)
	return more, nil
}

// appendStringToSign appends the string to sign of a canonical request.
func (v *Variant) appendStringToSign(b, canonicalRequest []byte, c *core.Credential) []byte {
	digest := v.Sum(canonicalRequest)
	b = canonical.AppendLine(b, v.Algorithm)
	b = canonical.AppendLine(b, c.Timestamp)
	if c.Scope != "" {
		b = canonical.AppendLine(b, c.Scope)
	}
	return lowerhex.Append(b, &digest)
}

// ambiguous gives an error of canonicalisation its code.
func ambiguous(err error) error {
	code := core.CodeRequestAmbiguous
	if errors.Is(err, canonical.ErrHeaderAbsent) {
		code = core.CodeHeaderNotSigned
	}
	return core.Refuse(code, err.Error())
}
