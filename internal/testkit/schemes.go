package testkit

import (
	"net/http"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A Pair is a scheme and a signer for it.
type Pair struct {
	Name   string
	Key    core.Key // for aes, only the name is set
	Scheme core.Scheme
	Signer signer.Signer
	// Unsigned reports whether the signer leaves the payload unsigned.
	Unsigned bool
}

// Pairs returns the pairs of [PairsOf] for one key with the name of [Orders]. One
// verifier cannot have the schemes of two pairs.
func Pairs(headers ...string) []Pair {
	return PairsOf(func(string) core.Key { return Orders }, headers...)
}

// PairsOf returns every scheme that needs no identity service, once for each way to sign:
// with a hashed, declared or unsigned payload, and with the credential in the header or
// in the query. The given headers are also signed. PairsOf calls key with the names hmac,
// aksk, v11, ecdsa, sm3, sm2, sigv4, s3, sigv4a, aes and basic. If it returns keys with
// different names and ids, one verifier can have all [Schemes].
func PairsOf(key func(name string) core.Key, headers ...string) []Pair {
	scoped := func(name string) core.Key {
		k := key(name)
		k.Region, k.Service = "r1", "s1"
		return k
	}
	hmac, aksk, v11, ecdsa, sm3, sm2 := key("hmac"), scoped("aksk"), scoped("v11"), key("ecdsa"), key("sm3"), key("sm2")
	v4, s3, v4a, user := scoped("sigv4"), scoped("s3"), scoped("sigv4a"), key("basic")
	aes := aescfb.Key{Name: key("aes").Name, Algorithm: "aes-128-cfb", Key: core.NewSecret("aesKey-123456789"), Vector: core.NewSecret("vector-987654321")}

	sdk := apig.SignOptions{Headers: headers}
	declared := apig.SignOptions{Headers: headers, Payload: core.PayloadDeclared}
	unsigned := apig.SignOptions{Headers: headers, Payload: core.PayloadUnsigned}
	query := apig.SignOptions{Headers: headers, Expires: time.Minute}
	aws := sigv4.SignOptions{Headers: headers}
	awsDeclared := sigv4.SignOptions{Headers: headers, Payload: core.PayloadDeclared}
	awsUnsigned := sigv4.SignOptions{Headers: headers, Payload: core.PayloadUnsigned}
	object := sigv4.SignOptions{Headers: headers, Paths: sigv4.S3}
	objectDeclared := sigv4.SignOptions{Headers: headers, Paths: sigv4.S3, Payload: core.PayloadDeclared}

	keys := func(k core.Key) apig.Config { return apig.Config{Keys: core.Keys(k)} }
	flat, regional := apig.New(keys(hmac)), apig.NewScoped(keys(aksk))
	normalized := sigv4.New(sigv4.Config{Keys: core.Keys(v4)})
	objects := sigv4.New(sigv4.Config{Keys: core.Keys(s3), Paths: sigv4.S3})
	if s3.ID != v4.ID { // a verifier has only one scheme for each algorithm
		normalized = sigv4.New(sigv4.Config{Keys: core.Keys(v4, s3), PathsByID: map[string]sigv4.Paths{s3.ID: sigv4.S3}})
		objects = normalized
	}
	return []Pair{
		{"hmac", hmac, flat, apig.NewSigner(hmac, sdk), false},
		{"hmac declared", hmac, flat, apig.NewSigner(hmac, declared), false},
		{"hmac unsigned", hmac, flat, apig.NewSigner(hmac, unsigned), true},
		{"hmac query", hmac, flat, apig.NewSigner(hmac, query), false},
		{"aksk", aksk, regional, apig.NewScopedSigner(aksk, sdk), false},
		{"aksk query", aksk, regional, apig.NewScopedSigner(aksk, query), false},
		{"v11", v11, apig.NewV11(keys(v11)), apig.NewV11Signer(v11, sdk), false},
		{"ecdsa", ecdsa, apig.NewECDSA(keys(ecdsa)), apig.NewECDSASigner(ecdsa, sdk), false},
		{"sm3", sm3, sm.New(keys(sm3)), sm.NewSigner(sm3, sdk), false},
		{"sm2", sm2, sm.NewSM2(keys(sm2)), sm.NewSM2Signer(sm2, sdk), false},
		{"sigv4", v4, normalized, sigv4.NewSigner(v4, aws), false},
		{"sigv4 declared", v4, normalized, sigv4.NewSigner(v4, awsDeclared), false},
		{"sigv4 unsigned", v4, normalized, sigv4.NewSigner(v4, awsUnsigned), true},
		{"sigv4 query", v4, normalized, Presigner{sigv4.NewSigner(v4, aws)}, false},
		{"sigv4 s3", s3, objects, sigv4.NewSigner(s3, objectDeclared), false},
		{"sigv4 s3 query", s3, objects, Presigner{sigv4.NewSigner(s3, object)}, false},
		{"sigv4a", v4a, sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(v4a)}), sigv4.NewSignerA(v4a, aws), false},
		{"aes", core.Key{Name: aes.Name}, aescfb.New(aescfb.Config{Keys: []aescfb.Key{aes}}), aescfb.NewSigner(aes, aescfb.SignOptions{Headers: headers}), false},
		{"basic", user, basic.New(basic.Config{Keys: core.Keys(user)}), basic.NewSigner(user), false},
	}
}

// Schemes returns the schemes of the pairs, each once.
func Schemes(pairs []Pair) (schemes []core.Scheme) {
	for _, p := range pairs {
		if !slices.Contains(schemes, p.Scheme) {
			schemes = append(schemes, p.Scheme)
		}
	}
	return schemes
}

// A Presigner signs in the query, for a minute.
type Presigner struct{ *sigv4.Signer }

// Sign implements [signer.Signer].
func (p Presigner) Sign(r *http.Request, digest string, at time.Time) error {
	return p.Presign(r, digest, at, time.Minute)
}
