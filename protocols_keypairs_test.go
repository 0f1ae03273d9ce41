package gatewayauth_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math/big"
	"strings"

	smecdh "github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
)

func workedKeyPairs(d *document, s *section) {
	with, flat := d.shared(s), d.section("Flat key")
	line, body := s.quote("POST /v1/items"), s.quote(`{"amount":100}`)

	token := "SDK-ECDSA-P256-SHA256"
	canonical := strings.Replace(flat.examples[3], "a=1&b=", "", 1)
	toSign, values := s.stringToSign()
	s.equal("string to sign", toSign, lines(token, with.timestamp, s.value("hash of the canonical request", digest(sha256.New, canonical))))
	s.keyPair(values, sha256.New, elliptic.P256().Params().N, publicP256, token, with.secret, with.id, 0)
	s.signedP256(values, toSign)
	s.accepts(apig.NewECDSA(apig.Config{Keys: with.flat()}), with.timestamp, values["Signature"],
		message(line, canonical, authorization(token+" Access="+with.id, canonical, values["Signature"]), body))

	token = "SDK-SM2-SM3"
	canonical, values = d.section("SM3").examples[0], assignments(s.example())
	toSign = lines(token, with.timestamp, digest(sm3.New, canonical))
	s.keyPair(values, sm3.New, sm2.P256().Params().N, publicSM2, token, with.secret, with.id, 0)
	public, err := sm2.NewPublicKey(unhex("04" + values["x"] + values["y"]))
	if err != nil {
		panic(err)
	}
	z := userHash(d.section("ECDSA and SM2").quote("1234567812345678"), values["x"]+values["y"])
	s.equal("Z", values["Z"], s.value("Z", z))
	e := s.value("SM3(Z || StringToSign)", digest(sm3.New, string(unhex(z))+toSign))
	s.equal("SM3(Z || StringToSign)", values["SM3(Z || StringToSign)"], e)
	if !sm2.VerifyASN1(public, unhex(e), unhex(s.value("signature", values["Signature"]))) {
		s.faultf("the SM2 signature does not verify")
	}
	s.accepts(sm.NewSM2(apig.Config{Keys: with.flat()}), with.timestamp, values["Signature"],
		message(line, canonical, authorization(token+" Access="+with.id, canonical, values["Signature"]), body))
}

// userHash is Z of GB/T 32918.2, section 5.5: the hash of the length of the user id in bits, the
// user id, a and b of the curve, the base point and the public key.
func userHash(user, public string) string {
	curve := sm2.P256().Params()
	a := new(big.Int).Sub(curve.P, big.NewInt(3))
	text := []byte{byte(len(user) * 8 >> 8), byte(len(user) * 8)}
	text = append(text, user...)
	for _, n := range []*big.Int{a, curve.B, curve.Gx, curve.Gy} {
		text = append(text, n.FillBytes(make([]byte, 32))...)
	}
	return digest(sm3.New, string(append(text, unhex(public)...)))
}

// keyPair derives counter, d, x and y, and compares them with those of the document. publicKey
// returns the uncompressed public key of d.
func (s *section) keyPair(values map[string]string, newHash func() hash.Hash, n *big.Int, publicKey func(d []byte) []byte, label, key, id string, counter byte) {
	most := new(big.Int).Sub(n, big.NewInt(2))
	for ; ; counter++ {
		input := "\x00\x00\x00\x01" + label + "\x00" + id + string([]byte{counter}) + "\x00\x00\x01\x00"
		candidate := new(big.Int).SetBytes(unhex(mac(newHash, key, input)))
		if candidate.Cmp(most) > 0 {
			continue
		}
		d := candidate.Add(candidate, big.NewInt(1)).FillBytes(make([]byte, 32))
		public := hex.EncodeToString(publicKey(d))
		s.equal("counter", values["counter"], fmt.Sprint(counter))
		s.equal("d", values["d"], s.value("d", hex.EncodeToString(d)))
		s.equal("x", values["x"], s.value("x", public[2:66]))
		s.equal("y", values["y"], s.value("y", public[66:]))
		return
	}
}

func publicP256(d []byte) []byte {
	private, err := ecdh.P256().NewPrivateKey(d)
	if err != nil {
		panic(err)
	}
	return private.PublicKey().Bytes()
}

func publicSM2(d []byte) []byte {
	private, err := smecdh.P256().NewPrivateKey(d)
	if err != nil {
		panic(err)
	}
	return private.PublicKey().Bytes()
}

// signedP256: the signature of the document verifies under the public key of the document.
func (s *section) signedP256(values map[string]string, toSign string) {
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), unhex("04"+values["x"]+values["y"]))
	if err != nil {
		panic(err)
	}
	if !ecdsa.VerifyASN1(public, unhex(digest(sha256.New, toSign)), unhex(s.value("signature", values["Signature"]))) {
		s.faultf("the ECDSA signature does not verify")
	}
}
