package differential_test

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"math/big"
	"strings"
	"sync"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
)

// A key is a key of the verifier and what is needed to sign with it.
type key struct {
	name, typ, id, secret    string
	previous                 string // a secret that is still accepted
	region, service, session string
	paths                    string // sigv4, sigv4a: normalized or s3
	wildcards                bool   // sigv4a
	algorithm                string // aes: aes-128-cfb or aes-256-cfb
	aesKey                   string // aes: the key; secret is the vector
}

// The keys, of every type of the environments file that signs, and basic. Names and
// ids differ, so that one verifier has them all.
var keys = []*key{
	{name: "k_hmac", typ: "hmac", id: "AKHMAC0000000001", secret: "sktest-hmac-0123456789abcdef"},
	{name: "k_hmac_2", typ: "hmac", id: "AKHMAC-two_2", secret: "sktest-hmac-2-23456789abcdef", previous: "sktest-hmac-2-before-9876543210", session: "session-token+/="},
	{name: "k_aksk", typ: "aksk", id: "AKAKSK0000000001", secret: "sktest-aksk-0123456789abcdef", region: "cn-north-4", service: "apig"},
	{name: "k_v11", typ: "v11", id: "AKV11000000000001", secret: "sktest-v11-0123456789abcdef", region: "cn-north-4", service: "apig", previous: "sktest-v11-before-9876543210"},
	{name: "k_sm3", typ: "hmac-sm3", id: "AKSM300000000001", secret: "sktest-sm3-0123456789abcdef"},
	{name: "k_ecdsa", typ: "ecdsa-p256", id: "AKECDSA000000001", secret: "sktest-ecdsa-0123456789abcdef"},
	{name: "k_sm2", typ: "sm2", id: "AKSM200000000001", secret: "sktest-sm2-0123456789abcdef"},
	{name: "k_aes_128", typ: "aes", id: "k_aes_128", secret: "vector-987654321", algorithm: "aes-128-cfb", aesKey: "aesKey-123456789"},
	{name: "k_aes_256", typ: "aes", id: "k_aes_256", secret: "vector-123456789", algorithm: "aes-256-cfb", aesKey: "aesKey-123456789-0123456789abcde"},
	{name: "k_sigv4", typ: "sigv4", id: "AKIDSIGV40000001", secret: "sktest-sigv4-0123456789abcdef", region: "eu-west-1", service: "execute-api", paths: "normalized"},
	{name: "k_sigv4_2", typ: "sigv4", id: "AKIDSIGV40000002", secret: "sktest-sigv4-2-23456789abcdef", region: "eu-west-1", service: "execute-api", paths: "normalized", session: "session-token+/=", previous: "sktest-sigv4-before-9876543210"},
	{name: "k_s3", typ: "sigv4", id: "AKIDS30000000001", secret: "sktest-s3-0123456789abcdef", region: "us-east-1", service: "s3", paths: "s3"},
	{name: "k_sigv4a", typ: "sigv4a", id: "AKIDSIGV4A000001", secret: "sktest-sigv4a-0123456789abcdef", region: "eu-west-1", service: "execute-api", paths: "normalized"},
	{name: "k_s3a", typ: "sigv4a", id: "AKIDS3A000000001", secret: "sktest-s3a-0123456789abcdef", region: "eu-west-1", service: "s3-object", paths: "s3", wildcards: true},
	{name: "k_basic", typ: "basic", id: "basicuser", secret: "basic-pass-123", previous: "basic-before-123"},
}

// token returns what stands in front of the key's credentials.
func (k *key) token() string {
	if k.typ == "aes" {
		return strings.ToUpper("sdk-" + k.algorithm)
	}
	return map[string]string{
		"hmac": "SDK-HMAC-SHA256", "aksk": "SDK-HMAC-SHA256", "v11": "V11-HMAC-SHA256", "hmac-sm3": "SDK-HMAC-SM3",
		"ecdsa-p256": "SDK-ECDSA-P256-SHA256", "sm2": "SDK-SM2-SM3", "sigv4": "AWS4-HMAC-SHA256",
		"sigv4a": "AWS4-ECDSA-P256-SHA256", "basic": "Basic",
	}[k.typ]
}

func (k *key) aws() bool { return k.typ == "sigv4" || k.typ == "sigv4a" }

// prefix is that of the headers and parameters of the key's protocol.
func (k *key) prefix() string {
	if k.aws() {
		return "X-Amz-"
	}
	return "X-Sdk-"
}

// presigns reports whether the credential may stand in the query.
func (k *key) presigns() bool { return k.aws() || k.typ == "hmac" || k.typ == "aksk" }

func (k *key) newHash() hash.Hash {
	if k.typ == "hmac-sm3" || k.typ == "sm2" {
		return sm3.New()
	}
	return sha256.New()
}

func (k *key) digestHeader() string {
	if k.typ == "hmac-sm3" || k.typ == "sm2" {
		return "X-Sdk-Content-Sm3"
	}
	return k.prefix() + "Content-Sha256"
}

// scope returns the scope of a credential of a day, "" for flat keys.
func (k *key) scope(day string) string {
	switch k.typ {
	case "aksk":
		return day + "/" + k.region + "/" + k.service + "/sdk_request"
	case "v11":
		return day + "/" + k.region + "/" + k.service
	case "sigv4":
		return day + "/" + k.region + "/" + k.service + "/aws4_request"
	case "sigv4a":
		return day + "/" + k.service + "/aws4_request"
	}
	return ""
}

func (k *key) sum(text string) string {
	h := k.newHash()
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

func mac(newHash func() hash.Hash, key []byte, text string) []byte {
	h := hmac.New(newHash, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// sign signs a string to sign with one of the key's secrets.
func (k *key) sign(secret, scope, text string) string {
	var signature []byte
	switch k.typ {
	case "hmac", "hmac-sm3":
		signature = mac(k.newHash, []byte(secret), text)
	case "aksk", "sigv4":
		derived := []byte(map[string]string{"aksk": "SDK", "sigv4": "AWS4"}[k.typ] + secret)
		for part := range strings.SplitSeq(scope, "/") {
			derived = mac(sha256.New, derived, part)
		}
		signature = mac(sha256.New, derived, text)
	case "v11":
		derived, err := hkdf.Key(sha256.New, []byte(secret), []byte(k.id), scope, 32)
		if err != nil {
			panic(err)
		}
		signature = mac(sha256.New, []byte(hex.EncodeToString(derived)), text)
	case "ecdsa-p256":
		signature = signECDSA(privateKey(elliptic.P256(), k.newHash, secret, k.token(), k.id, 0), text)
	case "sigv4a":
		signature = signECDSA(privateKey(elliptic.P256(), k.newHash, "AWS4A"+secret, k.token(), k.id, 1), text)
	case "sm2":
		signature = signSM2(privateKey(sm2.P256(), k.newHash, secret, k.token(), k.id, 0), text)
	case "aes":
		signature = encryptCFB(k.aesKey, secret, text)
	}
	return hex.EncodeToString(signature)
}

var privateKeys sync.Map

// privateKey derives a key pair (docs/protocols.md, Key pair from a secret).
func privateKey(curve elliptic.Curve, newHash func() hash.Hash, secret, label, id string, first byte) *big.Int {
	name := secret + "/" + label + "/" + id
	if d, ok := privateKeys.Load(name); ok {
		return d.(*big.Int)
	}
	most := new(big.Int).Sub(curve.Params().N, big.NewInt(2))
	for counter := first; ; counter++ {
		input := fmt.Sprintf("\x00\x00\x00\x01%s\x00%s%s\x00\x00\x01\x00", label, id, []byte{counter})
		candidate := new(big.Int).SetBytes(mac(newHash, []byte(secret), input))
		if candidate.Cmp(most) <= 0 {
			d := candidate.Add(candidate, big.NewInt(1))
			privateKeys.Store(name, d)
			return d
		}
	}
}

// signECDSA signs with the nonce of RFC 6979.
func signECDSA(d *big.Int, text string) []byte {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	if err != nil {
		panic(err)
	}
	digest := sha256.Sum256([]byte(text))
	signature, err := private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return signature
}

func signSM2(d *big.Int, text string) []byte {
	private, err := sm2.NewPrivateKeyFromInt(d)
	if err != nil {
		panic(err)
	}
	signature, err := private.SignWithSM2(rand.Reader, nil, []byte(text))
	if err != nil {
		panic(err)
	}
	return signature
}

// encryptCFB is AES profile 1.
func encryptCFB(aesKey, vector, text string) []byte {
	block, err := aes.NewCipher([]byte(aesKey))
	if err != nil {
		panic(err)
	}
	plain := sha256.Sum256([]byte(text))
	out, previous := make([]byte, 0, len(plain)), []byte(vector)
	for start := 0; start < len(plain); start += aes.BlockSize {
		var stream [aes.BlockSize]byte
		block.Encrypt(stream[:], previous)
		for i := range stream {
			stream[i] ^= plain[start+i]
		}
		out = append(out, stream[:]...)
		previous = out[start:]
	}
	return out
}
