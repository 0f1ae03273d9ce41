package apig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"

	"github.com/gatewayauth/gatewayauth/core/apig/internal/sdk"
	"github.com/gatewayauth/gatewayauth/internal/signature"
)

const ecdsaAlgorithm = "SDK-ECDSA-P256-SHA256"

var ecdsaP256 = sdk.Variant{
	Name: "ecdsa-p256", Algorithm: ecdsaAlgorithm, DigestHeader: digestHeader,
	Hash: bodyHash, Sum: sha256.Sum256, MinSignature: signature.MinDER, MaxSignature: signature.MaxDER,
	Key: ecdsaKey,
}

func ecdsaKey(secret, id, _ string) sdk.Key {
	p256 := elliptic.P256()
	scalar, err := sdk.Scalar(sha256.New, ecdsaAlgorithm, id, secret, p256.Params().N)
	if err != nil {
		return sdk.NoKey(err)
	}
	private, err := ecdsa.ParseRawPrivateKey(p256, scalar)
	if err != nil {
		return sdk.NoKey(err)
	}
	return sdk.Curve(
		func(text []byte) ([]byte, error) {
			digest := sha256.Sum256(text)
			return ecdsa.SignASN1(rand.Reader, private, digest[:])
		},
		func(text []byte, presented string) bool {
			return signature.VerifyP256(&private.PublicKey, text, presented)
		})
}
