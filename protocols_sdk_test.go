package gatewayauth_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
)

func workedSDKPaths(d *document, s *section) {
	with := d.shared(s)
	for _, e := range arrows(s) {
		canonical := lines("GET", e.to, "", "host:"+with.host, "x-sdk-date:"+with.timestamp, "", "host;x-sdk-date", digest(sha256.New, ""))
		s.acceptsFlat(with, "GET "+e.from, canonical, "")
	}
}

func workedSDKQueries(d *document, s *section) {
	with := d.shared(s)
	for _, e := range arrows(s) {
		canonical := lines("GET", "/v1/items/", e.to, "host:"+with.host, "x-sdk-date:"+with.timestamp, "", "host;x-sdk-date", digest(sha256.New, ""))
		s.acceptsFlat(with, "GET /v1/items"+e.from, canonical, "")
	}
}

// acceptsFlat signs canonical with a flat key and has the verifier accept the request.
// It returns the digest of canonical and the signature.
func (s *section) acceptsFlat(with shared, line, canonical, body string) (hashed, signature string) {
	hashed = digest(sha256.New, canonical)
	signature = mac(sha256.New, with.secret, lines(apig.Algorithm, with.timestamp, hashed))
	s.accepts(apig.New(apig.Config{Keys: with.flat()}), with.timestamp, signature,
		message(line, canonical, authorization(apig.Algorithm+" Access="+with.id, canonical, signature), body))
	return hashed, signature
}

func workedFlatKey(d *document, s *section) {
	with := d.shared(s)
	flat := apig.New(apig.Config{Keys: with.flat()})

	request, canonical, toSign := s.example(), s.example(), s.example()
	hashed := s.value("hash of the canonical request", digest(sha256.New, canonical))
	s.equal("string to sign", toSign, lines(apig.Algorithm, with.timestamp, hashed))
	signature := s.value("signature", mac(sha256.New, with.secret, toSign))
	s.contains(request, "Signature="+signature)
	s.accepts(flat, with.timestamp, signature, wire(request, ""))

	line, body, canonical := s.quote("POST /v1/items?a=1&b="), s.quote(`{"amount":100}`), s.example()
	s.payload(canonical, digest(sha256.New, body))
	hashed, signature = s.acceptsFlat(with, line, canonical, body)
	s.value("hash of the canonical request with a body", hashed)
	s.value("signature with a body", signature)

	request, canonical = s.example(), s.example()
	hashed = s.value("hash of the canonical request, query form", digest(sha256.New, canonical))
	signature = s.value("signature, query form", mac(sha256.New, with.secret, lines(apig.Algorithm, with.timestamp, hashed)))
	s.contains(request, "&X-Sdk-Signature="+signature)
	s.accepts(flat, with.timestamp, signature, wire(strings.Replace(request, "\n", " HTTP/1.1\n", 1), ""))

	published := shared{"id", s.quote("MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"), "20191115T033655Z", ""}
	request = s.example()
	s.contains(request, " HTTP/1.1\n")
	target, headers := split(request)
	canonical = lines("GET", s.quote("/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs")+"/", target[strings.Index(target, "?")+1:],
		headers, "", s.quote("content-type;host;x-sdk-date"), digest(sha256.New, ""))
	hashed, signature = s.acceptsFlat(published, "GET "+target, canonical, "")
	s.value("hash of published value 1", hashed)
	s.value("signature of published value 1", signature)

	published = ofSDKTests(s)
	hashed, signature = s.acceptsFlat(published, s.quote("GET /path?limit=1"), canonicalOfSDKTests(s), "")
	s.value("hash of published value 2", hashed)
	s.value("signature of published value 2", signature)
}

// ofSDKTests are the key and the date of published value 2.
func ofSDKTests(flat *section) shared {
	return shared{flat.quote("AccessKey"), flat.quote("SecretKey"), flat.quote("20060102T150405Z"), ""}
}

func canonicalOfSDKTests(flat *section) string {
	return lines("GET", "/path/", "limit=1", "x-sdk-date:"+ofSDKTests(flat).timestamp, "", flat.quote("x-sdk-date"), digest(sha256.New, ""))
}

func workedScopedKey(d *document, s *section) {
	with, flat := d.shared(s), d.section("Flat key")
	scoped := apig.NewScoped(apig.Config{Keys: with.scoped()})
	scope := strings.Join([]string{with.day(), s.quote("cn-north-4"), s.quote("apig"), "sdk_request"}, "/")
	k1, k4 := chain("SDK"+with.secret, scope)

	canonical := flat.examples[1]
	toSign, values := s.stringToSign()
	s.equal("string to sign", toSign, lines(apig.Algorithm, with.timestamp, scope, digest(sha256.New, canonical)))
	s.equal("k1", values["k1"], s.value("k1", hex.EncodeToString([]byte(k1))))
	s.equal("k4", values["k4"], s.value("k4", hex.EncodeToString([]byte(k4))))
	signature := s.value("signature", mac(sha256.New, k4, toSign))
	s.equal("signature", values["Signature"], signature)
	s.accepts(scoped, with.timestamp, signature,
		message("GET /v1/items", canonical, authorization(apig.Algorithm+" Credential="+with.id+"/"+scope, canonical, signature), ""))

	credential := s.quote(with.id + "%2F" + strings.ReplaceAll(scope, "/", "%2F"))
	canonical = strings.Replace(flat.examples[5], "Credential="+with.id, "Credential="+credential, 1)
	hashed := s.value("hash of the canonical request, query form", digest(sha256.New, canonical))
	signature = s.value("signature, query form", mac(sha256.New, k4, lines(apig.Algorithm, with.timestamp, scope, hashed)))
	s.accepts(scoped, with.timestamp, signature, presigned("/v1/items", canonical, "X-Sdk-Signature", signature))
}

func workedV11(d *document, s *section) {
	with, flat := d.shared(s), d.section("Flat key")
	const token = "V11-HMAC-SHA256"
	scope := with.day() + "/" + s.quote("cn-north-4") + "/" + s.quote("apig")
	canonical := flat.examples[1]
	toSign, values := s.stringToSign()
	s.equal("string to sign", toSign, lines(token, with.timestamp, scope, digest(sha256.New, canonical)))
	derived := s.value("key", deriveV11(with.id, with.secret, scope))
	s.equal("key", values["key"], derived)
	signature := s.value("signature", mac(sha256.New, derived, toSign))
	s.equal("signature", values["Signature"], signature)
	s.accepts(apig.NewV11(apig.Config{Keys: with.scoped()}), with.timestamp, signature,
		message("GET /v1/items", canonical, authorization(token+" Credential="+with.id+"/"+scope, canonical, signature), ""))

	with = ofSDKTests(flat)
	region, service := s.quote("test-region-1"), s.quote("demo")
	scope = with.day() + "/" + region + "/" + service
	canonical = canonicalOfSDKTests(flat)
	toSign = lines(token, with.timestamp, scope, digest(sha256.New, canonical))
	signature = s.value("published signature", mac(sha256.New, deriveV11(with.id, with.secret, scope), toSign))
	s.accepts(apig.NewV11(apig.Config{Keys: core.Keys(key(with.id, with.secret, region, service))}), with.timestamp, signature,
		message("GET /path?limit=1", canonical, authorization(token+" Credential="+with.id+"/"+scope, canonical, signature), ""))
}

func deriveV11(id, secret, scope string) string {
	derived, err := hkdf.Key(sha256.New, []byte(secret), []byte(id), scope, 32)
	if err != nil {
		panic(err) // of a length that is too great
	}
	return hex.EncodeToString(derived)
}

func workedSM3(d *document, s *section) {
	with := d.shared(s)
	const token = "SDK-HMAC-SM3"
	s.value("SM3 of the empty string", digest(sm3.New, ""))
	line, body, canonical := s.quote("POST /v1/items"), s.quote(`{"amount":100}`), s.example()
	s.payload(canonical, digest(sm3.New, body))
	toSign := s.example()
	s.equal("string to sign", toSign, lines(token, with.timestamp, s.value("hash of the canonical request", digest(sm3.New, canonical))))
	signature := s.value("signature", mac(sm3.New, with.secret, toSign))
	s.accepts(sm.New(apig.Config{Keys: with.flat()}), with.timestamp, signature,
		message(line, canonical, authorization(token+" Access="+with.id, canonical, signature), body))
}

func workedAES(d *document, s *section) {
	with, canonical, vector := d.shared(s), d.section("Flat key").examples[1], s.quote("vector-987654321")
	hashed := s.value("hash of the canonical request", digest(sha256.New, canonical))
	for i, token := range s.cells("token") {
		secret := s.cells("key")[i]
		toSign := lines(token, with.timestamp, hashed)
		plain := s.value("H(StringToSign)", digest(sha256.New, toSign))
		s.equal("H(StringToSign)", s.cells("`H(StringToSign)`")[i], plain)
		block, err := aes.NewCipher([]byte(secret))
		if err != nil {
			panic(err)
		}
		encrypted := cfb(block, []byte(vector), unhex(plain))
		signature := s.value("signature", hex.EncodeToString(encrypted))
		s.equal("signature", s.cells("signature")[i], signature)
		s.accepts(aescfb.New(aescfb.Config{Keys: []aescfb.Key{{Name: "k", Key: core.NewSecret(secret), Vector: core.NewSecret(vector)}}}),
			with.timestamp, signature, message("GET /v1/items", canonical, authorization(token+" Access=k", canonical, signature), ""))
	}
}

// cfb encrypts whole blocks with full-block feedback (NIST SP 800-38A, section 6.3).
func cfb(block cipher.Block, vector, plain []byte) []byte {
	encrypted, feedback := make([]byte, len(plain)), vector
	for at := 0; at < len(plain); at += len(vector) {
		stream := make([]byte, len(vector))
		block.Encrypt(stream, feedback)
		feedback = encrypted[at : at+len(vector)]
		subtle.XORBytes(feedback, plain[at:], stream)
	}
	return encrypted
}
