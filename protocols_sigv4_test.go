package gatewayauth_test

import (
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

func workedSigV4Paths(d *document, s *section) {
	with := d.shared(s)
	for _, paths := range []sigv4.Paths{sigv4.Normalized, sigv4.S3} {
		for _, e := range arrows(s) {
			canonical := lines("GET", e.to, "", "host:"+with.host, "x-amz-date:"+with.timestamp, "", "host;x-amz-date", digest(sha256.New, ""))
			s.acceptsSigV4(with, paths, "GET "+e.from, canonical)
		}
	}
}

func workedSigV4Queries(d *document, s *section) {
	with := d.shared(s)
	for _, e := range arrows(s) {
		canonical := lines("GET", "/v1/items", e.to, "host:"+with.host, "x-amz-date:"+with.timestamp, "", "host;x-amz-date", digest(sha256.New, ""))
		s.acceptsSigV4(with, sigv4.Normalized, "GET /v1/items"+e.from, canonical)
	}
}

func (s *section) acceptsSigV4(with shared, paths sigv4.Paths, line, canonical string) {
	scope := with.day() + "/us-east-1/execute-api/aws4_request"
	_, signing := chain("AWS4"+with.secret, scope)
	signature := mac(sha256.New, signing, lines("AWS4-HMAC-SHA256", with.timestamp, scope, digest(sha256.New, canonical)))
	s.accepts(sigv4.New(sigv4.Config{Keys: core.Keys(key(with.id, with.secret, "us-east-1", "execute-api")), Paths: paths}), with.timestamp, signature,
		message(line, canonical, authorization("AWS4-HMAC-SHA256 Credential="+with.id+"/"+scope, canonical, signature), ""))
}

func workedSigV4(d *document, s *section) {
	with := d.shared(s)
	const token = "AWS4-HMAC-SHA256"
	region, service := s.quote("us-east-1"), s.quote("execute-api")
	scope := strings.Join([]string{with.day(), region, service, "aws4_request"}, "/")
	request, canonical := s.example(), s.example()
	toSign, values := s.stringToSign()
	s.equal("string to sign", toSign, lines(token, with.timestamp, scope, s.value("hash of the canonical request", digest(sha256.New, canonical))))
	date, signing := chain("AWS4"+with.secret, scope)
	s.equal("kDate", values["kDate"], s.value("kDate", hex.EncodeToString([]byte(date))))
	s.equal("kSigning", values["kSigning"], s.value("kSigning", hex.EncodeToString([]byte(signing))))
	signature := s.value("signature", mac(sha256.New, signing, toSign))
	s.contains(request, "Credential="+with.id+"/"+scope+", ")
	s.contains(request, "Signature="+signature)
	s.accepts(sigv4.New(sigv4.Config{Keys: core.Keys(key(with.id, with.secret, region, service))}), with.timestamp, signature, wire(request, ""))

	id, secret, service := s.quote("AKIAIOSFODNN7EXAMPLE"), s.quote("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), s.quote("s3")
	canonical = s.example()
	timestamp := regexp.MustCompile(`X-Amz-Date=(\w+)`).FindStringSubmatch(canonical)[1]
	scope = strings.Join([]string{timestamp[:8], region, service, "aws4_request"}, "/")
	hashed := s.value("published hash", digest(sha256.New, canonical))
	_, signing = chain("AWS4"+secret, scope)
	signature = s.value("published signature", mac(sha256.New, signing, lines(token, timestamp, scope, hashed)))
	s.contains(canonical, "host:"+s.quote("examplebucket.s3.amazonaws.com")+"\n")
	s.quote("GET /test.txt")
	s.accepts(sigv4.New(sigv4.Config{Keys: core.Keys(key(id, secret, region, service)), Paths: sigv4.S3}), timestamp, signature,
		presigned("/test.txt", canonical, "X-Amz-Signature", signature))
}

func workedSigV4a(_ *document, s *section) {
	const token = "AWS4-ECDSA-P256-SHA256"
	id, secret, service := s.quote("AKIDEXAMPLE"), s.quote("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), s.quote("service")
	line, canonical := s.quote("GET /"), s.example()
	timestamp := regexp.MustCompile(`x-amz-date:(\w+)`).FindStringSubmatch(canonical)[1]
	scope := timestamp[:8] + "/" + service + "/aws4_request"
	toSign, values := s.stringToSign()
	s.equal("string to sign", toSign, lines(token, timestamp, scope, s.value("hash of the canonical request", digest(sha256.New, canonical))))
	s.keyPair(values, sha256.New, elliptic.P256().Params().N, publicP256, token, "AWS4A"+secret, id, 1)
	s.signedP256(values, toSign)
	s.accepts(sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(key(id, secret, "us-east-1", service))}), timestamp, values["Signature"],
		message(line, canonical, authorization(token+" Credential="+id+"/"+scope, canonical, values["Signature"]), ""))
}
