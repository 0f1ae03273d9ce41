package huawei_test

import (
	"slices"

	vendor "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer/algorithm"
	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
)

const (
	keyID  = "AKTESTAKTEST0001"
	secret = "sktest-0123456789abcdef0123456789abcdef"
	host   = "api.example.com"

	region, service = "cn-north-4", "apig"
)

const (
	contentSHA256 = "X-Sdk-Content-Sha256"
	contentSM3    = "X-Sdk-Content-Sm3"
	// From "printf A | openssl dgst", with -sha256 and -sm3.
	sha256OfA = "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd"
	sm3OfA    = "20882e95c4dd0cf1b2bc3e84e95e7c1465d71d466173c2d87d18eff74a4477c3"
)

// signing is an algorithm of the SDK, and the scheme that verifies it.
type signing struct {
	name      string // the token in front of the credential
	sign      signFunc
	newScheme func(apig.Config) core.Scheme
	// digest is the header that declares the body's digest, and digestOfA its value for
	// the body "A".
	digest, digestOfA string
	// scoped is true if the credential has the key's region and service, and npm if the
	// Node SDK also has the algorithm.
	scoped, npm bool
}

type signFunc func(r *sdk.DefaultHttpRequest, ak, sk string) (map[string]string, error)

// algorithms has a row for each algorithm of the SDK.
//
// apig.NewScoped has no row. Neither this SDK nor the one on npm writes credentials with
// Credential=.../sdk_request; older SDKs do (golangsdk, gophertelekomcloud), which the
// tests do not depend on. TestCrossScheme shows that it refuses requests of the other
// schemes. The tests of core/apig show that it accepts its own.
var algorithms = []signing{
	{name: "SDK-HMAC-SHA256", sign: signer(algorithm.HmacSHA256), newScheme: apig.New, digest: contentSHA256, digestOfA: sha256OfA, npm: true},
	{name: "SDK-HMAC-SM3", sign: signer(algorithm.HmacSM3), newScheme: sm.New, digest: contentSM3, digestOfA: sm3OfA},
	{name: "SDK-ECDSA-P256-SHA256", sign: signer(algorithm.EcdsaP256SHA256), newScheme: apig.NewECDSA, digest: contentSHA256, digestOfA: sha256OfA},
	{name: "SDK-SM2-SM3", sign: signer(algorithm.SM2SM3), newScheme: sm.NewSM2, digest: contentSM3, digestOfA: sm3OfA},
	{name: "V11-HMAC-SHA256", sign: derived(region, service), newScheme: apig.NewV11, digest: contentSHA256, digestOfA: sha256OfA, scoped: true, npm: true},
}

func signer(a algorithm.SigningAlgorithm) signFunc {
	return func(r *sdk.DefaultHttpRequest, ak, sk string) (map[string]string, error) {
		s, err := vendor.GetSigner(a)
		if err != nil {
			return nil, err
		}
		return s.Sign(r, ak, sk)
	}
}

// derived signs with the SDK's derived key, which the SDK does not have among its
// algorithms.
func derived(region, service string) signFunc {
	return func(r *sdk.DefaultHttpRequest, ak, sk string) (map[string]string, error) {
		return vendor.GetDerivedSigner().Sign(r, ak, sk, service, region)
	}
}

// orders is the key to which the API is bound.
var orders = core.Key{Name: "orders", ID: keyID, Secret: core.NewSecret(secret)}

// scheme returns the algorithm's scheme with the keys.
func (a *signing) scheme(keys ...core.Key) core.Scheme {
	keys = slices.Clone(keys)
	for i := range keys {
		if a.scoped {
			keys[i].Region, keys[i].Service = region, service
		}
	}
	return a.newScheme(apig.Config{Keys: core.Keys(keys...)})
}
