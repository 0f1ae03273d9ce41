package signature

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
)

// The shortest and longest DER encodings of (r, s) on a 256-bit curve, in bytes: two
// integers of one byte each, and two of 33.
const (
	MinDER = 2 + 2*(2+1)
	MaxDER = 2 + 2*(2+33)
)

// VerifyP256 reports whether signature is a valid ECDSA signature of the SHA-256 of text.
// The signature must be lower-case hex of strict DER (ITU-T X.690 section 10), with r and
// s from 1 to n-1. VerifyP256 returns false if public is nil.
//
// If (r, s) is a valid ECDSA signature, (r, n-s) is valid too.
func VerifyP256(public *ecdsa.PublicKey, text []byte, signature string) bool {
	var space [MaxDER]byte
	der, ok := DecodeDER(space[:0], signature)
	if !ok || public == nil {
		return false
	}
	digest := sha256.Sum256(text)
	return ecdsa.VerifyASN1(public, digest[:], der)
}

// DecodeDER decodes the lower-case hexadecimal digits of a signature and appends the
// bytes to dst. It returns false for other characters, and for lengths that no DER
// encoding of (r, s) has. It does not check that the bytes are DER.
func DecodeDER(dst []byte, signature string) (der []byte, ok bool) {
	if n := len(signature); n < 2*MinDER || n > 2*MaxDER {
		return nil, false
	}
	for i := range len(signature) { // encoding/hex also decodes upper case
		if 'A' <= signature[i] && signature[i] <= 'F' {
			return nil, false
		}
	}
	der, err := hex.AppendDecode(dst, []byte(signature))
	return der, err == nil
}
