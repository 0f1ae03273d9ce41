package main

import (
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// presignedRows returns the rows with the credential in the query, valid for ten minutes.
func presignedRows(a *algorithm, keys []vectors.Key) []row {
	const (
		malformed = core.CodeCredentialMalformed
		mismatch  = core.CodeSignatureMismatch
		ambiguous = core.CodeRequestAmbiguous
	)
	allowed := vectors.Policy{AllowPresigned: true}
	ten := presigned("600")
	rows := []row{
		accepted("get"),
		accepted("with-a-query", target("/v1/items?q=a%20b&a=1")),
		accepted("with-a-body", method("PUT"), body(`{"amount":100}`)).note("Its hash is signed, as in the header form."),
		accepted("with-a-signed-header", header("X-Role: user"), signs("x-role")),
		accepted("with-the-signature-in-front").sending(parametersReversed),
		accepted("with-slashes-as-they-are").sending(func(d *draft) {
			i := parameterAt(d, "Credential")
			d.parameters[i].value = strings.ReplaceAll(d.parameters[i].value, "%2F", "/")
		}),
		accepted("on-its-last-second").when("20260115T121000Z"),
		accepted("from-the-future").when("20260115T114500Z").note("The skew holds for the beginning."),
		odd("after-its-end", core.CodeSignatureExpired).when("20260115T121001Z").
			note("No skew is added to its end."),
		odd("too-early", core.CodeSignatureNotYetValid).when("20260115T114459Z"),
		accepted("for-a-week", presigned("604800")).when("20260122T120000Z"),
		odd("for-more-than-a-week", malformed, presigned("604801")),
		odd("for-no-time", malformed, presigned("0")),
		odd("for-a-negative-time", malformed, presigned("-1")).once(),
		odd("for-a-time-with-unit", malformed, presigned("600s")),
		odd("for-a-time-with-sign", malformed, presigned("+600")).once(),
		odd("for-a-time-with-zero-in-front", malformed, presigned("0600")).once(),
		odd("for-a-time-that-overflows", malformed, presigned("18446744074")).once(),
		tampered("without-expires", malformed, withoutParameter("Expires")),
		tampered("without-list", malformed, withoutParameter("SignedHeaders")),
		tampered("with-longer-expires", mismatch, parameterIs("Expires", "601")),
		tampered("with-a-parameter-added", mismatch, parameterAdded("admin", "1")),
		tampered("with-a-parameter-twice", ambiguous, parameterAdded(a.prefix+"Expires", "604800")),
		tampered("with-a-parameter-twice-in-another-case", ambiguous, parameterAdded(strings.ToLower(a.prefix+"Expires"), "604800")),
		tampered("with-a-parameter-in-another-case", ambiguous, parameterNamed("Expires", strings.ToLower(a.prefix+"Expires"))),
		tampered("path-changed", mismatch, target("/v1/items2")),
		tampered("method-changed", mismatch, method("DELETE")),
		tampered("host-changed", mismatch, hostIs("evil.example.com")),
		tampered("body-added", mismatch, method("GET"), body("abc")),
		tampered("signature-bit-flipped", mismatch, signature(bitFlipped)),
		tampered("signature-in-upper-case", malformed, signature(func(d *draft) string { return strings.ToUpper(d.signature) })).once(),
		tampered("with-raw-semicolons", ambiguous, func(d *draft) {
			i := parameterAt(d, "SignedHeaders")
			d.parameters[i].value = strings.ReplaceAll(d.parameters[i].value, "%3B", ";")
		}).signing(header("X-Role: user"), signs("x-role")),
		tampered("with-an-authorization-as-well", ambiguous, authorization(a.token(keys[orders])+" Credential=x, SignedHeaders=host, Signature=00")),
		tampered("with-the-date-in-a-header-as-well", ambiguous, header(a.dateHeader()+": "+today)),
		tampered("with-a-protocol-header-added", core.CodeHeaderNotSigned, header(a.prefix+"Foo: 1")),
		tampered("with-a-signed-header-removed", core.CodeHeaderNotSigned, without("X-Role")).signing(header("X-Role: user"), signs("x-role")),
		odd("with-host-unsigned", core.CodeHeaderNotSigned, header("X-Role: user"), func(d *draft) { d.list, d.listed = "x-role", true }),
		odd("key-of-another-api", core.CodeKeyNotBound, with(keys[partner])).by(keys[orders]),
		odd("key-unknown", core.CodeKeyUnknown, with(renamed(keys[orders], "AKTESTAKTEST9999"))),
		odd("date-malformed", malformed, dated("2026-01-15T12:00:00Z"), day("20260115")).once(),
		accepted("session-token").by(keys[temporary]),
	}
	if a.tokenInQuery {
		rows = append(rows,
			tampered("session-token-removed", mismatch, withoutParameter("X-Amz-Security-Token")).by(keys[temporary]).atOnce(),
			tampered("session-token-moved-into-a-header", core.CodeHeaderNotSigned, withoutParameter("X-Amz-Security-Token"),
				header("X-Amz-Security-Token: "+keys[temporary].SessionToken)).by(keys[temporary]),
			accepted("digest-declared", method("PUT"), body("abc"), payloadLine(a.hash("abc")), parameterAdded("X-Amz-Content-Sha256", a.hash("abc"))),
			tampered("digest-declared-of-another-body", core.CodeBodyMismatch, body("abd")).
				signing(method("PUT"), body("abc"), payloadLine(a.hash("abc")), parameterAdded("X-Amz-Content-Sha256", a.hash("abc"))),
			odd("unsigned-payload", core.CodePayloadNotSigned, payloadLine("UNSIGNED-PAYLOAD"), parameterAdded("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")),
		)
	} else {
		rows = append(rows,
			tampered("session-token-removed", core.CodeHeaderNotSigned, without(a.tokenHeader)).by(keys[temporary]),
			odd("unsigned-payload", core.CodePayloadNotSigned, declares("UNSIGNED-PAYLOAD")),
		)
	}
	if a.scope == "" || a.tokenInQuery { // aksk reads a query without one as another scheme's
		rows = append(rows, tampered("without-credential", malformed, withoutParameter("Credential")))
	}
	for i := range rows {
		rows[i].name = "query-form-" + rows[i].name
		rows[i].policy = &allowed
		rows[i].signed = append([]change{ten}, rows[i].signed...)
	}
	return append(rows,
		odd("query-form-not-allowed", core.CodeSchemeNotAccepted, ten).note("The environment has to allow credentials in the query."))
}
