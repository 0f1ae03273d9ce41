package coretest

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

var (
	declared     = verdict{payload: core.PayloadDeclared}
	undeclared   = verdict{payload: core.PayloadUnsigned}
	bodyMismatch = refused(core.CodeBodyMismatch)
	unsupported  = refused(core.CodePayloadUnsupported)
)

const unsignedText = "UNSIGNED-PAYLOAD"

// grpcCases returns all cases of RunGRPC.
func grpcCases() []grpcCase {
	return slices.Concat(grpcControls(), grpcCredentials(), grpcBodies(), grpcStreams(), grpcOpen(), grpcReport())
}

// calls returns cases of calls that all have the same verdict.
func calls(id string, want verdict, list ...row) []grpcCase {
	cases := make([]grpcCase, len(list))
	for i, r := range list {
		cases[i] = grpcCase{name: id + " " + r.name, send: r.send, want: want}
	}
	return cases
}

func grpcControls() []grpcCase {
	unary := hashed(calling("Unary", "one"))
	return slices.Concat(
		calls("T146", accepted, row{"unary", unary}, row{"unary, an empty message", hashed(calling("Unary", ""))},
			row{"unary, with unsigned metadata", unary.with("X-Request-Id: 1", "Traceparent: 00-1-2-00", "Trace-Bin: AAEC")},
			row{"unary, with signed metadata", k1.sign(calling("Unary", "one").with("X-Role: a", "X-Role: b"), "host;x-role;x-sdk-date")},
			row{"unary, with signed binary metadata", k1.sign(calling("Unary", "one").with("X-Role-Bin: AP8"), "host;x-role-bin;x-sdk-date")}),
		calls("T146", declared, row{"unary, a declared digest", withDigest(calling("Unary", "one"))}),
		calls("T157", accepted, row{"metadata of proxies and identities", unary.with("X-Forwarded-Host: evil.example",
			"X-Forwarded-For: 10.0.0.1", "Grpcgateway-Authorization: Basic Og==", "Identity: root", "X-Apig-Identity: root")}))
}

func grpcCredentials() []grpcCase {
	unary := hashed(calling("Unary", "one"))
	bare := unary.without("Authorization")
	at := func(offset time.Duration) message {
		return hashed(bare.set("X-Sdk-Date", now().Add(offset).Format("20060102T150405Z")))
	}
	to := func(authority string) message { return hashed(calling("Unary", "one").set("Host", authority)) }
	auth := unary.value("Authorization")
	var cases []grpcCase
	for _, method := range []string{"Upload", "Watch", "Chat"} {
		cases = append(cases, calls("T151", missing, row{"unsigned, " + method, calling(method, "one")})...)
		cases = append(cases, calls("T151", mismatch, row{"signed for another method, " + method, withDigest(calling("Unary", "one")).to(echo + method)})...)
	}
	others := calls("T183", notOurs, row{"signed for another service, unary", to("service-a.internal")},
		row{"signed for another service, stream", withDigest(calling("Chat", "one").set("Host", "service-a.internal"))},
		row{"signed for another port", to(host + ":8443")})
	others = append(others, calls("T183", accepted, row{"signed for this service", unary}, row{"signed for this service in upper case", to("API.EXAMPLE.COM")})...)
	others = append(others, calls("T183", missing, row{"not signed, for another service", bare.set("Host", "service-a.internal")})...)
	for i := range others {
		others[i].config = ours
	}
	return slices.Concat(cases, others,
		calls("T147", missing, row{"no metadata but the protocol's", bare.without("X-Sdk-Date")}, row{"no credential", bare}),
		calls("T147", malformed, row{"an empty credential", bare.with("Authorization: ")}, row{"half a credential", bare.with("Authorization: SDK-HMAC-SHA256 ")},
			row{"a digit less", bare.with("Authorization: " + auth[:len(auth)-1])}, row{"no date", unary.without("X-Sdk-Date")},
			row{"a credential of nine thousand bytes", bare.with("Authorization: SDK-HMAC-SHA256 Access=" + strings.Repeat("A", 9000))}),
		calls("T147", otherScheme, row{"another scheme", bare.with("Authorization: Bearer token=x")}),
		calls("T148", mismatch, row{"the signature of another method", hashed(calling("Chat", "one")).to(echo + "Unary")},
			row{"the signature of a GET", hashed(unary.as("GET")).as("POST")}),
		calls("T149", mismatch, row{"another authority", unary.set("Host", "evil.example")}, row{"another port", unary.set("Host", host+":443")}),
		calls("T149", notSigned, row{"the host is not signed", k1.sign(calling("Unary", "one"), "x-sdk-date")}),
		calls("T150", ambiguous, row{"two credentials", unary.with("Authorization: " + auth)}, row{"a wrong and a right one", unary.before("Authorization: x")},
			row{"two dates", unary.with("X-Sdk-Date: " + today)}, row{"a date with an underscore", unary.with("X_sdk_date: " + today)}),
		calls("T179", accepted, row{"a header of another protocol that is not signed", unary.with("X-Amz-Cf-Id: 1")}),
		calls("T150", notSigned, row{"a protocol header that is not signed", unary.with("X-Sdk-Foo: 1")},
			row{"an override of the method that is not signed", unary.with("X-Http-Method-Override: GET")}),
		calls("T071", accepted, row{"fifteen minutes old", at(-15 * time.Minute)}, row{"fifteen minutes early", at(15 * time.Minute)}),
		calls("T071", refused(core.CodeSignatureExpired), row{"older", at(-15*time.Minute - time.Second)}),
		calls("T071", refused(core.CodeSignatureNotYetValid), row{"earlier", at(15*time.Minute + time.Second)}),
		calls("T079", unknownKey, row{"an unknown key", bare.with("Authorization: " + strings.Replace(auth, k1.id, "NOPE", 1))}),
		calls("T084", otherScheme, row{"a key of another scheme", bare.with("Authorization: " + strings.Replace(auth, k1.id, k2.id, 1))}),
		calls("T085", refused(core.CodeKeyNotBound), row{"another API's key", k7.sign(calling("Unary", "one"), plain)}),
		calls("T081", mismatch, row{"the key of another environment", k1t.sign(calling("Unary", "one"), plain)}),
		calls("T159", ambiguous, row{"three hundred lines of metadata", unary.with(slices.Repeat([]string{"X-Pad: 1"}, 300)...)}))
}

func grpcBodies() []grpcCase {
	unary := hashed(calling("Unary", "one"))
	claimed := unary.with("X-Sdk-Content-Sha256: " + bodyHash("another"))
	other := frames("two")
	instead := func(m message, body string) message { m.body = body; return m }
	tooLarge := calls("T057", refused(core.CodeBodyTooLarge), row{"unary, over the limit", hashed(calling("Unary", "more than sixteen bytes"))})
	tooLarge[0].config = small
	// Every call has a body. The body of a stream has an unknown length.
	of := func(m message) message { return m.with("Content-Type: application/grpc") }
	typed := slices.Concat(
		calls("T182", accepted, row{"unary, the type is signed", k1.sign(of(calling("Unary", "one")), typedList)}),
		calls("T182", declared, row{"client stream, the type is signed",
			k1.sign(of(calling("Upload", "one")).with("X-Sdk-Content-Sha256: "+bodyHash(frames("one"))), "content-type;host;x-sdk-content-sha256;x-sdk-date")}),
		calls("T182", notSigned, row{"unary, the type is not signed", unary}, row{"unary, an empty message", hashed(calling("Unary", ""))},
			row{"client stream, the type is not signed", withDigest(calling("Upload", "one"))},
			row{"client stream without a message", withDigest(calling("Upload"))}))
	for i := range typed {
		typed[i].config = contentTypeWithBody
	}
	return slices.Concat(tooLarge, typed,
		calls("T055", mismatch, row{"another message", instead(unary, other)}),
		calls("T156", accepted, row{"a wrong digest that is not signed is ignored", claimed}),
		calls("T156", bodyMismatch, row{"a signed digest and another message", instead(withDigest(calling("Unary", "one")), other)},
			row{"a signed digest of the message without its prefix", withPayload(calling("Unary", "one"), bodyHash(frames("one")[5:]))}),
		calls("T156", mismatch, row{"a digest that was changed", withDigest(calling("Unary", "one")).set("X-Sdk-Content-Sha256", bodyHash(other))}),
		calls("T065", refused(core.CodePayloadNotSigned), row{"unary, unsigned and not allowed", withPayload(calling("Unary", "one"), unsignedText)},
			row{"a stream, unsigned and not allowed", withPayload(calling("Upload", "one"), unsignedText)}),
		calls("T068", unsupported, row{"signed in chunks", withPayload(calling("Unary", "one"), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")},
			row{"the hash of a stream, not declared", hashed(calling("Upload", "one"))}))
}

func grpcStreams() []grpcCase {
	late := func(id, name string, want verdict, m message, handle func(func() error) error) grpcCase {
		return grpcCase{name: id + " " + name, send: m, want: want, late: true, handle: handle}
	}
	forged := func(method string, values ...string) message {
		m := withDigest(calling(method, "one", "two"))
		m.body = frames(values...)
		return m
	}
	ignoring := func(next func() error) error { readAll(next); return nil }
	failing := func(next func() error) error { readAll(next); return errHandler }
	one := func(next func() error) error { next(); return nil }
	none := func(func() error) error { return nil }
	large := late("T057", "a stream over the limit", refused(core.CodeBodyTooLarge), withDigest(calling("Upload", "one", "two", "three")), nil)
	large.config = small
	watch := withDigest(calling("Watch", "one"))
	watch.body = frames("two")
	return slices.Concat(
		calls("T151", declared, row{"client stream", withDigest(calling("Upload", "one", "", "three"))}, row{"client stream without a message", withDigest(calling("Upload"))},
			row{"server stream", withDigest(calling("Watch", "one"))}, row{"bidirectional stream", withDigest(calling("Chat", "one", "two"))}),
		calls("T151", undeclared, row{"unsigned payload, allowed", withPayload(calling("Chat", "one", "two"), unsignedText)},
			row{"unsigned payload, a forged message", func() message {
				m := withPayload(calling("Chat", "one", "two"), unsignedText)
				m.body = frames("one", "forged", "third")
				return m
			}()}),
		[]grpcCase{large,
			late("T151", "a second message that was forged", bodyMismatch, forged("Chat", "one", "2"), nil),
			late("T151", "a message more", bodyMismatch, forged("Upload", "one", "two", "three"), nil),
			late("T151", "a message less", bodyMismatch, forged("Upload", "one"), nil),
			late("T151", "no message", bodyMismatch, forged("Upload"), nil),
			late("T151", "messages in another order", bodyMismatch, forged("Chat", "two", "one"), nil),
			late("T151", "the one message of a server stream", bodyMismatch, watch, nil),
			late("T151", "a handler that ignores the refusal", bodyMismatch, forged("Upload", "one", "2"), ignoring),
			late("T151", "a handler that returns another error", bodyMismatch, forged("Upload", "one", "2"), failing),
			late("T151", "a handler that stops before a forged message", bodyMismatch, forged("Chat", "one", "2"), one),
			late("T151", "a handler that stops early, with a valid body", bodyMismatch, forged("Upload", "one", "two"), one),
			late("T151", "a handler that reads nothing", bodyMismatch, forged("Chat", "one", "two"), none),
		})
}

// Open APIs: only calls of the exact method are accepted without a credential.
func grpcOpen() []grpcCase {
	open := calling("Open", "one")
	var cases []grpcCase
	for _, target := range []string{echo + "Open/", echo + "open", "/" + echo + "Open", echo + "Nothing", "/Open", echo + "Open?a"} {
		cases = append(cases, grpcCase{name: "T155 " + target, send: open.to(target), status: "12"}) // Unimplemented
	}
	return slices.Concat(cases,
		calls("T155", letIn, row{"the open method", open}, row{"with a forged credential", open.with("Authorization: " + p1().value("Authorization"))}),
		calls("T155", notSigned, row{"with an override of the method", open.with("X-Http-Method-Override: GET")}),
		calls("T155", missing, row{"another method", open.to(echo + "Unary")}))
}

// Report mode passes every call to the handler, and logs what enforce mode would refuse.
func grpcReport() []grpcCase {
	would := func(code core.Code) verdict { return verdict{code: code, reported: true} }
	unary, stream := hashed(calling("Unary", "one")), calling("Chat", "one", "two")
	forged := withDigest(stream)
	forged.body = frames("one", "2")
	cases := slices.Concat(
		calls("T168", accepted, row{"report-only, unary", unary}),
		calls("T168", would(core.CodeSignatureMismatch), row{"report-only, a wrong signature", unary.set("X-Sdk-Date", "20260115T120001Z")}),
		calls("T168", would(core.CodeCredentialMissing), row{"report-only, an unsigned stream", stream}),
		calls("T168", would(core.CodePayloadUnsupported), row{"report-only, a stream with a hash", hashed(stream)}),
		[]grpcCase{{name: "T168 report-only, a forged message", send: forged, want: would(core.CodeBodyMismatch), late: true,
			handle: func(next func() error) error {
				for err := next(); err != io.EOF; err = next() {
					if err != nil {
						return err
					}
				}
				return nil
			}}})
	for i := range cases {
		cases[i].config = reportOnly
	}
	return cases
}
