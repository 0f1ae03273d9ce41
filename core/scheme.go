package core

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// A Scheme is one way to present a credential: apig.New, basic.New and so on.
// It reads its own wire format and does its own mathematics; everything else
// (binding, dates, required headers, bodies, key look-up, rotation) is decided
// once, in [Verifier.Verify].
//
// A scheme has no state that a request changes, and is safe for concurrent use.
type Scheme interface {
	// Name is the scheme's name in the environments file and in [Identity].
	Name() string
	// Algorithms are the tokens that it accepts in front of an Authorization
	// header, for WWW-Authenticate.
	Algorithms() []string
	// Keys finds the scheme's keys; never nil.
	Keys() KeySource
	// Parse reads the scheme's credential from r into the zero c. It returns
	// [ErrNoCredential], or an [*OtherForm], where r has none of this scheme; any other error
	// (an [*Error]) is final, and no other scheme is tried. It reads headers
	// and target only. The header of the credential is [Credential.Authorization], which
	// has at most one value.
	Parse(r *http.Request, c *Credential) error
	// Verify proves that the credential was made with one of the secrets of the
	// key over r as it was received, and returns the index of that secret:
	// secrets holds those that are accepted now, which key alone does not tell.
	// Payload is what stands for the body: its hash in lower-case hex, or what
	// the credential declared. A refusal is an [*Error]; comparisons are made
	// in constant time. It does not read the body.
	Verify(r *http.Request, c *Credential, key *Key, secrets []Secret, payload string) (int, error)
}

// A Validator is a [Scheme] whose own configuration can be wrong. [New] asks it
// and reports what it returns.
type Validator interface {
	// Validate reports all problems at once, each as a [ConfigError], joined by
	// errors.Join.
	Validate() error
}

// A HeaderScheme is a [Scheme] whose credential stands in a header of its own
// in place of that of [Config.CredentialHeader]. A request with the headers of two schemes is
// ambiguous, and so is one with a credential in the query beside one.
type HeaderScheme interface {
	// CredentialHeader returns the name of the header, or "" for that of
	// [Config.CredentialHeader].
	CredentialHeader() string
}

// A ProtocolScheme is a [Scheme] whose protocol has headers of its own. Of those
// that a request has, its credential must sign each, except the digest of the body,
// which counts only where it is signed, and those in [Config.AllowUnsigned]. The
// headers of other protocols are ordinary headers to it. A scheme that signs
// requests and is no ProtocolScheme must sign those of all schemes of this module.
type ProtocolScheme interface {
	// HeaderPrefix is what the names of these headers start with, in lower case:
	// x-amz-. It is always the same.
	HeaderPrefix() string
}

// A Canonicalizer is a [Scheme] that can show what it computes. It is used for
// diagnosis only, never to accept a request.
type Canonicalizer interface {
	// Canonical returns the canonical request and the string to sign of r.
	Canonical(r *http.Request, c *Credential, payload string) (canonicalRequest, stringToSign string, err error)
}

// ErrNoCredential is returned by [Scheme.Parse] where the request carries no
// credential of that scheme: "not mine, try the next".
var ErrNoCredential = errors.New("no credential of this scheme")

// OtherForm is [ErrNoCredential] for a credential with an algorithm of the scheme, in a form
// that belongs to another scheme. It names both forms where the record of a refusal names
// algorithms, and repeats nothing of the credential.
type OtherForm struct {
	Sent     string // SDK-HMAC-SHA256 with a scope (type aksk)
	Accepted string // SDK-HMAC-SHA256 without a scope (type hmac)
}

// Error says what was sent.
func (f *OtherForm) Error() string { return ErrNoCredential.Error() + ": " + f.Sent }

// Unwrap returns [ErrNoCredential].
func (f *OtherForm) Unwrap() error { return ErrNoCredential }

// Payload says what a credential proves about the body.
type Payload uint8

const (
	// PayloadNone: nothing; the scheme proves no part of the request.
	PayloadNone Payload = iota
	// PayloadHashed: the hash of the body is part of what was signed.
	PayloadHashed
	// PayloadDeclared: a digest in a signed header is part of what was signed,
	// and the body must have that digest.
	PayloadDeclared
	// PayloadUnsigned: the sender said that the body is not signed.
	PayloadUnsigned
)

// String returns none, hashed, declared or unsigned.
func (p Payload) String() string {
	return [...]string{"none", "hashed", "declared", "unsigned"}[p&3]
}

// A Credential is what a request presents, as its scheme read it. Nothing in
// it is proven until the scheme's Verify has returned.
type Credential struct {
	// Algorithm is the token in front of the credential.
	Algorithm string
	// KeyID names the key. Empty: the key bound to the API.
	KeyID string
	// Signature is the signature, or the password; in the form that the scheme
	// compares. It is never logged.
	Signature string

	// SignsRequest is true for signatures over the request, and false for
	// schemes that only show who sends it. The fields below belong to the former.
	SignsRequest bool
	// Scope is the credential scope, where the scheme has one, and Region and
	// Service what it names: they must be the key's.
	Scope, Region, Service string
	// InRegion reports whether the credential is for a region, where it names
	// several in place of Region.
	InRegion func(region string) bool
	// Presigned is true where the credential stands in the query. Its date is
	// then part of the query and not of a header, and Expires is how long it is
	// valid from that date on, in place of the allowed skew into the past.
	Presigned bool
	Expires   time.Duration
	// Date is the name of the header that holds the date, in lower case. It
	// must be signed; empty for Presigned. Timestamp is its text, Time what it says.
	Date      string
	Timestamp string
	Time      time.Time
	// SignedHeaders is the list as presented: lower case, joined with ';'.
	SignedHeaders string
	// SessionToken is the token of a temporary key, where it was signed.
	SessionToken string

	// Payload says what stands for the body.
	Payload Payload
	// Declared is the payload line for PayloadDeclared (a digest in lower-case
	// hex) and PayloadUnsigned.
	Declared string
	// Hash is the hash of the body, for PayloadHashed and PayloadDeclared.
	Hash *Hash

	// Fingerprint stands for the string to sign, for replay protection: Verify
	// sets it where it accepts a signature over the request. It is a hash of that
	// string, or 128 bits of its MAC in any form. Signatures of which several fit
	// one string do not do.
	Fingerprint [32]byte

	// Attributes are what Verify learned about the sender beside the key, for
	// [Identity.Attribute]: roles, a user, a project. Not changed afterwards.
	Attributes map[string][]string

	scratch *canonical.Message
	header  string // Config.CredentialHeader, "" where no verifier is calling
}

// Authorization returns the values of the header of r that holds credentials: the one of
// [Config.CredentialHeader], and Authorization where no verifier is calling. Parse calls it
// before it sets c as a whole.
func (c *Credential) Authorization(r *http.Request) []string {
	return r.Header[cmp.Or(c.header, authorization)]
}

// Scratch returns working memory of the verification, in which the signed headers of
// the request were found already. It is for the schemes of this module alone, and nil
// where no verifier is calling.
func (c *Credential) Scratch() any {
	if c.scratch == nil {
		return nil
	}
	return c.scratch
}

// Format writes the algorithm, for every verb: the rest is the caller's text and
// may be a password.
func (c Credential) Format(f fmt.State, verb rune) { fmt.Fprintf(f, "credential(%s)", c.Algorithm) }

// MarshalText returns what Format writes.
func (c Credential) MarshalText() ([]byte, error) { return fmt.Append(nil, c), nil }

// Signs reports whether the header, given in lower case, is in SignedHeaders.
func (c *Credential) Signs(name string) bool {
	return c.signs(name, func(signed, name string) bool { return signed == name })
}
