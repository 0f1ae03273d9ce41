// Package sdk is the one implementation behind the schemes of packages apig and
// sm. They share credential, canonical request and string to sign (PROTOCOLS
// sections 1.1 to 1.4), and differ in what a [Variant] says.
package sdk

import (
	"github.com/gatewayauth/gatewayauth/core"
)

// A Variant is what tells one scheme of the family from the others.
type Variant struct {
	// Name is the scheme's; Algorithm is the token in front of its credential.
	Name, Algorithm string
	// DigestHeader declares the payload, in lower case.
	DigestHeader string
	// Hash and Sum are the hash, of bodies and of canonical requests.
	Hash *core.Hash
	Sum  func(data []byte) [DigestSize]byte
	// MinSignature and MaxSignature bound the length of a signature in bytes.
	MinSignature, MaxSignature int
	// Scoped is true where the credential has a scope (Credential=), which ends
	// with Terminator where that is not empty, and false for flat keys (Access=).
	Scoped     bool
	Terminator string
	// Collapse makes one space of white space inside header values.
	Collapse bool
	// Presigned is true where the credential may stand in the query.
	Presigned bool
	// Key derives the key that signs and verifies from a secret, an id and, for
	// Scoped, the text of the scope.
	Key func(secret, id, scope string) Key
}

// DigestSize is the size in bytes of every hash of the family.
const DigestSize = 32

// A Key signs and verifies texts. It is safe for concurrent use.
type Key interface {
	// Sign returns a signature of text in lower-case hex.
	Sign(text []byte) (string, error)
	// Verify reports whether signature, which is lower-case hex within the
	// variant's bounds, is one of text. Secret values are compared in constant
	// time.
	Verify(text []byte, signature string) bool
}

// key derives the key, or finds it with the secret: a verifier asks only for
// the key's own region and service, and in the header form for a fresh date, so
// that strangers do not choose what is remembered. In the query form they choose
// among eight days: those keys are made anew.
func (v *Variant) key(secret core.Secret, id string, c *core.Credential) Key {
	scope := c.Scope
	if c.Presigned && v.Scoped {
		return v.Key(secret.Reveal(), id, scope)
	}
	return core.Derive(secret, derivation{v.Name, id, scope}, func(text string) Key { return v.Key(text, id, scope) })
}

type derivation struct{ scheme, id, scope string }
