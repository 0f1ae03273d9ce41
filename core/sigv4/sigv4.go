package sigv4

import (
	"crypto/sha256"
	"errors"
	"maps"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// The algorithms, as they stand in front of a credential.
const (
	Algorithm  = "AWS4-HMAC-SHA256"
	AlgorithmA = "AWS4-ECDSA-P256-SHA256"
)

// The protocol's headers.
const (
	dateHeader      = "x-amz-date"
	dateField       = "X-Amz-Date" // the same, as http.Header has it
	digestHeader    = "x-amz-content-sha256"
	tokenHeader     = "x-amz-security-token"
	regionSetHeader = "x-amz-region-set"
)

var bodyHash = core.NewHash(sha256.New)

// Config says where the keys are, and how their signers write paths.
type Config struct {
	// Keys finds keys by the access key id. Required. Every key needs its
	// Region and Service: a credential that names none is refused.
	Keys core.KeySource
	// Paths is Normalized unless set.
	Paths Paths
	// PathsByID is Paths for single keys, by access key id.
	PathsByID map[string]Paths
}

// New returns the scheme "sigv4": AWS4-HMAC-SHA256.
func New(c Config) core.Scheme {
	return &scheme{algorithm: hmacSHA256{}, keys: c.Keys, paths: c.Paths, pathsByID: maps.Clone(c.PathsByID)}
}

// An algorithm is what the two schemes do not share.
type algorithm interface {
	name() string       // of the scheme
	identifier() string // in front of a credential
	// parseScope reads a credential: the id, and its scope up to the terminator;
	// nil for what is none.
	parseScope(r *authorization.Reader, credential string) *authorization.Scope
	// parseRegion reads the region set, beside the scope: a parameter, or the
	// header of its name.
	parseRegion(r *http.Request, c *core.Credential, parameter field) error
	isSignature(text string) bool
	// verifies reports whether the credential's signature over the string to
	// sign was made with the secret.
	verifies(key *core.Key, secret core.Secret, c *core.Credential, stringToSign []byte) bool
	// fingerprint stands for the string to sign that the signature fits.
	fingerprint(stringToSign []byte, signature string) [sha256.Size]byte
}

type scheme struct {
	algorithm
	keys      core.KeySource
	paths     Paths
	pathsByID map[string]Paths
}

// pathsOf returns the rule of the key that a credential names.
func (s *scheme) pathsOf(c *core.Credential) Paths {
	if paths, ok := s.pathsByID[c.KeyID]; ok {
		return paths
	}
	return s.paths
}

var _ interface {
	core.Prover
	core.ProtocolScheme
} = (*scheme)(nil)

func (s *scheme) Name() string         { return s.name() }
func (s *scheme) Algorithms() []string { return []string{s.identifier()} }
func (s *scheme) Keys() core.KeySource { return s.keys }
func (s *scheme) HeaderPrefix() string { return "x-amz-" }

func malformed(detail string) error { return core.Refuse(core.CodeCredentialMalformed, detail) }
func repeated(detail string) error  { return core.Refuse(core.CodeRequestAmbiguous, detail) }

// Verify compares the signature with every secret.
func (s *scheme) Verify(r *http.Request, c *core.Credential, key *core.Key, secrets []core.Secret, payload string) (int, error) {
	if tokenForNone(c, key) {
		return -1, core.Refuse(core.CodeSignatureMismatch, "a session token, for a key that has none")
	}
	m := c.Message()
	if err := stringToSign(m, r, c, s.pathsOf(c), payload); err != nil {
		return -1, err
	}
	for i, secret := range secrets {
		if s.verifies(key, secret, c, m.StringToSign) {
			c.Fingerprint = s.fingerprint(m.StringToSign, c.Signature)
			return i, nil
		}
	}
	return -1, core.Refuse(core.CodeSignatureMismatch, "the signature does not fit the request as received, or the secret")
}

// Canonical shows what Verify computes.
func (s *scheme) Canonical(r *http.Request, c *core.Credential, payload string) (string, string, error) {
	m := canonical.NewMessage()
	defer m.Free()
	err := stringToSign(m, r, c, s.pathsOf(c), payload)
	return string(m.Request), string(m.StringToSign), err
}

// Proves reports whether the signature is that of the secret over another
// canonical request.
func (s *scheme) Proves(canonicalRequest string, c *core.Credential, key *core.Key, secret core.Secret) bool {
	return !tokenForNone(c, key) && s.verifies(key, secret, c, appendStringToSign(nil, []byte(canonicalRequest), c))
}

func tokenForNone(c *core.Credential, key *core.Key) bool {
	return c.SessionToken != "" && key.SessionToken.IsZero()
}

// stringToSign builds canonical request and string to sign into m.
func stringToSign(m *canonical.Message, r *http.Request, c *core.Credential, paths Paths, payload string) error {
	form := canonical.SigV4{SignedHeaders: c.SignedHeaders, Payload: payload, Path: paths.rule()}
	if c.Presigned {
		form.Without = parameterNames[signatureParameter]
	}
	if err := m.BuildSigV4(r, form); err != nil {
		return canonicalError(err)
	}
	m.StringToSign = appendStringToSign(m.StringToSign[:0], m.Request, c)
	return nil
}

// appendStringToSign appends the string to sign of a canonical request.
func appendStringToSign(b, canonicalRequest []byte, c *core.Credential) []byte {
	digest := sha256.Sum256(canonicalRequest)
	b = canonical.AppendLine(b, c.Algorithm)
	b = canonical.AppendLine(b, c.Timestamp)
	b = canonical.AppendLine(b, c.Scope)
	return lowerhex.Append(b, &digest)
}

// canonicalError gives a canonicalisation error its code.
func canonicalError(err error) error {
	if errors.Is(err, canonical.ErrHeaderAbsent) {
		return core.Refuse(core.CodeHeaderNotSigned, err.Error())
	}
	return core.Refuse(core.CodeRequestAmbiguous, err.Error())
}
