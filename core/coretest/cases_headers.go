package coretest

import (
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

const plain = "host;x-sdk-date"

// Lists of signed headers, each correctly signed.
func signedHeaderCases() []testCase {
	listed := func(list string) row { return row{"SignedHeaders=" + list, k1.sign(p1(), list)} }
	connection := func(name, value string) row {
		list := []string{name, "host", "x-sdk-date"}
		slices.Sort(list)
		return row{"SignedHeaders lists " + name, k1.sign(p1().with(name+": "+value), strings.Join(list, ";"))}
	}
	onlyDate := k1.sign(p1(), "x-sdk-date")
	return slices.Concat(
		rows("T022", notSigned, row{"an empty list", k1.sign(p1(), "")}),
		rows("T023", notSigned, row{"host is not signed", onlyDate}),
		under(nothingRequired, rows("T023", accepted, row{"host is not signed, and not required", onlyDate})),
		rows("T027", malformed,
			listed("x-sdk-date;host"), listed("Host;X-Sdk-Date"), listed("host;host;x-sdk-date"), listed("host;;x-sdk-date"),
			listed(";host;x-sdk-date"), listed("host;x-sdk-date;"), listed("host; x-sdk-date"), listed("host ;x-sdk-date"),
			listed("host;x-sdk-date;x-sdk-date")),
		rows("T028", notSigned,
			row{"a listed header is absent", k1.sign(p1(), "host;x-role;x-sdk-date")},
			row{"a listed header was removed", k1.sign(p1().with("X-Role:"), "host;x-role;x-sdk-date").without("X-Role")}),
		rows("T029", notSigned,
			row{"SignedHeaders lists authorization", k1.sign(p1(), "authorization;host;x-sdk-date")},
			connection("connection", "keep-alive"), connection("te", "trailers"), connection("upgrade", "h2c"),
			row{"SignedHeaders lists transfer-encoding", k1.sign(p2().chunked(5), "host;transfer-encoding;x-sdk-date")},
			row{"SignedHeaders lists trailer", k1.sign(p2().chunked(5, "X-Late: 1").with("Trailer: X-Late"), "host;trailer;x-sdk-date")}),
	)
}

// Headers that occur twice, have another spelling, or belong to the gateway.
func headerCases() []testCase {
	const stale = "20200101T000000Z"
	role := k1.sign(p1().with("X-Role: user"), "host;x-role;x-sdk-date")
	twice := func(first, second string) message {
		return p1().without("X-Sdk-Date").with("X-Sdk-Date: "+first, "X-Sdk-Date: "+second)
	}
	spoofed := func(name string) testCase {
		return testCase{name: "T031 " + name + " does not reach the handler", script: func(b *bench) {
			b.app.then = lookAway(b, name)
			b.expect(p1().with(name+": root"), accepted)
		}}
	}
	return slices.Concat(
		rows("T024", ambiguous,
			row{"two dates, right then stale", twice(today, stale)},
			row{"two dates, stale then right", twice(stale, today)},
			row{"two dates, equal", twice(today, today)},
			row{"two dates, correctly signed", k1.sign(twice(today, today), plain)}),
		rows("T025", mismatch,
			row{"a second value behind a signed one", role.with("X-Role: admin")},
			row{"a second value before a signed one", role.before("X-Role: admin")},
			row{"a signed value changed", role.set("X-Role", "admin")}),
		rows("T025", accepted, row{"two values, both signed", k1.sign(p1().with("X-Role: user", "X-Role: admin"), "host;x-role;x-sdk-date")}),
		rows("T030", ambiguous,
			row{"X_Sdk_Date and the date", p1().with("X_Sdk_Date: " + stale)},
			row{"X-Sdk_Date and the date", p1().with("X-Sdk_Date: " + stale)},
			row{"X_Role while x-role is signed", role.with("X_Role: admin")}),
		rows("T031", accepted,
			row{"X-Apig-Identity from the caller", p1().with("X-Apig-Identity: root")},
			row{"X-Apig-Identity signed by the gateway", k1.sign(p1().with("X-Apig-Identity: root"), "host;x-apig-identity;x-sdk-date")}),
		[]testCase{spoofed("X-Apig-Identity"), spoofed("x-apig-identity"), spoofed("X_Apig_Identity")},
	)
}

// Headers of another scheme's protocol, and headers of AllowUnsigned.
func foreignCases() []testCase {
	right := onBasic(basicAuth(k2.id + ":" + k2.secret))
	nonce := func(c *core.Config) { c.AllowUnsigned = []string{"X-Sdk-Nonce"} }
	return slices.Concat(
		rows("T179", accepted,
			row{"a CDN adds X-Amz-Cf-Id", p1().with("X-Amz-Cf-Id: abc==")},
			row{"a load balancer adds X-Amzn-Trace-Id", p1().with("X-Amzn-Trace-Id: Root=1")},
			row{"an unsigned X-Amz-Date", p1().with("X-Amz-Date: " + today)},
			row{"another digest in X-Amz-Content-Sha256", p2().with("X-Amz-Content-Sha256: " + bodyHash("x"))},
			row{"a body, and X-Amz-Cf-Id", p2().with("X-Amz-Cf-Id: abc==")}),
		rows("T179", basicAllowed, row{"headers of both protocols and a password", right.with("X-Amz-Cf-Id: 1", "X-Sdk-Nonce: 1")}),
		rows("T179", letIn, row{"headers of both protocols on an open API", unsigned("/health").with("X-Amz-Cf-Id: 1", "X-Sdk-Nonce: 1")}),
		rows("T179", notSigned.bodyUnread(), row{"X-Sdk-Nonce, which may not be unsigned", p2().with("X-Sdk-Nonce: 1")}),
		under(nonce, slices.Concat(
			rows("T179", accepted,
				row{"X-Sdk-Nonce, which may be unsigned", p1().with("X-Sdk-Nonce: 1")},
				row{"the same in lower case, and a body", p2().with("x-sdk-nonce: 1")},
				row{"the same signed", k1.sign(p1().with("X-Sdk-Nonce: 1"), "host;x-sdk-date;x-sdk-nonce")}),
			rows("T179", mismatch, row{"the same signed, and changed", k1.sign(p1().with("X-Sdk-Nonce: 1"), "host;x-sdk-date;x-sdk-nonce").set("X-Sdk-Nonce", "2")}),
			rows("T179", notSigned,
				row{"another name with the same prefix", p1().with("X-Sdk-Nonce-2: 1")},
				row{"another header as well", p1().with("X-Sdk-Nonce: 1", "X-Sdk-Foo: 1")}))),
		rows("T179", ambiguous,
			row{"X-Amz-Cf-Id twice", p1().with("X-Amz-Cf-Id: 1", "X-Amz-Cf-Id: 2")},
			row{"X_Amz_Cf_Id", p1().with("X_Amz_Cf_Id: 1")},
			row{"Connection names X-Amz-Cf-Id", p1().with("X-Amz-Cf-Id: 1", "Connection: X-Amz-Cf-Id")}),
	)
}

const typedList = "content-type;host;x-sdk-date"

func contentTypeWithBody(c *core.Config) { c.RequireSignedWithBody = []string{"Content-Type"} }

// Headers that must be signed if there is a body.
func withBodyCases() []testCase {
	typed := func(m message) message { return m.with("Content-Type: application/json") }
	signed := k1.sign(typed(p2()), typedList)
	declared := declaring(bodyHash(p2().body), digestList)
	waiting := waitingFor(p2())
	waiting.body = ""
	empty := k1.sign(p2().carrying(""), plain)
	password := p2().to("/basic/x").set("Authorization", basicAuth(k2.id+":"+k2.secret))
	return under(contentTypeWithBody, slices.Concat(
		rows("T182", accepted,
			row{"a body with a signed type", signed},
			row{"the same in chunks", signed.chunked(5)},
			row{"no body and no type", p1()},
			row{"no body and a type that is not signed", typed(p1())},
			row{"no body and a type that is signed", k1.sign(typed(p1()), typedList)},
			row{"a body of length 0", empty}),
		rows("T182", verdict{payload: core.PayloadDeclared},
			row{"a declared digest with a signed type", k1.sign(typed(declared), "content-type;host;x-sdk-content-sha256;x-sdk-date")}),
		rows("T182", verdict{payload: core.PayloadUnsigned},
			row{"an unsigned body with a signed type", k1.sign(typed(declared.to("/upload").set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")),
				"content-type;host;x-sdk-content-sha256;x-sdk-date")}),
		rows("T182", basicAllowed, row{"a password signs nothing", password}),
		rows("T182", letIn, row{"an open API", unsigned("/health").carrying("abc")}),
		rows("T182", notSigned.bodyUnread(),
			row{"a body without a type", p2()},
			row{"a body without a type in chunks", p2().chunked(5)},
			row{"a body with a type that is not signed", typed(p2())},
			row{"a body on a GET", k1.sign(p1().carrying("abc"), plain)},
			row{"an announced body without a type", waiting},
			row{"a body of unknown length that is empty", k1.sign(p2().carrying(""), plain).chunked(5)},
			row{"a declared digest without a type", declared},
			row{"an unsigned body without a type", k1.sign(declared.to("/upload").set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"), digestList)},
			row{"a listed type that is absent", k1.sign(p2(), typedList)},
			row{"a listed type that was removed", signed.without("Content-Type")}),
		rows("T182", mismatch, row{"a signed type that was changed", signed.set("Content-Type", "text/plain")}),
		rows("T182", ambiguous, row{"Content_Type and a signed type", signed.with("Content_Type: text/plain")}),
	))
}

// Headers that must be signed if they are present, and those that RequireSigned adds.
func coverageCases() []testCase {
	role := p1().with("X-Role: admin")
	require := func(c *core.Config) { c.RequireSigned = []string{"x-role", "Content-Type"} }
	return slices.Concat(
		rows("T166", notSigned,
			row{"an unsigned X-Sdk-Foo", p1().with("X-Sdk-Foo: 1")}),
		rows("T166", accepted, row{"the same signed", k1.sign(p1().with("X-Sdk-Foo: 1"), "host;x-sdk-date;x-sdk-foo")}),
		under(require, slices.Concat(
			rows("T167", notSigned,
				row{"x-role required, present and unsigned", k1.sign(role, plain)},
				row{"content-type required, present and unsigned", p2().with("Content-Type: text/plain")}),
			rows("T167", accepted,
				row{"x-role required, present and signed", k1.sign(role, "host;x-role;x-sdk-date")},
				row{"x-role required and absent", p1()}))),
	)
}
