package main

import (
	"slices"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/core/token"
)

var (
	scoped  = inScope(key("aksk_key"))
	derived = inScope(key("v11_key"))
	ecdsa   = key("ecdsa_key")
	sm3     = key("sm3_key")
	sm2     = key("sm2_key")
	amazon  = inScope(key("sigv4_key"))
	amazonA = inScope(key("sigv4a_key"))
	aes128  = aescfb.Key{Name: "aes128_key", Key: core.NewSecret("aesKey-123456789"), Vector: core.NewSecret("vector-987654321")}
	aes256  = aescfb.Key{Name: "aes256_key", Key: core.NewSecret("aesKey-123456789-0123456789abcde"), Vector: core.NewSecret("vector-987654321")}
)

func key(name string) core.Key {
	return core.Key{Name: name, ID: "id-of-" + name, Secret: core.NewSecret("secret-of-" + name)}
}

func inScope(k core.Key) core.Key {
	k.Region, k.Service = "cn-north-4", "apig"
	return k
}

// schemes returns all schemes of the library.
func schemes(identity string) []core.Scheme {
	return []core.Scheme{
		apig.New(apig.Config{Keys: core.Keys(orders, payments, temporary)}),
		basic.New(basic.Config{Keys: core.Keys(partner)}),
		apig.NewScoped(apig.Config{Keys: core.Keys(scoped)}),
		apig.NewV11(apig.Config{Keys: core.Keys(derived)}),
		apig.NewECDSA(apig.Config{Keys: core.Keys(ecdsa)}),
		sm.New(sm.Config{Keys: core.Keys(sm3)}),
		sm.NewSM2(sm.Config{Keys: core.Keys(sm2)}),
		sigv4.New(sigv4.Config{Keys: core.Keys(amazon)}),
		sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(amazonA)}),
		aescfb.New(aescfb.Config{Keys: []aescfb.Key{aes128, aes256}}),
		token.New(token.Config{Keys: tokenKeys(identity)}),
	}
}

// signing has an API for each scheme that signs requests, except flat HMAC, which the
// other cases use.
var signing = []struct {
	what, scheme, api, key string
	signer                 signer.Signer
}{
	{"AK/SK", "aksk", "/aksk/", scoped.Name, apig.NewScopedSigner(scoped, apig.SignOptions{})},
	{"V11", "v11", "/v11/", derived.Name, apig.NewV11Signer(derived, apig.SignOptions{})},
	{"ECDSA P-256", "ecdsa-p256", "/ecdsa/", ecdsa.Name, apig.NewECDSASigner(ecdsa, apig.SignOptions{})},
	{"HMAC-SM3", "hmac-sm3", "/sm3/", sm3.Name, sm.NewSigner(sm3, apig.SignOptions{})},
	{"SM2", "sm2", "/sm2/", sm2.Name, sm.NewSM2Signer(sm2, apig.SignOptions{})},
	{"SigV4", "sigv4", "/sigv4/", amazon.Name, sigv4.NewSigner(amazon, sigv4.SignOptions{})},
	{"SigV4a", "sigv4a", "/sigv4a/", amazonA.Name, sigv4.NewSignerA(amazonA, sigv4.SignOptions{})},
	{"AES-128-CFB", "aes", "/aes128/", aes128.Name, aescfb.NewSigner(aes128, aescfb.SignOptions{})},
	{"AES-256-CFB", "aes", "/aes256/", aes256.Name, aescfb.NewSigner(aes256, aescfb.SignOptions{})},
}

// The schemes that signing does not have.
const flat, password, tokens = "hmac", "basic", "token"

// schemeNames returns the names of all schemes, which are the key types of the environments
// file.
func schemeNames() []string {
	names := []string{flat}
	for _, s := range signing {
		names = append(names, s.scheme)
	}
	return append(slices.Compact(names), password, tokens)
}
