package signing

import (
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/memo"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// New returns the scheme of an algorithm, with keys from keys. The rules of byID are
// for single keys, by the id in the credential; rules are for all others. The maps
// and what they hold must not change afterwards.
func New(a *Algorithm, keys core.KeySource, rules Rules, byID map[string]Rules) core.Scheme {
	return &scheme{Algorithm: a, keys: keys, rules: rules, rulesByID: byID, otherForm: a.otherForm()}
}

type scheme struct {
	*Algorithm
	keys      core.KeySource
	rules     Rules
	rulesByID map[string]Rules
	fronts    memo.Memo[string, *front]
	otherForm *core.OtherForm
}

var _ interface {
	core.Canonicalizer
	core.ProtocolScheme
} = (*scheme)(nil)

func (s *scheme) Name() string         { return s.Algorithm.Name }
func (s *scheme) Algorithms() []string { return []string{s.Identifier} }
func (s *scheme) Keys() core.KeySource { return s.keys }
func (s *scheme) HeaderPrefix() string { return s.Protocol.HeaderPrefix }

// rulesOf returns the rules of the key that a credential names.
func (s *scheme) rulesOf(c *core.Credential) Rules {
	if rules, ok := s.rulesByID[c.KeyID]; ok {
		return rules
	}
	return s.rules
}

// Verify tries the signature with every secret, over each order of the query.
func (s *scheme) Verify(r *http.Request, c *core.Credential, key *core.Key, secrets []core.Secret, payload string) (int, error) {
	if s.isStrayToken(c, key) {
		return -1, core.RefuseWithHint(core.CodeSignatureMismatch, "a session token, for a key that has none",
			"Set session_token of the key in the file if it is a temporary key; otherwise the sender must not send a session token.")
	}
	m, rule := Scratch(c), s.rulesOf(c).Path
	for order, more := s.FirstOrder, true; more; order++ {
		var err error
		if more, err = s.buildStringToSign(m, r, c, payload, rule, order); err != nil {
			return -1, err
		}
		for i, secret := range secrets {
			if s.key(secret, key.ID, c).Verify(m.StringToSign, c.Signature) {
				c.Fingerprint = s.fingerprint(m.StringToSign, c.Signature)
				s.remember(m)
				return i, nil
			}
		}
	}
	return -1, core.Refuse(core.CodeSignatureMismatch, "the signature does not fit the request as received, or the secret")
}

// isStrayToken reports a session token for a key that has none, where the protocol
// refuses that.
func (p *Protocol) isStrayToken(c *core.Credential, key *core.Key) bool {
	return p.TokenIsStrict && c.SessionToken != "" && key.SessionToken.IsZero()
}

// fingerprint stands for the string to sign. Half of an HMAC's digits are as good
// as a hash of it, and need no computation.
func (a *Algorithm) fingerprint(stringToSign []byte, signature string) (f [DigestSize]byte) {
	if a.MinSignature < a.MaxSignature { // several signatures fit one string
		return a.Sum(stringToSign)
	}
	copy(f[:], signature)
	return f
}

// Canonical shows what Verify computes.
func (s *scheme) Canonical(r *http.Request, c *core.Credential, payload string) (string, string, error) {
	m := canonical.NewMessage()
	defer m.Free()
	_, err := s.buildStringToSign(m, r, c, payload, s.rulesOf(c).Path, s.FirstOrder)
	return string(m.Request), string(m.StringToSign), err
}

// Proves reports whether the signature is that of the secret over another
// canonical request.
func (s *scheme) Proves(canonicalRequest string, c *core.Credential, key *core.Key, secret core.Secret) bool {
	text := s.appendStringToSign(nil, []byte(canonicalRequest), c)
	return !s.isStrayToken(c, key) && s.key(secret, key.ID, c).Verify(text, c.Signature)
}

// buildStringToSign builds canonical request and string to sign into m, and reports
// whether another order of the query gives another one.
func (a *Algorithm) buildStringToSign(m *canonical.Message, r *http.Request, c *core.Credential, payload string, rule canonical.PathRule, order canonical.Order) (more bool, err error) {
	form := canonical.Form{Path: rule, Joined: a.Joined, Collapse: a.Collapse}
	if c.Presigned {
		form.Without = a.Parameters[signatureParameter].Name
	}
	if more, err = m.Build(r, c.SignedHeaders, payload, order, form); err != nil {
		return false, NotCanonical(err)
	}
	m.StringToSign = a.appendStringToSign(m.StringToSign[:0], m.Request, c)
	return more, nil
}

// appendStringToSign appends the string to sign of a canonical request.
func (a *Algorithm) appendStringToSign(b, canonicalRequest []byte, c *core.Credential) []byte {
	digest := a.Sum(canonicalRequest)
	b = canonical.AppendLine(b, a.Identifier)
	b = canonical.AppendLine(b, c.Timestamp)
	if c.Scope != "" {
		b = canonical.AppendLine(b, c.Scope)
	}
	return lowerhex.Append(b, &digest)
}
