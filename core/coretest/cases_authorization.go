package coretest

import (
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// authorized returns P1 with another Authorization value.
func authorized(value string) message { return p1().set("Authorization", value) }

// Authorization headers that are read as a credential, and those that are not.
func authorizationCases() []testCase {
	right := p1().value("Authorization")
	wrong := forged().value("Authorization")
	waiting := p2().without("Authorization").set("Content-Length", "12000000").with("Expect: 100-continue")
	waiting.body = ""
	query := "X-Amz-Credential=AKTESTAKTEST0001%2F20260115%2Fcn-north-4%2Fapig%2Faws4_request&X-Amz-Signature=" + p1Signature
	sdk := "X-Sdk-Credential=AKTESTAKTEST0001&X-Sdk-Signature=" + p1Signature
	tokens := func(tokens ...string) (list []row) {
		for _, token := range tokens {
			list = append(list, row{token, authorized(strings.Replace(right, "SDK-HMAC-SHA256", token, 1))})
		}
		return list
	}
	return slices.Concat(
		rows("T010", missing.bodyUnread(),
			row{"no Authorization", p1().without("Authorization")},
			row{"no Authorization, and an announced body that is not sent", waiting}),
		rows("T011", malformed,
			row{"Authorization empty", p1().without("Authorization").with("Authorization:")},
			row{"Authorization of one space", p1().without("Authorization").with("Authorization: ")},
			row{"Authorization of a thousand tabs", authorized(strings.Repeat("\t", 1000))}),
		rows("T012", ambiguous,
			row{"P1 and SigV4 parameters in the query", p1().to("/v1/items?" + query)},
			row{"both, correctly signed", k1.sign(p1().to("/v1/items?"+query), "host;x-sdk-date")},
			row{"P1 and SDK parameters in the query", p1().to("/v1/items?" + sdk)},
			row{"both of the SDK, correctly signed", k1.sign(p1().to("/v1/items?"+sdk), "host;x-sdk-date")}),
		rows("T013", malformed,
			row{"Foo", authorized("Foo")},
			row{"AWS HAHAHA", authorized("AWS HAHAHA")},
			row{"the token alone", authorized("SDK-HMAC-SHA256")},
			row{"the token and a space", authorized("SDK-HMAC-SHA256 ")},
			row{"the token and commas", authorized("SDK-HMAC-SHA256 ,,,")}),
		rows("T014", ambiguous,
			row{"two Authorization lines, wrong then right", p1().without("Authorization").with("Authorization: "+wrong, "Authorization: "+right)},
			row{"two Authorization lines, right then wrong", p1().with("Authorization: " + wrong)},
			row{"two Authorization lines, right twice", p1().with("Authorization: " + right)},
			row{"two Authorization lines, empty then right", p1().before("Authorization:")}),
		rows("T015", otherScheme, tokens("SDK-HMAC-SHA1", "SDK-HMAC-SHA512", "SDK-HMAC-SM3", "sdk-hmac-sha256", "AWS4-HMAC-SHA256", "none")...),
		rows("T021", ambiguous,
			row{"Connection names the date", p1().with("Connection: close, X-Sdk-Date")},
			row{"Connection names Authorization", p1().with("Connection: Authorization")},
			row{"Connection names a signed header", k1.sign(p1().with("X-Role: user"), "host;x-role;x-sdk-date").with("Connection: x-role")},
			row{"the second Connection line names the date", p1().with("Connection: keep-alive", "Connection: x-sdk-date")}),
	)
}

// The fields of the credential.
func fieldCases() []testCase {
	const (
		list   = "host;x-sdk-date"
		access = "Access=AKTESTAKTEST0001"
		signed = "SignedHeaders=" + list
		proof  = "Signature=" + p1Signature
	)
	fields := func(joined string) message { return authorized("SDK-HMAC-SHA256 " + joined) }
	signature := func(text string) message { return authorized(hmacFields(k1.id, list, text)) }
	return slices.Concat(
		rows("T016", malformed,
			row{"two Access, right then other", fields(access + ", Access=OTHER, " + signed + ", " + proof)},
			row{"two Access, other then right", fields("Access=OTHER, " + access + ", " + signed + ", " + proof)},
			row{"two Signature", fields(access + ", " + signed + ", " + proof + ", " + proof)},
			row{"two SignedHeaders", fields(access + ", " + signed + ", " + signed + ", " + proof)},
			row{"SignedHeaders empty and then right", fields(access + ", SignedHeaders=, " + signed + ", " + proof)},
			row{"Access and Credential", fields(access + ", Credential=" + k1.id + ", " + signed + ", " + proof)}),
		rows("T017", malformed,
			row{"an unknown field", fields(access + ", " + signed + ", " + proof + ", Foo=bar")},
			row{"a field in the wrong case", fields("access=" + k1.id + ", " + signed + ", " + proof)},
			row{"an empty field", fields(access + ", " + signed + ", " + proof + ",")},
			row{"no Access", fields(signed + ", " + proof)},
			row{"no SignedHeaders", fields(access + ", " + proof)},
			row{"no Signature", fields(access + ", " + signed)}),
		rows("T018", malformed,
			row{"63 digits", signature(p1Signature[1:])},
			row{"65 digits", signature(p1Signature + "0")},
			row{"128 digits", signature(p1Signature + p1Signature)},
			row{"no digits", signature("")},
			row{"a g among the digits", signature("g" + p1Signature[1:])},
			row{"0x in front", signature("0x" + p1Signature[2:])},
			row{"0x and 64 digits", signature("0x" + p1Signature)},
			row{"an equals sign behind", signature(p1Signature + "=")},
			row{"percent-encoded", signature("%63" + p1Signature[1:])},
			row{"upper case", signature(strings.ToUpper(p1Signature))},
			row{"a space within", signature(p1Signature[:32] + " " + p1Signature[32:])}),
		// Whitespace around a field value and around the commas is not part of a value (RFC
		// 9110, section 5.5).
		rows("T018", accepted, row{"a trailing space is not part of the value", signature(p1Signature + " ")}),
		rows("T019", malformed,
			row{"the first 16 digits", signature(p1Signature[:16])},
			row{"the first 32 digits", signature(p1Signature[:32])},
			row{"the first 63 digits", signature(p1Signature[:63])}),
		rows("T020", accepted,
			row{"commas without space", fields(access + "," + signed + "," + proof)},
			row{"commas between tabs", fields(access + "\t,\t" + signed + " \t, " + proof)},
			row{"two spaces behind the token", fields(" " + access + ", " + signed + ", " + proof)},
			row{"another order", fields(proof + ", " + access + ", " + signed)}),
		rows("T020", malformed,
			row{"semicolons", fields(access + ";" + signed + ";" + proof)},
			row{"spaces alone", fields(access + " " + signed + " " + proof)},
			row{"quoted values", fields(`Access="AKTESTAKTEST0001", SignedHeaders="host;x-sdk-date", Signature="` + p1Signature + `"`)},
			row{"a space around the equals sign", fields("Access = AKTESTAKTEST0001, " + signed + ", " + proof)}),
		rows("T020", refused(core.CodeKeyUnknown),
			row{"a quoted key id", fields(`Access="AKTESTAKTEST0001", ` + signed + ", " + proof)}),
	)
}
