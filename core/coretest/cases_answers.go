package coretest

import (
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// codes is the documented list. Removing a code or changing its status breaks clients.
var codes = map[core.Code]int{
	"credential_missing": 401, "credential_malformed": 401, "scheme_not_accepted": 401,
	"key_unknown": 401, "signature_mismatch": 401,
	"signature_expired": 401, "signature_not_yet_valid": 401,
	"header_not_signed": 401, "payload_not_signed": 401, "payload_unsupported": 401,
	"body_mismatch": 401, "replayed": 401, "throttled": 401,
	"key_not_bound": 403, "host_not_ours": 421, "request_ambiguous": 400, "body_too_large": 413, "unavailable": 503,
}

func answerCases() []testCase {
	oracle := func(name string, messages ...message) testCase {
		return testCase{name: "T130 " + name, script: func(b *bench) {
			var first string
			for i, m := range messages {
				a := b.exchange(m)
				print := strings.Join(a.header["Connection"], ",") + "\n" + a.fingerprint()
				if i == 0 {
					first = print
				}
				if a.status != 401 || print != first {
					b.Errorf("response to request %d is\n%s\nwant the same as for the first,\n%s", i, print, first)
				}
			}
			b.settle()
			for i, e := range b.events.take() {
				if e.buffered > 0 && !strings.Contains(name, "body sent") {
					b.Errorf("request %d: %d bytes of its body are in memory, want none", i, e.buffered)
				}
			}
		}}
	}
	// big declares a signed digest and announces a body that is never sent.
	big := func(authorization string) message {
		m := waitingFor(declaring(bodyHash("x"), digestList))
		if authorization != "" {
			m = m.set("Authorization", authorization)
		}
		m.body = ""
		return m
	}
	wrong := forged().value("Authorization")
	basicWrong := basicAuth(k1.id + ":" + k1.secret)
	return []testCase{
		oracle("unknown key, wrong signature, other environment, other scheme, no body",
			called("NOPE").send, forged(), k1t.sign(p1(), plain), p1().set("Authorization", basicWrong), scopedForm(), at(-1e12), unsigned("/v1/items")),
		oracle("unknown key, wrong signature, other scheme, a large body under a signed digest",
			big(strings.Replace(wrong, k1.id, "NOPE", 1)), big(strings.Replace(wrong, plain, digestList, 1)), big(basicWrong)),
		oracle("unknown key, wrong signature, other scheme, body sent",
			p2().set("Authorization", hmacFields("NOPE", plain, p2Signature)), tampered(`{"amount":900}`), p2().set("Authorization", basicWrong)),
		{name: "T129 every code keeps its status", script: func(b *bench) {
			for code, status := range codes {
				err := core.Refuse(code, "any")
				if core.StatusCode(err) != status || core.CodeOf(err) != code {
					b.Errorf("%s: got status %d, code %s; want %d", code, core.StatusCode(err), core.CodeOf(err), status)
				}
			}
		}},
	}
}

// A request with several faults is always refused with the code of the first check that
// fails.
func orderCases() []testCase {
	const unsignedPayload = "UNSIGNED-PAYLOAD"
	stale := func(m message) message { return m.set("X-Sdk-Date", "20260114T120000Z") }
	unknown := func(m message) message {
		return m.set("Authorization", strings.Replace(m.value("Authorization"), k1.id, "NOPE", 1))
	}
	huge := waitingFor(p2()).set("Content-Length", "99999999999")
	huge.body = ""
	declared := declaring(unsignedPayload, digestList)
	// The faults are in headers, and a Go map has no order.
	many := forged().with("X-Sdk-Foo: 1", "X-HTTP-Method: DELETE", "X_HTTP_Method_Override: DELETE").before("X_Role: admin")
	many = k1.sign(many.with("X-Role: user"), "host;x-role;x-sdk-date")
	return slices.Concat(
		rows("T131", ambiguous,
			row{"ambiguous target before a missing credential", unsigned("/v1/items?a;b")},
			row{"ambiguous target before key, date and body", unknown(stale(tampered("other"))).to("/v1/items?a;b")},
			row{"ambiguous header before a malformed credential", authorized("Foo").with("X_Sdk_Date: 1")},
			row{"ambiguous path before an unknown key", unknown(signedFor("/v1/../admin"))},
			row{"ambiguous path before an old date", stale(signedFor("/v1/a%2Fb"))}),
		rows("T131", malformed, row{"a malformed credential before an unknown key", unknown(authorized(hmacFields(k1.id, "host;;x-sdk-date", p1Signature)))}),
		rows("T131", unknownKey.bodyUnread(),
			row{"key before date and body", unknown(stale(tampered("other")))},
			row{"key before a declared payload", unknown(declared)}),
		// Checks that need no key come first. Otherwise responses would show which keys
		// exist.
		rows("T131", refused(core.CodeBodyTooLarge).bodyUnread(),
			row{"the announced size of the body before an unknown key", unknown(huge)},
			row{"the announced size of the body before an old date", stale(huge)}),
		rows("T131", ambiguous,
			row{"Connection before an unknown key", unknown(p1()).with("Connection: X-Sdk-Date")},
			row{"an underscore before an unknown key", unknown(k1.sign(p1().with("X-Role: user"), "host;x-role;x-sdk-date")).with("X_Role: admin")}),
		rows("T131", refused(core.CodeSignatureExpired).bodyUnread(),
			row{"date before signature and body", stale(tampered("other"))},
			row{"date before a declared payload", k1.sign(stale(declared), digestList)}),
		rows("T131", refused(core.CodePayloadNotSigned).bodyUnread(),
			row{"a declared payload before the signature", declared.set("Authorization", hmacFields(k1.id, digestList, p2Signature))}),
		rows("T131", mismatch.bodyUnread(),
			row{"the signature before a declared digest", declaring(bodyHash("x"), digestList).set("Authorization", hmacFields(k1.id, digestList, p2Signature))}),
		[]testCase{{name: "T131 several faults in headers have one code on every run", script: func(b *bench) {
			seen := map[core.Code]int{}
			for range 40 {
				b.exchange(many)
			}
			b.settle()
			for _, e := range b.events.take() {
				seen[e.Code]++
			}
			if len(seen) != 1 {
				b.Errorf("the same request was refused with codes %v, want one", seen)
			}
		}}},
	)
}
