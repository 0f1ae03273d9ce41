package reference

import (
	"crypto/aes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
)

// schemes is docs/protocols.md, Schemes.
var schemes = []scheme{
	{"SDK-HMAC-SHA256", "hmac", nil, sha256.New, "x-sdk-content-sha256", true},
	{"SDK-HMAC-SHA256", "aksk", []string{"day", "region", "service", "sdk_request"}, sha256.New, "x-sdk-content-sha256", true},
	{"V11-HMAC-SHA256", "v11", []string{"day", "region", "service"}, sha256.New, "x-sdk-content-sha256", false},
	{"SDK-HMAC-SM3", "hmac-sm3", nil, sm3.New, "x-sdk-content-sm3", false},
	{"SDK-ECDSA-P256-SHA256", "ecdsa-p256", nil, sha256.New, "x-sdk-content-sha256", false},
	{"SDK-SM2-SM3", "sm2", nil, sm3.New, "x-sdk-content-sm3", false},
	{"SDK-AES-128-CFB", "aes", nil, sha256.New, "x-sdk-content-sha256", false},
	{"SDK-AES-256-CFB", "aes", nil, sha256.New, "x-sdk-content-sha256", false},
	{"AWS4-HMAC-SHA256", "sigv4", []string{"day", "region", "service", "aws4_request"}, sha256.New, "x-amz-content-sha256", true},
	{"AWS4-ECDSA-P256-SHA256", "sigv4a", []string{"day", "service", "aws4_request"}, sha256.New, "x-amz-content-sha256", true},
}

// stringToSign is docs/protocols.md, SDK string to sign and SigV4 signature.
func (c *credential) stringToSign(canonicalRequest string) string {
	lines := []string{c.token, c.date.Format(timestampForm)}
	if c.scopeParts != nil {
		lines = append(lines, c.scope)
	}
	return strings.Join(append(lines, c.sum([]byte(canonicalRequest))), "\n")
}

func (s scheme) asymmetric() bool {
	return slices.Contains([]string{"ecdsa-p256", "sm2", "sigv4a"}, s.keyType)
}

// signedBy tells whether the signature is that of a secret over the string to sign.
func (c *credential) signedBy(secret, text string) bool {
	digest := sha256.Sum256([]byte(text))
	var signature []byte
	switch c.keyType {
	case "hmac", "hmac-sm3": // Flat key, SM3
		signature = c.mac([]byte(secret), text)
	case "aksk": // Scoped key
		signature = c.mac(c.chain("SDK"+secret), text)
	case "sigv4": // SigV4 signature
		signature = c.mac(c.chain("AWS4"+secret), text)
	case "v11": // V11
		key, _ := hkdf.Key(sha256.New, []byte(secret), []byte(c.id), c.scope, 32)
		signature = c.mac([]byte(hex.EncodeToString(key)), text)
	case "aes":
		key, vector := secret[:len(secret)-16], secret[len(secret)-16:]
		if (len(key) == 32) != (c.token == "SDK-AES-256-CFB") {
			return false
		}
		signature = encryptCFB(key, vector, digest[:])
	case "ecdsa-p256", "sigv4a": // ECDSA and SM2, SigV4a
		input, first, last := secret, 0, 255
		if c.keyType == "sigv4a" {
			input, first, last = "AWS4A"+secret, 1, 254
		}
		d := c.derive(input, first, last, elliptic.P256().Params().N)
		pair, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		return err == nil && ecdsa.VerifyASN1(&pair.PublicKey, digest[:], c.signature)
	case "sm2": // ECDSA and SM2
		pair, err := sm2.NewPrivateKey(c.derive(secret, 0, 255, sm2.P256().Params().N))
		return err == nil && sm2.VerifyASN1WithSM2(&pair.PublicKey, []byte("1234567812345678"), []byte(text), c.signature)
	}
	return hmac.Equal(signature, c.signature)
}

func (c *credential) mac(key []byte, text string) []byte {
	m := hmac.New(c.hash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func (c *credential) sum(text []byte) string {
	h := c.hash()
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil))
}

// chain is the chain of keys of Scoped key and SigV4 signature.
func (c *credential) chain(start string) []byte {
	key := []byte(start)
	for _, part := range c.parts {
		key = c.mac(key, part)
	}
	return key
}

// derive is docs/protocols.md, Key pair from a secret.
func (c *credential) derive(key string, first, last int, n *big.Int) []byte {
	limit := new(big.Int).Sub(n, big.NewInt(2))
	for counter := first; counter <= last; counter++ {
		input := "\x00\x00\x00\x01" + c.token + "\x00" + c.id + string([]byte{byte(counter)}) + "\x00\x00\x01\x00"
		candidate := new(big.Int).SetBytes(c.mac([]byte(key), input))
		if candidate.Cmp(limit) <= 0 {
			return new(big.Int).Add(candidate, big.NewInt(1)).FillBytes(make([]byte, 32))
		}
	}
	return nil
}

// encryptCFB is docs/protocols.md, AES profile 1: full-block feedback over two blocks.
func encryptCFB(key, vector string, text []byte) (encrypted []byte) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil
	}
	feedback := []byte(vector)
	for ; len(text) > 0; text = text[16:] {
		stream := make([]byte, 16)
		block.Encrypt(stream, feedback)
		for i := range stream {
			stream[i] ^= text[i]
		}
		feedback, encrypted = stream, append(encrypted, stream...)
	}
	return encrypted
}

// docs/protocols.md, SigV4a.

func (j *judgement) checkRegionSet(c *credential, key Key) {
	if c.keyType != "sigv4a" {
		return
	}
	sets := append(j.signedValues(c, "x-amz-region-set", "X-Amz-Region-Set"), "")
	region, exact, pattern := key.Options["region"], false, false
	for entry := range strings.SplitSeq(sets[0], ",") {
		entry = strings.Trim(entry, " ")
		form := strings.ReplaceAll(regexp.QuoteMeta(strings.ToValidUTF8(entry, "\x00")), `\*`, ".*")
		exact = exact || entry == region
		pattern = pattern || regexp.MustCompile("^(?s:"+form+")$").MatchString(region)
	}
	if !pattern {
		j.invalid("the region set does not have the region of the key, or is not signed")
	}
	j.refuse(PolicyWildcard, !exact && pattern && key.Options["allow_region_wildcards"] != "true")
}

// docs/protocols.md, Basic.

func (j *judgement) judgeBasic(credential string) {
	text, err := base64.StdEncoding.Strict().DecodeString(credential)
	id, password, _ := strings.Cut(string(text), ":")
	if err != nil || id == "" || strings.ContainsAny(credential, "\r\n") {
		j.invalid("the credential is malformed")
	}
	j.judgeSecret("Basic", id, "basic", password)
}

// docs/protocols.md, X-Auth-Token.

func (j *judgement) judgeToken(token string) {
	j.refuse(PolicyRepeated, len(j.values("x-auth-token")) > 1)
	j.refuse(PolicyUnderscore, j.hasLookalike("x-auth-token"))
	if len(token) > 8192 || strings.Trim(token, unreserved+"+/=") != "" {
		j.invalid("the token is malformed")
	}
	j.judgeSecret("X-Auth-Token", j.Bound, "token", token)
}

// judgeSecret is for the schemes that sign no request: the credential is the secret.
func (j *judgement) judgeSecret(scheme, id, keyType, secret string) {
	j.refuse(PolicyOverride, slices.ContainsFunc(j.headers, func(h header) bool { return slices.Contains(overrides, dashes(h.name)) }))
	key, _ := j.key(id, keyType)
	j.verdict.Scheme, j.verdict.KeyID = scheme, key.ID
	if secret == "" || !slices.Contains(key.Secrets, secret) {
		j.invalid("the secret is not that of the key")
	}
}
