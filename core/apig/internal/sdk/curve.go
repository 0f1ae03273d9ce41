package sdk

import (
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"math/big"
)

// Curve returns the Key of an algorithm whose signatures are (r, s) in DER, by
// what signs and what verifies a text. Verify takes the signature in hex, and
// must refuse every other encoding.
func Curve(sign func(text []byte) ([]byte, error), verify func(text []byte, signature string) bool) Key {
	return curve{sign, verify}
}

// NoKey returns a Key that signs nothing and verifies nothing.
func NoKey(err error) Key {
	return Curve(func([]byte) ([]byte, error) { return nil, err }, func([]byte, string) bool { return false })
}

type curve struct {
	sign   func(text []byte) ([]byte, error)
	verify func(text []byte, signature string) bool
}

func (k curve) Sign(text []byte) (string, error) {
	signature, err := k.sign(text)
	return hex.EncodeToString(signature), err
}

func (k curve) Verify(text []byte, signature string) bool { return k.verify(text, signature) }

// Scalar derives the private scalar of a curve of order n from a secret
// (PROTOCOLS section 1.4: NIST SP 800-108 in counter mode, FIPS 186-4 B.4.2).
// It is computed once for a key, and not in constant time.
func Scalar(newHash func() hash.Hash, algorithm, id, secret string, n *big.Int) ([]byte, error) {
	most := new(big.Int).Sub(n, big.NewInt(2))
	for counter := range 256 {
		text := binary.BigEndian.AppendUint32(nil, 1) // the first and only block
		text = append(text, algorithm...)
		text = append(text, 0)
		text = append(text, id...)
		text = append(text, byte(counter))
		text = binary.BigEndian.AppendUint32(text, 8*DigestSize) // of so many bits
		h := hmac.New(newHash, []byte(secret))
		h.Write(text)
		candidate := new(big.Int).SetBytes(h.Sum(nil))
		if candidate.Cmp(most) <= 0 {
			return candidate.Add(candidate, big.NewInt(1)).FillBytes(make([]byte, DigestSize)), nil
		}
	}
	return nil, errors.New("no candidate is below the order of the curve")
}
