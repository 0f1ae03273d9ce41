package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
)

var errFloor = errors.New("the floor: another signature")

// floor returns the work that no verifier can avoid: SHA-256 of a canonical request of
// 350 bytes, HMAC-SHA256 of the string to sign with a prepared key, hex, a comparison in
// constant time, and SHA-256 of the body if there is one.
func floor(q Request) *subject {
	canonicalRequest := bytes.Repeat([]byte("a"), 350)
	stringToSign := bytes.Repeat([]byte("b"), 97)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Reset()
	var sum, received [sha256.Size]byte
	sign := func() {
		if q.Body != nil {
			body := sha256.Sum256(q.Body)
			hex.Encode(canonicalRequest[350-64:], body[:])
		}
		digest := sha256.Sum256(canonicalRequest)
		hex.Encode(stringToSign[33:], digest[:])
		mac.Reset()
		mac.Write(stringToSign)
		mac.Sum(sum[:0])
	}
	sign()
	signature := []byte(hex.EncodeToString(sum[:]))
	return &subject{
		verify: func() error {
			sign()
			hex.Decode(received[:], signature)
			if subtle.ConstantTimeCompare(sum[:], received[:]) != 1 {
				return errFloor
			}
			return nil
		},
		changes: append(q.changes(), func() { canonicalRequest[0] ^= 1 }),
	}
}
