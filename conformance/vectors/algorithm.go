package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// algorithm is a signing algorithm, written from docs/protocols.md. It shares no code
// with the schemes that the vectors test.
type algorithm struct {
	scheme string
	token  func(vectors.Key) string
	// prefix is the prefix of the protocol's headers and parameters.
	prefix, digestHeader, tokenHeader string
	field                             string // the field of the Authorization header with the key
	id                                func(vectors.Key) string
	scope, end                        string // DAY, REGION, SERVICE and END are placeholders
	queryForm                         bool
	tokenInQuery                      bool // with the credential in the query, the session token is a parameter
	regionSet                         bool
	hash                              func(text string) string
	path                              func(path string, key vectors.Key) string
	query                             func(query string, byEncoded bool) string
	headers                           func(d *draft) string
	sign                              func(key vectors.Key, scope, text string) string
}

func (a *algorithm) dateHeader() string { return a.prefix + "Date" }

func always(token string) func(vectors.Key) string {
	return func(vectors.Key) string { return token }
}

func keyID(key vectors.Key) string { return key.Key }

// sdk returns an algorithm with the SDK canonical request of docs/protocols.md and a
// flat key.
func sdk(scheme, token string, sign func(key vectors.Key, scope, text string) string) *algorithm {
	return &algorithm{
		scheme: scheme, token: always(token), prefix: "X-Sdk-",
		digestHeader: "X-Sdk-Content-Sha256", tokenHeader: "X-Security-Token", field: "Access", id: keyID,
		hash: sha256Hex, path: sdkPath, query: sdkQuery, headers: sortedLines(false), sign: sign,
	}
}

var (
	hmacSHA256 = func() *algorithm {
		a := sdk("hmac", "SDK-HMAC-SHA256", func(key vectors.Key, _, text string) string {
			return hexMAC(sha256.New, key.Secret, text)
		})
		a.queryForm = true
		return a
	}()
	aksk = func() *algorithm {
		a := sdk("aksk", "SDK-HMAC-SHA256", func(key vectors.Key, scope, text string) string {
			return hexMAC(sha256.New, chain("SDK"+key.Secret, scope), text)
		})
		a.field, a.scope, a.end, a.queryForm = "Credential", "DAY/REGION/SERVICE/END", "sdk_request", true
		a.headers = sortedLines(true)
		return a
	}()
	v11 = func() *algorithm {
		a := sdk("v11", "V11-HMAC-SHA256", func(key vectors.Key, scope, text string) string {
			derived, err := hkdf.Key(sha256.New, []byte(key.Secret), []byte(key.Key), scope, 32)
			if err != nil {
				panic(err) // impossible: the arguments are constant
			}
			return hexMAC(sha256.New, hex.EncodeToString(derived), text)
		})
		a.field, a.scope = "Credential", "DAY/REGION/SERVICE"
		return a
	}()
	hmacSM3 = func() *algorithm {
		a := sdk("hmac-sm3", "SDK-HMAC-SM3", func(key vectors.Key, _, text string) string {
			return hexMAC(sm3.New, key.Secret, text)
		})
		a.digestHeader, a.hash = "X-Sdk-Content-Sm3", sm3Hex
		return a
	}()
	ecdsaP256 = sdk("ecdsa-p256", "SDK-ECDSA-P256-SHA256", signP256("SDK-ECDSA-P256-SHA256", "", 0))
	sm2SM3    = func() *algorithm {
		a := sdk("sm2", "SDK-SM2-SM3", signSM2)
		a.digestHeader, a.hash = "X-Sdk-Content-Sm3", sm3Hex
		return a
	}()
	aesCFB = func() *algorithm {
		a := sdk("aes", "", signAES)
		a.token = func(key vectors.Key) string {
			if len(key.Key) == 16 {
				return "SDK-AES-128-CFB"
			}
			return "SDK-AES-256-CFB"
		}
		a.tokenHeader = ""
		a.id = func(key vectors.Key) string { return key.Name }
		return a
	}()
	sigV4 = &algorithm{
		scheme: "sigv4", token: always("AWS4-HMAC-SHA256"), prefix: "X-Amz-",
		digestHeader: "X-Amz-Content-Sha256", tokenHeader: "X-Amz-Security-Token",
		field: "Credential", id: keyID, scope: "DAY/REGION/SERVICE/END", end: "aws4_request",
		queryForm: true, tokenInQuery: true,
		hash: sha256Hex, path: awsPath, query: awsQuery, headers: joinedLines,
		sign: func(key vectors.Key, scope, text string) string {
			return hexMAC(sha256.New, chain("AWS4"+key.Secret, scope), text)
		},
	}
	sigV4A = func() *algorithm {
		a := *sigV4
		a.scheme, a.token, a.regionSet = "sigv4a", always("AWS4-ECDSA-P256-SHA256"), true
		a.scope = "DAY/SERVICE/END"
		a.sign = signP256("AWS4-ECDSA-P256-SHA256", "AWS4A", 1)
		return &a
	}()
)

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func sm3Hex(text string) string {
	sum := sm3.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(newHash func() hash.Hash, key, text string) string {
	h := hmac.New(newHash, []byte(key))
	h.Write([]byte(text))
	return string(h.Sum(nil))
}

func hexMAC(newHash func() hash.Hash, key, text string) string {
	return hex.EncodeToString([]byte(mac(newHash, key, text)))
}

// chain derives a key with the parts of a scope.
func chain(key, scope string) string {
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(sha256.New, key, part)
	}
	return key
}

// signAES signs with AES profile 1 (docs/protocols.md): CFB over two blocks.
func signAES(key vectors.Key, _, text string) string {
	block, err := aes.NewCipher([]byte(key.Key))
	if err != nil {
		panic(err) // impossible: the arguments are constant
	}
	digest := sha256.Sum256([]byte(text))
	previous := []byte(key.Secret)
	for at := 0; at < len(digest); at += aes.BlockSize {
		previous = encryptBlock(block, previous, digest[at:at+aes.BlockSize])
	}
	return hex.EncodeToString(digest[:])
}

func encryptBlock(block cipher.Block, previous, text []byte) []byte {
	var stream [aes.BlockSize]byte
	block.Encrypt(stream[:], previous)
	for i := range text {
		text[i] ^= stream[i]
	}
	return text
}
