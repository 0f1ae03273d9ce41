package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"hash"
	"math/big"

	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// Signatures on curves are usually random. These are deterministic, so that the generated
// files are always the same: the nonce of ECDSA is that of RFC 6979, the nonce of SM2 a
// MAC of the signed text with the private key.

// scalar derives a private scalar from a secret (docs/protocols.md, "Key pair from a secret").
func scalar(newHash func() hash.Hash, token, secret, id string, counter byte, n *big.Int) *big.Int {
	most := new(big.Int).Sub(n, big.NewInt(2))
	for ; ; counter++ {
		text := "\x00\x00\x00\x01" + token + "\x00" + id + string([]byte{counter}) + "\x00\x00\x01\x00"
		candidate := new(big.Int).SetBytes([]byte(mac(newHash, secret, text)))
		if candidate.Cmp(most) <= 0 {
			return candidate.Add(candidate, big.NewInt(1))
		}
	}
}

func signP256(token, prefix string, counter byte) func(key vectors.Key, scope, text string) string {
	return func(key vectors.Key, _, text string) string {
		d := scalar(sha256.New, token, prefix+key.Secret, key.Key, counter, elliptic.P256().Params().N)
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
		if err != nil {
			panic(err) // of constants
		}
		digest := sha256.Sum256([]byte(text))
		signature, err := private.Sign(nil, digest[:], crypto.SHA256) // without a source of randomness: RFC 6979
		if err != nil {
			panic(err)
		}
		return hex.EncodeToString(signature)
	}
}

// signSM2 signs according to GB/T 32918.2, with the default user id.
func signSM2(key vectors.Key, _, text string) string {
	n := sm2.P256().Params().N
	d := scalar(sm3.New, "SDK-SM2-SM3", key.Secret, key.Key, 0, n)
	private, err := sm2.NewPrivateKey(d.FillBytes(make([]byte, 32)))
	if err != nil {
		panic(err)
	}
	digest, err := sm2.CalculateSM2Hash(&private.PublicKey, []byte(text), nil)
	if err != nil {
		panic(err)
	}
	nonce := mac(sm3.New, string(d.Bytes()), string(digest))
	k := new(big.Int).Mod(new(big.Int).SetBytes([]byte(nonce)), n)
	point, err := ecdh.P256().NewPrivateKey(k.FillBytes(make([]byte, 32)))
	if err != nil {
		panic(err)
	}
	x := point.PublicKey().Bytes()[1:33]
	r := new(big.Int).Add(new(big.Int).SetBytes(digest), new(big.Int).SetBytes(x))
	r.Mod(r, n)
	// s = (k - r d) / (1 + d)
	s := new(big.Int).Sub(k, new(big.Int).Mul(r, d))
	s.Mul(s, new(big.Int).ModInverse(new(big.Int).Add(d, big.NewInt(1)), n))
	return der(r, s.Mod(s, n))
}

type pairRS struct{ R, S *big.Int }

func der(r, s *big.Int) string {
	text, err := asn1.Marshal(pairRS{r, s})
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(text)
}

// parts parses a signature of this program.
func parts(signature string) (p pairRS) {
	text, err := hex.DecodeString(signature)
	if err == nil {
		_, err = asn1.Unmarshal(text, &p)
	}
	if err != nil {
		panic(err)
	}
	return p
}
