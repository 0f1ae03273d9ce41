package vectors

import (
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A File has the vectors of one scheme, and the keys of their environment.
type File struct {
	// Scheme is the scheme's name: the key type in the environments file, and the
	// file's name without .json.
	Scheme string `json:"scheme"`
	// Keys are all keys of the environment.
	Keys    []Key    `json:"keys"`
	Vectors []Vector `json:"vectors"`
}

// A Key has the fields of a key in the environments file. Fields that the scheme does not
// have are absent.
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

// A Vector is one request with its verdict.
type Vector struct {
	Name    string    `json:"name"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
	// Key is the name of the key that is bound to every API, or empty if there is none.
	Key             string           `json:"key"`
	Policy          *Policy          `json:"policy,omitempty"`
	IdentityService *IdentityService `json:"identity_service,omitempty"`
	// Before is sent before Request, from the same address at the same instant.
	Before *Before `json:"before,omitempty"`
	// Request is the request as it is sent, in base64.
	Request []byte `json:"request"`
	// Code is the code of the refusal, or empty if the request is accepted.
	Code     core.Code `json:"code"`
	Identity *Identity `json:"identity,omitempty"`

	// CanonicalRequest and StringToSign are what a verifier computes from the received
	// request. They are empty if the verdict does not depend on them.
	CanonicalRequest string `json:"canonical_request,omitempty"`
	StringToSign     string `json:"string_to_sign,omitempty"`
}

// Policy has the differences from the default policy of an environment.
type Policy struct {
	// ClockSkew is in seconds, MaxBody in bytes.
	ClockSkew int   `json:"clock_skew,omitempty"`
	MaxBody   int64 `json:"max_body,omitempty"`
	// RequireSigned is nil for the default, [host].
	RequireSigned        []string `json:"require_signed,omitzero"`
	AllowUnsignedPayload bool     `json:"allow_unsigned_payload,omitempty"`
	AllowPresigned       bool     `json:"allow_presigned,omitempty"`
	AllowRegionWildcards bool     `json:"allow_region_wildcards,omitempty"`
	Rewrite              *Rewrite `json:"rewrite,omitempty"`
}

// Rewrite is the change that a proxy in front of the verifier made.
type Rewrite struct {
	AddPrefix string `json:"add_prefix,omitempty"`
	Host      string `json:"host,omitempty"`
}

// Before is a request that is sent a number of times.
type Before struct {
	Request []byte `json:"request"`
	Times   int    `json:"times"`
}

// IdentityService has the responses of the identity service. If a response is absent, the
// verifier must not make that call.
type IdentityService struct {
	// Login is the response to POST /v3/auth/tokens.
	Login *Answer `json:"login,omitempty"`
	// Check is the response to GET /v3/auth/tokens for the subject Token.
	Token string  `json:"token,omitempty"`
	Check *Answer `json:"check,omitempty"`
}

// Answer is a response of the identity service.
type Answer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
}

// Identity is the identity of an accepted request.
type Identity struct {
	Key       string `json:"key"`
	KeyID     string `json:"key_id"`
	Algorithm string `json:"algorithm"`
	// Secret is 0 for the current secret, and n for the n-th of the previous secrets that
	// are accepted at the instant.
	Secret int `json:"secret"`
	// Payload is hashed, declared, unsigned or none.
	Payload string        `json:"payload"`
	Covers  core.Coverage `json:"covers"`
	// Attributes are the caller's attributes from the identity service.
	Attributes map[string][]string `json:"attributes,omitempty"`
}
