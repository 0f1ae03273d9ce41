package main

import (
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// awsKeys returns two more keys of the SigV4 files: one with S3's path rule, and the one
// of AWS's signing test suite.
func awsKeys() []vectors.Key {
	keys := signingKeys("us-east-1", "execute-api")
	return append(keys,
		vectors.Key{Name: "objects_key", Key: "AKTESTAKTEST0005", Secret: "sktest-55555555555555555555555555555555",
			Region: "us-east-1", Service: "s3", Paths: "s3"},
		vectors.Key{Name: "suite_key", Key: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1", Service: "service"},
		vectors.Key{Name: "guide_key", Key: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
			Region: "us-east-1", Service: "s3", Paths: "s3"},
	)
}

const (
	objects = iota + 4
	suite
	guide
)

// sigV4Rows returns rows about paths, queries and headers in the canonical request of
// SigV4 and SigV4a.
func sigV4Rows(keys []vectors.Key) []row {
	const (
		mismatch  = core.CodeSignatureMismatch
		ambiguous = core.CodeRequestAmbiguous
	)
	s3 := func(r row) row { return r.by(keys[objects]) }
	return []row{
		accepted("path-root", target("/")),
		accepted("path-with-a-slash-at-the-end", target("/v1/items/")),
		tampered("path-slash-added", mismatch, target("/v1/items/")),
		accepted("path-encoded", target("/v1/a%20b/%E4%B8%AD")).note("Encoded once more: %2520."),
		accepted("path-encoded-slash", target("/v1/a%2Fb")).note("Stays visible in the canonical path: %252F."),
		accepted("path-reserved-characters", target("/v1/!$&'()*+,=:@~")),
		tampered("path-encoded-letter", mismatch, target("/v1/item%73")),
		odd("path-with-two-slashes", ambiguous, target("/v1//items")).
			note("Normalising would give it the signature of /v1/items."),

		accepted("query-in-another-order").post().sending(target("/v1/items?b=&a=1")),
		accepted("query-without-the-equals-sign").post().sending(target("/v1/items?a=1&b")),
		accepted("query-space-as-plus", target("/v1/items?q=a%20b")).sending(target("/v1/items?q=a+b")),
		accepted("query-encoded", target("/v1/items?%E4%B8%AD=%2F%26%3D&~=-._")),
		accepted("query-sorted-encoded", target("/v1/items?a-b=1&a%2Fb=2&A=3")).note("%2F stands before -, and upper case first."),

		accepted("header-in-two-lines", header("X-Tag: b", "X-Tag: a"), signs("x-tag")).note("One line, joined by a comma, in the order received."),
		accepted("header-in-two-lines-joined", header("X-Tag: b", "X-Tag: a"), signs("x-tag")).
			sending(without("X-Tag"), header("X-Tag: b,a")).note("By RFC 9110 the same."),
		tampered("header-values-in-another-order", mismatch, without("X-Tag"), header("X-Tag: a", "X-Tag: b")).
			signing(header("X-Tag: b", "X-Tag: a"), signs("x-tag")),
		accepted("header-with-inner-spaces", header("X-Note:  a  b\tc "), signs("x-note")).note("Runs of white space are one space."),
		accepted("header-with-inner-spaces-changed", header("X-Note: a  b"), signs("x-note")).sending(set("X-Note: a b")),

		s3(accepted("s3-path", target("/bucket/a%20b"))).note("Decoded and encoded once: %20."),
		s3(accepted("s3-path-with-two-slashes", target("/bucket//a"))).note("Nothing is normalised."),
		s3(accepted("s3-path-with-a-dot-segment", target("/bucket/../a"))),
		s3(accepted("s3-path-reserved-characters-encoded-on-the-way", target("/bucket/a:b"))).sending(target("/bucket/a%3Ab")),
		s3(tampered("s3-path-slash-merged", mismatch, target("/bucket/a"))).signing(target("/bucket//a")),
		s3(tampered("s3-path-encoded-slash", ambiguous, target("/bucket%2Fa"))).signing(target("/bucket/a")),
		s3(tampered("s3-path-encoded-letter", ambiguous, target("/bucket/%61"))).signing(target("/bucket/a")),
	}
}

// objectRows returns rows for S3 with the credential in the query, where the body is
// unsigned unless it is declared.
func objectRows(keys []vectors.Key) []row {
	unsaid := []change{presigned("600"), target("/bucket/a"), payloadLine("UNSIGNED-PAYLOAD")}
	return []row{
		accepted("s3-query-form", unsaid...).by(keys[objects]).under(vectors.Policy{AllowPresigned: true, AllowUnsignedPayload: true}),
		odd("s3-query-form-body-not-signed", core.CodePayloadNotSigned, unsaid...).by(keys[objects]).under(vectors.Policy{AllowPresigned: true}),
	}
}

// v4Rows returns the rows about the scope of SigV4.
func v4Rows() []row {
	return []row{
		tampered("algorithm-of-v4a", core.CodeSchemeNotAccepted, replace("AWS4-HMAC-SHA256 ", "AWS4-ECDSA-P256-SHA256 ")),
		tampered("signature-too-short", core.CodeCredentialMalformed, signature(func(d *draft) string { return d.signature[:62] })),
		accepted("protocol-header-of-amazons-front-ends").sending(header("X-Amzn-Trace-Id: Root=1")).
			note("X-Amzn- is not the protocol's prefix."),
	}
}

// regionRows returns the rows about the region set of SigV4a.
func regionRows() []row {
	const (
		mismatch  = core.CodeSignatureMismatch
		malformed = core.CodeCredentialMalformed
	)
	set := func(value string) change { return header("X-Amz-Region-Set: " + value) }
	wild := vectors.Policy{AllowRegionWildcards: true}
	return []row{
		accepted("region-set-of-two", set("eu-west-1, us-east-1")),
		accepted("region-set-with-a-wildcard", set("us-*")).under(wild),
		accepted("region-set-of-all", set("*")).under(wild),
		odd("region-set-with-a-wildcard-not-allowed", mismatch, set("us-*")).atOnce(),
		odd("region-set-of-all-not-allowed", mismatch, set("*")).atOnce(),
		odd("region-set-of-others", mismatch, set("eu-west-1,us-west-2")).atOnce(),
		odd("region-set-wildcard-of-others", mismatch, set("eu-*")).under(wild).atOnce(),
		odd("region-set-empty", malformed, set(" ")),
		odd("region-set-not-signed", core.CodeHeaderNotSigned, lists("host;x-amz-date")),
		tampered("region-set-changed", mismatch, func(d *draft) {
			without("X-Amz-Region-Set")(d)
			set("us-east-1,eu-west-1")(d)
		}),
		tampered("region-set-twice", core.CodeRequestAmbiguous, set("eu-west-1")),
		tampered("algorithm-of-v4", core.CodeSchemeNotAccepted, replace("AWS4-ECDSA-P256-SHA256 ", "AWS4-HMAC-SHA256 ")),
		odd("scope-of-another-service", mismatch, service("s3")).atOnce(),
		odd("scope-of-another-day", malformed, day("20260114")),
		odd("scope-with-region", malformed, service("us-east-1/execute-api")),
		odd("scope-ends-otherwise", malformed, end("sdk_request")),
		accepted("query-form-region-set-with-others", presigned("600")).under(vectors.Policy{AllowPresigned: true}).
			signing(func(d *draft) { d.key.Region = "eu-west-1,us-east-1" }),
		tampered("query-form-without-region-set", malformed, withoutParameter("X-Amz-Region-Set")).signing(presigned("600")).
			under(vectors.Policy{AllowPresigned: true}),
	}
}
