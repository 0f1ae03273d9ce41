package vectors

import (
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A File holds the vectors of one scheme, and the keys of the environment that
// they are judged in.
type File struct {
	// Scheme is the scheme's name: the key type in the environments file, and the
	// file's name without .json.
	Scheme string `json:"scheme"`
	// Keys are all keys of the environment.
	Keys    []Key    `json:"keys"`
	Vectors []Vector `json:"vectors"`
}

// A Key has the fields of a key in the environments file. What a scheme does not
// have is absent.
type Key struct {
	Name string `json:"name"`
	Key  string `json:"key,omitempty"`
	// Secret is the vector for aes.
	Secret       string     `json:"secret,omitempty"`
	Previous     []Previous `json:"previous,omitempty"`
	Algorithm    string     `json:"algorithm,omitempty"`
	Region       string     `json:"region,omitempty"`
	Service      string     `json:"service,omitempty"`
	Paths        string     `json:"paths,omitempty"`
	SessionToken string     `json:"session_token,omitempty"`

	User          string `json:"user,omitempty"`
	Password      string `json:"password,omitempty"`
	Domain        string `json:"domain,omitempty"`
	Project       string `json:"project,omitempty"`
	CallerProject string `json:"caller_project,omitempty"`
}

// Previous is an earlier secret, for aes with the key that belonged to it.
type Previous struct {
	Key    string    `json:"key,omitempty"`
	Secret string    `json:"secret"`
	Until  time.Time `json:"until"`
}

// A Vector is one request and its verdict.
type Vector struct {
	Name    string    `json:"name"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
	// Key is the name of the key that is bound to every API; empty where none is.
	Key             string           `json:"key"`
	Policy          *Policy          `json:"policy,omitempty"`
	IdentityService *IdentityService `json:"identity_service,omitempty"`
	// Before is sent first, from the same address at the same instant.
	Before *Before `json:"before,omitempty"`
	// Request is everything on the wire, in base64.
	Request []byte `json:"request"`
	// Code is why the request is refused; empty where it is accepted.
	Code     core.Code `json:"code"`
	Identity *Identity `json:"identity,omitempty"`

	// What a verifier computes from the request as received, where the verdict
	// depends on it.
	CanonicalRequest string `json:"canonical_request,omitempty"`
	StringToSign     string `json:"string_to_sign,omitempty"`
}

// Policy is what differs from the default policy of an environment.
type Policy struct {
	// ClockSkew is in seconds, MaxBody in bytes.
	ClockSkew int   `json:"clock_skew,omitempty"`
	MaxBody   int64 `json:"max_body,omitempty"`
	// RequireSigned is nil where it is the default, [host].
	RequireSigned        []string `json:"require_signed,omitzero"`
	AllowUnsignedPayload bool     `json:"allow_unsigned_payload,omitempty"`
	AllowPresigned       bool     `json:"allow_presigned,omitempty"`
	AllowRegionWildcards bool     `json:"allow_region_wildcards,omitempty"`
	Rewrite              *Rewrite `json:"rewrite,omitempty"`
}

// Rewrite is what a proxy in front of the verifier changed.
type Rewrite struct {
	AddPrefix string `json:"add_prefix,omitempty"`
	Host      string `json:"host,omitempty"`
}

// Before is a request that is sent a number of times.
type Before struct {
	Request []byte `json:"request"`
	Times   int    `json:"times"`
}

// IdentityService is what the identity service answers. An answer that is absent
// belongs to a call that must not be made.
type IdentityService struct {
	// Login is the answer to POST /v3/auth/tokens.
	Login *Answer `json:"login,omitempty"`
	// Check is the answer to GET /v3/auth/tokens, which asks about Token.
	Token string  `json:"token,omitempty"`
	Check *Answer `json:"check,omitempty"`
}

// Answer is an answer of the identity service.
type Answer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
}

// Identity is what is proven about an accepted request.
type Identity struct {
	Key       string `json:"key"`
	KeyID     string `json:"key_id"`
	Algorithm string `json:"algorithm"`
	// Secret is 0 for the key's secret, n for the n-th of the previous ones that
	// are accepted at the instant.
	Secret int `json:"secret"`
	// Payload is hashed, declared, unsigned or none.
	Payload string        `json:"payload"`
	Covers  core.Coverage `json:"covers"`
	// Attributes are what the identity service said about the caller.
	Attributes map[string][]string `json:"attributes,omitempty"`
}
