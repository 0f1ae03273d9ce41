package coretest

import "github.com/gatewayauth/gatewayauth/core"

// The same verdicts over HTTP/2, for the requests that its client can send.
func http2Cases() []testCase {
	var cases []testCase
	for _, c := range []struct {
		name string
		send message
		want verdict
	}{
		{"P1", p1(), accepted},
		{"P2", p2(), accepted},
		{"P2 under a declared digest", declaring(bodyHash(p2().body), digestList), verdict{payload: core.PayloadDeclared}},
		{"an open API", unsigned("/health"), letIn},
		{"a right password", onBasic(basicAuth(k2.id + ":" + k2.secret)), basicAllowed},
		{"no credential", unsigned("/v1/items"), missing},
		{"a wrong signature", forged(), mismatch},
		{"another body", tampered(`{"amount":900}`), mismatch},
		{"another method", p1().as("POST"), mismatch},
		{"another path", p1().to("/v1/items2"), mismatch},
		{"another query", p2().to("/v1/items?a=2&b="), mismatch},
		{"another authority", p1().set("Host", "evil.example"), mismatch},
		{"another authority in upper case", p1().set("Host", "API.EXAMPLE.COM"), mismatch},
		{"two credentials", p1().with("Authorization: " + forged().value("Authorization")), ambiguous},
		{"two dates", p1().with("X-Sdk-Date: " + today), ambiguous},
		{"an encoded slash", signedFor("/v1/a/b").to("/v1/a%2Fb"), ambiguous},
		{"a dot segment", signedFor("/v1/../admin"), ambiguous},
		{"a semicolon in the query", signedFor("/v1/items?a;b"), ambiguous},
		{"an unsigned protocol header", p1().with("X-Sdk-Foo: 1"), notSigned},
		{"an unsigned header of another protocol (T179)", p1().with("X-Amz-Cf-Id: 1"), accepted},
		{"an old date", dated("20260114T120000Z"), refused(core.CodeSignatureExpired)},
		{"an unknown key", called("NOPE").send, unknownKey},
		{"another API's key", k7.sign(p1(), plain), refused(core.CodeKeyNotBound)},
	} {
		cases = append(cases, overHTTP2("T113", c.name, c.send, c.want))
	}
	typed := k1.sign(p2().with("Content-Type: application/json"), typedList)
	return append(cases, under(contentTypeWithBody, []testCase{
		overHTTP2("T182", "a body with a signed type", typed, accepted),
		overHTTP2("T182", "a body without a type", p2(), notSigned),
		overHTTP2("T182", "no body and no type", p1(), accepted),
	})...)
}

func overHTTP2(id, name string, send message, want verdict) testCase {
	return testCase{name: id + " HTTP/2, " + name, script: func(b *bench) {
		a, err := b.http2()(send)
		if err != nil {
			b.Errorf("%v", err)
			return
		}
		b.settle()
		b.check(send, want, a)
	}}
}
