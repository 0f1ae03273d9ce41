package signature

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
)

// The length in bytes of the DER form of (r, s) on a curve of 256 bits: two
// integers of one byte each, and two of 33.
const (
	MinDER = 2 + 2*(2+1)
	MaxDER = 2 + 2*(2+33)
)

// VerifyP256 reports whether signature is one of SHA-256 of text by the holder
// of the key, in lower-case hex of strict DER (ITU-T X.690 section 10) and in no
// other encoding, with r and s from 1 to n-1. There is no public key where it
// is nil, and then no signature.
//
// An ECDSA signature has a second form, (r, n-s), that is valid too.
func VerifyP256(public *ecdsa.PublicKey, text []byte, signature string) bool {
	var space [MaxDER]byte
	der, ok := DecodeDER(space[:0], signature)
	if !ok || public == nil {
		return false
	}
	digest := sha256.Sum256(text)
	return ecdsa.VerifyASN1(public, digest[:], der)
}

// DecodeDER appends to dst the bytes that a signature's lower-case hexadecimal
// digits stand for. It is false for other digits, and for lengths that no DER
// form of (r, s) has. Whether the bytes are DER is for the curve to say.
func DecodeDER(dst []byte, signature string) (der []byte, ok bool) {
	if n := len(signature); n < 2*MinDER || n > 2*MaxDER {
		return nil, false
	}
	for i := range len(signature) { // hex takes upper case as well
		if 'A' <= signature[i] && signature[i] <= 'F' {
			return nil, false
		}
	}
	der, err := hex.AppendDecode(dst, []byte(signature))
	return der, err == nil
}
