package aescfb

import (
	"crypto/sha256"
	"strconv"

	"github.com/gatewayauth/gatewayauth/internal/lowerhex"
)

// minPlaintext is the minimum size of a plaintext in bytes. With a shorter one, a
// known key stream is enough to forge signatures, or leaves too few bytes to
// guess: see the package comment.
const minPlaintext = 32

// A Format is what a wire format decides beyond the shape of the Authorization
// header: SignedHeaders, Signature in lower-case hexadecimal digits, and
// optionally Access. [Profile1] is the one of this package. It must be safe for
// concurrent use, and its results may depend on its arguments only.
type Format interface {
	// Algorithm returns the token in front of the credential for keys of so many
	// bits, 128 or 256: another one for each.
	Algorithm(bits int) string
	// StringToSign appends to dst what stands for the request. The algorithm, the
	// date as it stands in x-sdk-date, and the canonical request (that of
	// package apig) must all be bound by it.
	StringToSign(dst []byte, algorithm, date string, canonicalRequest []byte) []byte
	// Plaintext returns what is encrypted for a string to sign: always
	// PlaintextSize bytes, which no one can predict the first or the last 16
	// of without knowing the whole request, such as a digest.
	Plaintext(stringToSign []byte) []byte
	// PlaintextSize is the length of every plaintext in bytes. Below 32 the
	// format is refused: it could be forged from one observed request.
	PlaintextSize() int
}

// Profile1 returns AES profile 1, this project's own format and not the
// gateway vendor's, who publishes none:
//
//	StringToSign = <algorithm> LF X-Sdk-Date LF hex(SHA-256(CanonicalRequest))
//	plaintext    = the 32 bytes of SHA-256(StringToSign)
func Profile1() Format { return profile1{} }

type profile1 struct{}

func (profile1) Algorithm(bits int) string { return "SDK-AES-" + strconv.Itoa(bits) + "-CFB" }

func (profile1) StringToSign(dst []byte, algorithm, date string, canonicalRequest []byte) []byte {
	digest := sha256.Sum256(canonicalRequest)
	dst = append(append(dst, algorithm...), '\n')
	dst = append(append(dst, date...), '\n')
	return lowerhex.Append(dst, &digest)
}

func (profile1) Plaintext(stringToSign []byte) []byte {
	digest := sha256.Sum256(stringToSign)
	return digest[:]
}

func (profile1) PlaintextSize() int { return sha256.Size }
