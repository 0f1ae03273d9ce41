package signing

import (
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// A Protocol is what the schemes of one vendor share. Names of headers are in
// lower case.
type Protocol struct {
	// HeaderPrefix is what the names of the protocol's headers start with.
	HeaderPrefix string
	// DateHeader holds the date of the header form; DateField is the same name as
	// [http.Header] has it.
	DateHeader, DateField string
	// OtherDate reads the header OtherDateHeader where DateHeader is absent, and
	// returns the date as the string to sign has it. It may be nil.
	OtherDate       func(r *http.Request) (timestamp string, present bool, err error)
	OtherDateHeader string
	// TokenHeader holds the session token of a temporary key. Where TokenIsStrict
	// is set, an empty token and a token for a key without one are refused, and
	// signers remove what an earlier signature has left there.
	TokenHeader   string
	TokenIsStrict bool
	// RegionSetHeader lists the regions for algorithms whose scope names none.
	RegionSetHeader string

	// Parameters are those of a credential in the query, in the order of the
	// constants below; the last ones may be absent. Markers are the names of which
	// one is enough for a query to be a credential.
	Parameters []Parameter
	Markers    []string

	// FlatAndScoped is true where the same algorithm stands in front of credentials
	// with a scope (Credential=) and without one (Access=): a credential of the
	// other kind belongs to another scheme.
	FlatAndScoped bool
	// Joined is that of [canonical.Form]. FirstOrder is the order of the query that
	// is tried first; [canonical.ByEncoded] is tried after [canonical.ByDecoded].
	Joined     bool
	FirstOrder canonical.Order
	Details    Details
}

// A Parameter is a parameter of the query form.
type Parameter struct {
	Name string
	// AnyCase accepts the name in any case.
	AnyCase bool
	// NotEmpty refuses an empty value when the query is parsed.
	NotEmpty bool
	// Exclusive refuses a header of the same name beside the parameter.
	Exclusive bool
}

// The indexes of parameters.
const (
	algorithmParameter = iota
	credentialParameter
	dateParameter
	expiresParameter
	signedHeadersParameter
	signatureParameter // the last one that every protocol has
	tokenParameter
	regionSetParameter
	digestParameter
	maxParameters
)

// Details are the texts of refusals in the terms of a protocol.
type Details struct {
	Fields, NoCredential, Signature, NoDate, Date, Scope, ScopeDate, Digest string
	// Missing, Expires, Repeated and Exclusive are about the query.
	Missing, Expires, Repeated, Exclusive string
}

// An Algorithm is one scheme of a protocol.
type Algorithm struct {
	*Protocol
	// Name is the scheme's; Identifier stands in front of its credential.
	Name, Identifier string
	// OtherName is that of the scheme with the same identifier whose credentials have a
	// scope where those of this one have none, or the other way round; it may be empty.
	OtherName string
	// DigestHeader declares the digest of the body, or that it is not signed.
	DigestHeader string
	// Hash and Sum are the hash, of bodies and of canonical requests.
	Hash *core.Hash
	Sum  func(data []byte) [DigestSize]byte
	// MinSignature and MaxSignature bound the length of a signature in bytes.
	MinSignature, MaxSignature int
	// Scope is the form of the scope in the credential; nil for flat keys.
	Scope *Scope
	// Collapse is that of [canonical.Form].
	Collapse bool
	// Presigned is true where the credential may stand in the query.
	Presigned bool
	// Key derives the key that signs and verifies from a secret and an id.
	// ScopedKey derives it from the text of the scope as well. One of them is set.
	Key       func(secret, id string) Key
	ScopedKey func(secret, id, scope string) Key
}

// otherForm names the credentials of the other scheme that [Protocol].FlatAndScoped speaks of.
func (a *Algorithm) otherForm() *core.OtherForm {
	form := func(scoped bool, name string) string {
		text := a.Identifier + " without a scope"
		if scoped {
			text = a.Identifier + " with a scope"
		}
		if name != "" {
			text += " (type " + name + ")"
		}
		return text
	}
	return &core.OtherForm{Sent: form(a.Scope == nil, a.OtherName), Accepted: form(a.Scope != nil, a.Name)}
}

func (a *Algorithm) hasRegionSet() bool { return a.Scope != nil && a.Scope.WithoutRegion }

// Rules are what may differ from key to key.
type Rules struct {
	// Path is the rule for the path.
	Path canonical.PathRule
	// UnsignedPresigned reports whether a credential in the query leaves the body
	// unsigned where it says nothing about it. Nil: it never does.
	UnsignedPresigned func(service string) bool
	// RegionWildcards lets entries of the region set with a '*' match.
	RegionWildcards bool
}

func (r *Rules) unsignedPresigned(service string) bool {
	return r.UnsignedPresigned != nil && r.UnsignedPresigned(service)
}

// key derives the key, or finds it with the secret. A verifier asks only for
// the key's own region and service, and in the header form for a fresh date, so
// requests of strangers do not decide what is remembered. In the query form they
// can choose among eight days: those keys are derived for each request.
func (a *Algorithm) key(secret core.Secret, id string, c *core.Credential) Key {
	if a.ScopedKey == nil {
		return core.Derive(secret, derivation{a.Name, id, ""}, func(text string) Key { return a.Key(text, id) })
	}
	scope := c.Scope
	if c.Presigned {
		return a.ScopedKey(secret.Reveal(), id, scope)
	}
	return core.Derive(secret, derivation{a.Name, id, scope}, func(text string) Key { return a.ScopedKey(text, id, scope) })
}

type derivation struct{ scheme, id, scope string }
