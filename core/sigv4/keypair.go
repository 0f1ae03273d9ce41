package sigv4

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
)

// publicKey and privateKey name the key pair of an access key id.
type (
	publicKey  struct{ id string }
	privateKey struct{ id string }
)

func (k publicKey) derive(secret string) *ecdsa.PublicKey {
	if private := privateKey(k).derive(secret); private != nil {
		return &private.PublicKey
	}
	return nil
}

// derive makes the key pair of an access key (NIST SP 800-108 in counter mode,
// FIPS 186-4 appendix B.4.2): the first candidate that is at most n-2, plus one.
// It returns nil where there is none, which no secret is known to have.
func (k privateKey) derive(secret string) *ecdsa.PrivateKey {
	input := append([]byte{0, 0, 0, 1}, AlgorithmA...)
	input = append(input, 0)
	input = append(input, k.id...)
	at := len(input)
	input = append(input, 0, 0, 0, 1, 0) // the counter, and the 256 bits that are wanted
	for counter := byte(1); counter < 255; counter++ {
		input[at] = counter
		mac := hmac.New(sha256.New, []byte("AWS4A"+secret))
		mac.Write(input)
		candidate := mac.Sum(nil)
		increment(candidate)
		// Takes 1 to n-1. Candidates above n-2, also the one that increment
		// turns to zero, are refused here.
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), candidate); err == nil {
			return private
		}
	}
	return nil
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
