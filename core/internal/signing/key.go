package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"strings"

	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// DigestSize is the size in bytes of every hash.
const DigestSize = 32

// A Key signs and verifies texts. It is safe for concurrent use.
type Key interface {
	// Sign returns a signature of text in lower-case hex.
	Sign(text []byte) (string, error)
	// Verify reports whether signature, which is lower-case hex within the
	// algorithm's bounds, is one of text. Secret values are compared in constant
	// time.
	Verify(text []byte, signature string) bool
}

// MAC returns the Key of an HMAC.
func MAC(newHash func() hash.Hash, key []byte) Key { return signature.NewMAC(newHash, key) }

// ScopedMAC returns the Key of an HMAC with SHA-256 whose key is derived along the
// parts of a scope, terminator included.
func ScopedMAC(prefix, secret, scope string) Key {
	return MAC(sha256.New, deriveScopedKey(prefix+secret, scope))
}

// deriveScopedKey returns HMAC(HMAC(secret, part 1), part 2) ...
func deriveScopedKey(secret, scope string) []byte {
	key := []byte(secret)
	for part := range strings.SplitSeq(scope, "/") {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return key
}

// Asymmetric returns the Key of an algorithm whose signatures are (r, s) in DER, by
// what signs and what verifies a text. Verify takes the signature in hex, and
// must refuse every other encoding.
func Asymmetric(sign func(text []byte) ([]byte, error), verify func(text []byte, signature string) bool) Key {
	return asymmetric{sign, verify}
}

// NoKey returns a Key that signs nothing and verifies nothing.
func NoKey(err error) Key {
	return Asymmetric(func([]byte) ([]byte, error) { return nil, err }, func([]byte, string) bool { return false })
}

type asymmetric struct {
	sign   func(text []byte) ([]byte, error)
	verify func(text []byte, signature string) bool
}

func (k asymmetric) Sign(text []byte) (string, error) {
	signature, err := k.sign(text)
	return hex.EncodeToString(signature), err
}

func (k asymmetric) Verify(text []byte, signature string) bool { return k.verify(text, signature) }

// P256 returns the Key of ECDSA on P-256 with SHA-256, whose private key is derived
// from secret; see [DerivePrivateKey]. It takes signatures in strict DER alone, with
// r and s from 1 to n-1.
func P256(secret, label, id string, first byte) Key {
	private, err := DerivePrivateKey(sha256.New, secret, label, id, first, func(scalar []byte) (*ecdsa.PrivateKey, error) {
		return ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	})
	if err != nil {
		return NoKey(err)
	}
	return Asymmetric(
		func(text []byte) ([]byte, error) {
			digest := sha256.Sum256(text)
			return ecdsa.SignASN1(rand.Reader, private, digest[:])
		},
		func(text []byte, presented string) bool {
			return signature.VerifyP256(&private.PublicKey, text, presented)
		})
}

// DerivePrivateKey derives the private key of an id from a secret (NIST SP 800-108
// in counter mode, FIPS 186-4 appendix B.4.2): the first candidate, plus one, that
// parse takes, with the counter from first on. Parse refuses what is not between 1
// and n-1, n being the order of the curve. It returns an error where there is no
// such candidate, which no secret is known to have.
func DerivePrivateKey[K any](newHash func() hash.Hash, secret, label, id string, first byte, parse func(scalar []byte) (K, error)) (K, error) {
	text := binary.BigEndian.AppendUint32(nil, 1) // the first and only block
	text = append(text, label...)
	text = append(text, 0)
	text = append(text, id...)
	at := len(text)
	text = append(text, 0) // the counter
	text = binary.BigEndian.AppendUint32(text, 8*DigestSize)
	for counter := first; counter < 255; counter++ {
		text[at] = counter
		h := hmac.New(newHash, []byte(secret))
		h.Write(text)
		candidate := h.Sum(nil)
		increment(candidate) // 2^256-1 turns to zero, which parse refuses
		if private, err := parse(candidate); err == nil {
			return private, nil
		}
	}
	var none K
	return none, errors.New("the secret gives no private key")
}

// increment adds one to a big-endian number, without a branch on what it is.
func increment(number []byte) {
	carry := 1
	for i := len(number) - 1; i >= 0; i-- {
		carry += int(number[i])
		number[i] = byte(carry)
		carry >>= 8
	}
}
