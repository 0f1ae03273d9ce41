package main

import (
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// sdkRows returns the rows of the SDK-* and V11 schemes: requests with the same canonical
// request, and requests that are refused as ambiguous.
func sdkRows(a *algorithm) []row {
	const (
		mismatch  = core.CodeSignatureMismatch
		ambiguous = core.CodeRequestAmbiguous
	)
	tags := []change{header("X-Tag: b", "X-Tag: a"), signs("x-tag")}
	rows := []row{
		accepted("path-root", target("/")),
		accepted("path-slash-added").sending(target("/v1/items/")).note("The canonical path ends with a slash either way."),
		accepted("path-with-two-slashes", target("/v1//items")).note("Slashes are not merged."),
		accepted("path-encoded", target("/v1/a%20b/%E4%B8%AD/100%25")),
		accepted("path-encoded-in-lower-case", target("/v1/%e4%b8%ad")).once(),
		accepted("path-reserved-characters", target("/v1/!$&'()*+,=:@~")).note("As they stand; the canonical path has all but ~ encoded."),
		accepted("path-reserved-characters-encoded-on-the-way", target("/v1/a:b")).sending(target("/v1/a%3Ab")).once(),
		tampered("path-slash-doubled", mismatch, target("/v1//items")),
		tampered("path-encoded-slash", ambiguous, target("/v1%2Fitems")),
		odd("path-encoded-backslash", ambiguous, target("/v1/a%5Cb")).once(),
		tampered("path-encoded-letter", ambiguous, target("/v1/item%73")),
		odd("path-encoded-dots", ambiguous, target("/v1/%2e%2e/items")).once(),

		accepted("query-in-another-order").post().sending(target("/v1/items?b=&a=1")),
		accepted("query-without-the-equals-sign").post().sending(target("/v1/items?a=1&b")).note("b and b= are one canonical query."),
		accepted("query-with-empty-pieces").post().sending(target("/v1/items?&a=1&&b=&")).once(),
		accepted("query-space", target("/v1/items?q=a%20b")),
		accepted("query-space-as-plus", target("/v1/items?q=a%20b")).sending(target("/v1/items?q=a+b")),
		accepted("query-values-in-another-order", target("/v1/items?k=1&k=2")).sending(target("/v1/items?k=2&k=1")),
		accepted("query-encoded", target("/v1/items?%E4%B8%AD=%2F%26%3D&~=-._")),
		accepted("query-equals-sign-in-a-value", target("/v1/items?a=b=c")).once(),
		accepted("query-sorted-encoded", target("/v1/items?a=1&%C3%A4=2"), sortsEncoded).
			note("The Java SDK sorts the encoded names: %C3%A4 stands before a."),
		accepted("query-sorted-decoded", target("/v1/items?a=1&%C3%A4=2")).note("The other SDKs sort the decoded names: a stands before the umlaut."),

		accepted("header-values-in-another-order", tags...).sending(reversed).note("One line for each value, sorted."),
		accepted("header-with-inner-spaces", header("X-Note:  a  b\tc "), signs("x-note")),
		tampered("header-value-moved-into-a-list", mismatch, without("X-Tag"), header("X-Tag: a,b")).signing(tags...),
	}
	if a == aksk {
		rows = append(rows, accepted("header-with-inner-spaces-changed", header("X-Note: a  b"), signs("x-note")).sending(set("X-Note: a b")).
			note("This scheme makes one space of every run of white space."))
	} else {
		rows = append(rows, tampered("header-with-inner-spaces-changed", mismatch, set("X-Note: a b")).
			signing(header("X-Note: a  b"), signs("x-note")))
	}
	if !a.queryForm {
		rows = append(rows, tampered("query-form-does-not-exist", core.CodeCredentialMissing, authorization(""), target("/v1/items?"+
			"X-Sdk-Algorithm="+a.token(vectors.Key{})+"&X-Sdk-Credential=AKTESTAKTEST0001&X-Sdk-Signature=00")).
			under(vectors.Policy{AllowPresigned: true}))
	}
	return rows
}

// rewriteRows returns rows in which a proxy between gateway and verifier removed a prefix
// and replaced the host.
func rewriteRows() []row {
	proxied := vectors.Policy{Rewrite: &vectors.Rewrite{AddPrefix: "/v1", Host: apiHost}}
	return []row{
		accepted("behind-a-proxy").under(proxied).sending(target("/items"), hostIs("10.0.0.7:8080")).
			note("The gateway signed /v1/items of api.example.com. The received host is not covered."),
		tampered("behind-a-proxy-path-changed", core.CodeSignatureMismatch, target("/items2"), hostIs("10.0.0.7:8080")).under(proxied),
	}
}

// flatRows returns the rows of schemes whose credential has no scope.
func flatRows() []row {
	return []row{
		tampered("credential-with-scope", core.CodeSchemeNotAccepted,
			replace("Access=AKTESTAKTEST0001", "Credential=AKTESTAKTEST0001/20260115/cn-north-4/apig/sdk_request")).
			note("The other form of the same header belongs to another scheme."),
		tampered("access-and-credential", core.CodeCredentialMalformed, func(d *draft) { d.authorization += ", Credential=AKTESTAKTEST0001" }),
		tampered("access-twice", core.CodeCredentialMalformed, replace("Access=", "Access=AKTESTAKTEST0007, Access=")).once(),
	}
}

// scopedRows returns the rows of schemes whose credential has a scope with a region.
func scopedRows(a *algorithm) []row {
	const (
		mismatch  = core.CodeSignatureMismatch
		malformed = core.CodeCredentialMalformed
	)
	rows := []row{
		odd("scope-of-another-region", mismatch, region("eu-west-101")).atOnce(),
		odd("scope-of-another-service", mismatch, service("obs")).atOnce(),
		odd("scope-region-in-upper-case", mismatch, region("CN-NORTH-4")).atOnce().once(),
		odd("scope-of-another-day", malformed, day("20260114")),
		odd("scope-across-midnight", malformed, dated("20260115T235500Z"), day("20260116")).when("20260116T000100Z").
			note("The day of the scope is that of the date, also around midnight."),
		accepted("date-across-midnight", dated("20260115T235500Z")).when("20260116T000100Z"),
		odd("scope-region-empty", malformed, func(d *draft) { d.key.Region = "" }),
		odd("scope-with-a-part-too-many", malformed, service("apig/extra")),
		odd("scope-with-slashes-elsewhere", malformed, region("cn-north-4/apig"), func(d *draft) { d.key.Service = "" }).once(),
		tampered("scope-changed", mismatch, func(d *draft) { replace("/"+d.key.Region+"/", "/other-region/")(d) }).atOnce(),
	}
	if a.end != "" {
		rows = append(rows,
			odd("scope-ends-otherwise", malformed, end("other_request")),
			odd("scope-ends-in-upper-case", malformed, func(d *draft) { d.end = "SDK_REQUEST" }).once(),
		)
	}
	if a == aksk {
		rows = append(rows, tampered("credential-flat", core.CodeSchemeNotAccepted, func(d *draft) {
			replace("Credential="+d.credential(), "Access="+d.key.Key)(d)
		}))
	}
	return rows
}
