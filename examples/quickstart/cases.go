package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// testCase is a request with its expected outcome. The request depends on the host that
// it is sent to.
type testCase struct {
	what           string
	scheme         string
	throughGateway bool
	request        func(host string) message
	want           outcome
	wantOfEcho     outcome // set if Echo's router has another route for it
}

func accepted(key string) outcome { return outcome{status: 200, key: key, ran: 1} }

func refused(code core.Code) outcome {
	return outcome{status: core.StatusCode(&core.Error{Code: code}), code: code}
}

// viaGateway returns the case of a request to the gateway, which signs it.
func viaGateway(what string, m message, want outcome) testCase {
	return testCase{what: what, throughGateway: true, request: func(host string) message { return m.with("Host: gateway.example.com") }, want: want}
}

// direct returns the case of a request that is sent to the backend directly. Only a Host is
// added to it.
func direct(what string, want outcome, build func(m message) message) testCase {
	return testCase{what: what, request: func(host string) message { return build(message{}.with("Host: " + host)) }, want: want}
}

// of returns the cases as those of a scheme.
func of(scheme string, cases ...testCase) []testCase {
	for i := range cases {
		cases[i].scheme = scheme
	}
	return cases
}

const all = "host;x-sdk-date"

func cases() []testCase {
	now := time.Now()
	// to returns request with the headers of m, which has only Host.
	to := func(m, request message) message {
		request.headers = append(append([]string(nil), m.headers...), request.headers...)
		return request
	}
	valid := func(m message) message {
		return to(m, post("/orders/7?a=1&b=2", `{"amount":100}`, "X-Tenant: blue")).sign(orders, now, "host;x-sdk-date;x-tenant")
	}
	// changedTo returns the case of a valid request that was changed after signing.
	changedTo := func(what string, code core.Code, old, new string) testCase {
		return direct(what, refused(code), func(m message) message { return valid(m).replace(old, new) })
	}
	changed := func(what, old, new string) testCase {
		return changedTo(what, core.CodeSignatureMismatch, old, new)
	}
	// invalid returns the case of a correctly signed request that must be refused.
	invalid := func(what string, code core.Code, request message, signedHeaders string) testCase {
		return direct(what, refused(code), func(m message) message { return to(m, request).sign(orders, now, signedHeaders) })
	}
	added := func(what string, code core.Code, header string) testCase {
		return direct(what, refused(code), func(m message) message { return valid(m).with(header) })
	}
	signedWith := func(what string, want outcome, key core.Key, at time.Time) testCase {
		return direct(what, want, func(m message) message { return to(m, get("/orders/7")).sign(key, at, all) })
	}
	secret := func(text string) core.Key {
		key := orders
		key.Secret = core.NewSecret(text)
		return key
	}

	greedy := direct("several segments, for one parameter of Echo's route", accepted("orders_key"), func(m message) message {
		return to(m, get("/items/7/x")).sign(orders, now, all)
	})
	greedy.wantOfEcho = refused(core.CodeRequestAmbiguous)
	elsewhere := scoped
	elsewhere.Region = "another-region"

	table := of(flat,
		viaGateway("through the gateway: GET", get("/orders/7?b=2&a=1&a=0&q=x+y%2Fz", "X-Tenant: blue"), accepted("orders_key")),
		viaGateway("through the gateway: POST", post("/orders/", `{"amount":100}`), accepted("orders_key")),
		viaGateway("through the gateway: body digest declared", post("/payments/pay", `{"amount":100}`), accepted("payments_key")),
		viaGateway("through the gateway: payload unsigned, where allowed", post("/uploads/file", "bytes"), accepted("orders_key")),
		viaGateway("through the gateway: temporary key", get("/temporary/"), accepted("temporary_key")),
		viaGateway("through the gateway: client's own x-sdk-date and credentials are stripped",
			get("/orders/7", "X-Sdk-Date: 19700101T000000Z", "Authorization: Bearer stolen", "X_Sdk_Date: x"), accepted("orders_key")),
		viaGateway("open API", get("/healthz"), accepted("-")),
		viaGateway("through the gateway: a request that someone captures", post("/captured/", `{"amount":100}`), accepted("orders_key")),
		viaGateway("through the gateway: the same request again", post("/captured/", `{"amount":100}`), refused(core.CodeReplayed)),
		viaGateway("through the gateway: another request of that second", post("/captured/", `{"amount":101}`), accepted("orders_key")),
		viaGateway("through the gateway: an exempt method", get("/captured/"), accepted("orders_key")),
		viaGateway("through the gateway: an exempt method, again", get("/captured/"), accepted("orders_key")),
		viaGateway("through the gateway: streamed, larger than max_body of other APIs", post("/streams/film", strings.Repeat("x", maxBody+1)), accepted("orders_key")),
		viaGateway("through the gateway: streamed, larger than max_body of this API", post("/streams/film", strings.Repeat("x", 2*maxBody+1)), refused(core.CodeBodyTooLarge)),

		direct("directly to the backend, correctly signed", accepted("orders_key"), valid),
		direct("directly to the backend, captured and sent again", refused(core.CodeReplayed), valid),
		direct("directly to the backend, captured and sent again with another header", refused(core.CodeReplayed),
			func(m message) message { return valid(m).with("X-Fresh: 1") }),
		direct("unsigned x-apig-* header, which is removed for the handler", accepted("orders_key"), func(m message) message {
			return to(m, post("/orders/8", "x")).sign(orders, now, all).with("X-Apig-Identity: root")
		}),
		direct("x-amz-* header that a CDN added, of another protocol than the credential's", accepted("orders_key"), func(m message) message {
			return to(m, post("/orders/9", "x")).sign(orders, now, all).with("X-Amz-Cf-Id: 1")
		}),
		direct("streamed, digest declared", accepted("orders_key"), func(m message) message {
			return to(m, post("/streams/7", "x", "X-Sdk-Content-Sha256: "+hexSHA256("x"))).sign(orders, now, "host;x-sdk-content-sha256;x-sdk-date")
		}),
		direct("streamed, another body: the handler's read fails", refused(core.CodeBodyMismatch), func(m message) message {
			return to(m, post("/streams/8", "x", "X-Sdk-Content-Sha256: "+hexSHA256("y"))).sign(orders, now, "host;x-sdk-content-sha256;x-sdk-date")
		}),
		direct("streamed, truncated: the handler's read fails", refused(core.CodeBodyMismatch), func(m message) message {
			return to(m, post("/streams/9", "x", "X-Sdk-Content-Sha256: "+hexSHA256("xy"))).sign(orders, now, "host;x-sdk-content-sha256;x-sdk-date")
		}),
		direct("streamed, another body whose digest is not declared: the handler does not run", refused(core.CodeSignatureMismatch), func(m message) message {
			return to(m, post("/streams/10", "one")).sign(orders, now, all).replace("one", "two")
		}),
		direct("query sorted as the vendor's Java SDK does", accepted("orders_key"), func(m message) message {
			return to(m, get("/orders/7?a%2Fb=1&a-b=2")).sign(orders, now, all)
		}),
		direct("query sorted as the vendor's Go SDK does", accepted("orders_key"), func(m message) message {
			return to(m, get("/orders/7?a-b=2&a%2Fb=1")).sign(orders, now, all)
		}),
		signedWith("previous secret, during the rotation", accepted("orders_key"), secret("orders-secret-of-yesterday"), now),
		signedWith("previous secret, after the rotation", refused(core.CodeSignatureMismatch), secret("orders-secret-of-last-year"), now),
		signedWith("wrong secret", refused(core.CodeSignatureMismatch), secret("a guess"), now),
		signedWith("unknown key", refused(core.CodeKeyUnknown), core.Key{ID: "unknown", Secret: orders.Secret}, now),
		signedWith("key of another API", refused(core.CodeKeyNotBound), payments, now),
		signedWith("key of another scheme", refused(core.CodeSchemeNotAccepted), partner, now),
		signedWith("20 minutes old", refused(core.CodeSignatureExpired), orders, now.Add(-20*time.Minute)),
		signedWith("20 minutes ahead", refused(core.CodeSignatureNotYetValid), orders, now.Add(20*time.Minute)),

		direct("body that arrives when the date is too old", refused(core.CodeSignatureExpired), func(m message) message {
			return to(m, post(lateBody, "x")).sign(orders, now, all)
		}),
		greedy,

		direct("no credential", refused(core.CodeCredentialMissing), func(m message) message { return to(m, get("/orders/7")) }),
		direct("an API that is bound to no key", refused(core.CodeKeyNotBound), func(m message) message { return to(m, get("/elsewhere")).sign(orders, now, all) }),
		direct("open API with a second slash", refused(core.CodeCredentialMissing), func(m message) message { return to(m, get("//healthz")) }),
		direct("open API, and another one after decoding", refused(core.CodeRequestAmbiguous), func(m message) message { return to(m, get("/public/%2e%2e/orders/7")) }),
		direct("method override on an open API", refused(core.CodeHeaderNotSigned), func(m message) message { return to(m, get("/healthz", "X-HTTP-Method-Override: DELETE")) }),
		direct("another API after resolving an encoded dot segment", refused(core.CodeRequestAmbiguous), func(m message) message { return to(m, get("/orders/%2e%2e/payments/x")) }),
		direct("another API for routers that do not resolve dot segments, with a password", refused(core.CodeRequestAmbiguous), func(m message) message {
			return to(m, get("/orders/../partner/list", "Authorization: Basic cGFydG5lcjpwYXJ0bmVyLXBhc3N3b3Jk"))
		}),
		direct("signed for another service with the same key", refused(core.CodeHostNotOurs), func(message) message {
			return get("/orders/7", "Host: other.example").sign(orders, now, all)
		}),
		direct("malformed credential", refused(core.CodeCredentialMalformed), func(m message) message { return to(m, get("/orders/7", "Authorization: SDK-HMAC-SHA256 ,,,")) }),
		direct("credential of another scheme", refused(core.CodeSchemeNotAccepted), func(m message) message { return valid(m).replace("SDK-HMAC-SHA256", "SDK-HMAC-SHA512") }),
		direct("scheme of another key", refused(core.CodeCredentialMalformed), func(m message) message { return valid(m).replace("SDK-HMAC-SHA256", "AWS4-HMAC-SHA256") }),
		direct("two Authorization lines", refused(core.CodeRequestAmbiguous), func(m message) message {
			return valid(m).with("Authorization: " + valid(m).header("Authorization"))
		}),
		changedTo("Authorization longer than 8 KiB", core.CodeCredentialMalformed, "SDK-HMAC-SHA256 ", "SDK-HMAC-SHA256 "+strings.Repeat(" ", 9000)),
		direct("no host", refused(core.CodeRequestAmbiguous), func(message) message { return get("/orders/7", "Host: ").sign(orders, now, all) }),
		changedTo("field repeated", core.CodeCredentialMalformed, ", Signature=", ", Signature=0, Signature="),
		changedTo("field unknown", core.CodeCredentialMalformed, ", Signature=", ", Extra=1, Signature="),
		changedTo("field without a value", core.CodeCredentialMalformed, "Access=071fe2459cf64d75", "Access="),
		changedTo("SignedHeaders twice", core.CodeCredentialMalformed, ", Signature=", ", SignedHeaders=host, Signature="),
		changedTo("scoped credential, with a key that has no scope", core.CodeSchemeNotAccepted, "Access=071fe2459cf64d75",
			"Credential=071fe2459cf64d75/"+now.UTC().Format("20060102")+"/r/s/sdk_request"),
		changedTo("date in another format", core.CodeCredentialMalformed, now.UTC().Format("20060102T150405Z"), now.UTC().Format(time.RFC1123)),
		changedTo("a date that does not exist", core.CodeCredentialMalformed, now.UTC().Format("20060102T150405Z"), now.UTC().Format("20060102")+"T246000Z"),
		invalid("credentials in the query as well", core.CodeRequestAmbiguous, get("/orders/7?X-Sdk-Signature=0"), all),
		direct("signature one digit short", refused(core.CodeCredentialMalformed), func(m message) message {
			h := valid(m)
			auth := h.header("Authorization")
			return h.replace(auth, auth[:len(auth)-1])
		}),
		direct("signature in upper case", refused(core.CodeCredentialMalformed), func(m message) message {
			h := valid(m)
			_, signature, _ := strings.Cut(h.header("Authorization"), "Signature=")
			return h.replace(signature, strings.ToUpper(signature[:63])+"A")
		}),

		changed("method changed", "POST", "PUT"),
		changed("path changed", "/orders/7", "/orders/8"),
		changed("parameter changed", "a=1", "a=9"),
		changed("parameter added", "a=1", "a=1&c=3"),
		changed("host changed", "Host: 127.0.0.1", "Host: localhost"),
		changed("signed header changed", "blue", "green"),
		changed("date changed", now.UTC().Format("20060102T150405Z"), now.UTC().Add(time.Second).Format("20060102T150405Z")),
		changed("body changed", `"amount":100`, `"amount":900`),
		changed("list of signed headers changed", "SignedHeaders=host;x-sdk-date;x-tenant", "SignedHeaders=content-length;host;x-sdk-date;x-tenant"),
		added("signed header repeated", core.CodeSignatureMismatch, "X-Tenant: green"),
		added("signed header with an underscore", core.CodeRequestAmbiguous, "X_Tenant: green"),
		added("date repeated", core.CodeRequestAmbiguous, "X-Sdk-Date: "+now.UTC().Format("20060102T150405Z")),
		added("date with underscores", core.CodeRequestAmbiguous, "X_Sdk_Date: 19700101T000000Z"),
		added("x-sdk-* header added", core.CodeHeaderNotSigned, "X-Sdk-Foo: 1"),
		added("method override added", core.CodeHeaderNotSigned, "X-HTTP-Method-Override: DELETE"),
		added("signed header named by Connection", core.CodeRequestAmbiguous, "Connection: X-Tenant"),
		added("more than 256 header lines", core.CodeRequestAmbiguous, strings.TrimSuffix(strings.Repeat("X-Filler: 1\r\n", 300), "\r\n")),

		invalid("date not signed", core.CodeHeaderNotSigned, get("/orders/7"), "host"),
		invalid("host not signed", core.CodeHeaderNotSigned, get("/orders/7"), "x-sdk-date"),
		invalid("required header not signed", core.CodeHeaderNotSigned, get("/orders/7", "X-Tenant: blue"), all),
		invalid("signed header that is absent", core.CodeHeaderNotSigned, get("/orders/7"), "host;x-absent;x-sdk-date"),
		invalid("signed hop-by-hop header", core.CodeHeaderNotSigned, get("/orders/7", "TE: trailers"), "host;te;x-sdk-date"),
		invalid("signed headers not sorted", core.CodeCredentialMalformed, get("/orders/7"), "x-sdk-date;host"),
		invalid("more than 64 signed headers", core.CodeCredentialMalformed, get("/orders/7"), many("a%03d;", 65)+all),
		invalid("encoded slash", core.CodeRequestAmbiguous, get("/orders/7%2F8"), all),
		invalid("encoded letter", core.CodeRequestAmbiguous, get("/orders/%61"), all),
		invalid("dot segment", core.CodeRequestAmbiguous, get("/orders/./7"), all),
		invalid("NUL in the path", core.CodeRequestAmbiguous, get("/orders/%00"), all),
		invalid("semicolon in the query", core.CodeRequestAmbiguous, get("/orders/7?a=1;b=2"), all),
		invalid("bad escape in the query", core.CodeRequestAmbiguous, get("/orders/7?a=%zz"), all),
		invalid("parameter without a name", core.CodeRequestAmbiguous, get("/orders/7?a=1&=2"), all),
		invalid("more than 1024 parameters", core.CodeRequestAmbiguous, get("/orders/7?"+many("a%04d=1&", 1025)+"b=1"), all),
		invalid("absolute-form target", core.CodeRequestAmbiguous, get("http://other.example/orders/7"), all),
		invalid("payload unsigned, where not allowed", core.CodePayloadNotSigned, post("/orders/7", "x", "X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD"), "host;x-sdk-content-sha256;x-sdk-date"),
		invalid("payload in chunks", core.CodePayloadUnsupported, post("/orders/7", "x", "X-Sdk-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER"), "host;x-sdk-content-sha256;x-sdk-date"),
		invalid("declared digest of another body", core.CodeBodyMismatch, post("/orders/7", "x", "X-Sdk-Content-Sha256: "+hexSHA256("y")), "host;x-sdk-content-sha256;x-sdk-date"),
		invalid("digest in an unknown format", core.CodeCredentialMalformed, post("/orders/7", "x", "X-Sdk-Content-Sha256: x"), "host;x-sdk-content-sha256;x-sdk-date"),
		invalid("body over the limit", core.CodeBodyTooLarge, post("/orders/7", strings.Repeat("x", maxBody+1)), all),
		invalid("body over the limit, of unknown length", core.CodeBodyTooLarge, post("/orders/7", strings.Repeat("x", maxBody+1), "Transfer-Encoding: chunked"), all),
		direct("body of unknown length", accepted("orders_key"), func(m message) message {
			return to(m, post("/orders/7", "x", "Transfer-Encoding: chunked")).sign(orders, now, all)
		}),
		invalid("empty body of unknown length", core.CodeBodyMismatch, post("/orders/7", "", "Transfer-Encoding: chunked"), all),
		direct("session token missing", refused(core.CodeSignatureMismatch), func(m message) message { return to(m, get("/temporary/")).sign(temporary, now, all) }),
	)
	table = append(table, of(password,
		viaGateway("through the gateway: Basic", get("/partner/list"), accepted("partner_key")),
		direct("wrong password", refused(core.CodeSignatureMismatch), func(m message) message {
			return to(m, get("/partner/list", "Authorization: Basic cGFydG5lcjp3cm9uZw=="))
		}),
		direct("no password", refused(core.CodeCredentialMalformed), func(m message) message { return to(m, get("/partner/list", "Authorization: Basic cGFydG5lcg==")) }),
		direct("not base64", refused(core.CodeCredentialMalformed), func(m message) message { return to(m, get("/partner/list", "Authorization: Basic cGFydG5lcjp=x")) }),
	)...)
	table = append(table, of(tokens,
		viaGateway("through the gateway: token", get("/token/"), accepted(callersKey)),
		viaGateway("the identity service does not answer", get("/unanswered/"), refused(core.CodeUnavailable)),
		direct("token that is not valid", refused(core.CodeSignatureMismatch), func(m message) message { return to(m, get("/token/", "X-Auth-Token: token-of-blu")) }),
		direct("token of another project", refused(core.CodeSignatureMismatch), func(m message) message { return to(m, get("/token/", "X-Auth-Token: token-of-green")) }),
		direct("malformed token", refused(core.CodeCredentialMalformed), func(m message) message { return to(m, get("/token/", "X-Auth-Token: token of blue")) }),
		direct("two tokens", refused(core.CodeRequestAmbiguous), func(m message) message {
			return to(m, get("/token/", "X-Auth-Token: token-of-blue", "X-Auth-Token: token-of-green"))
		}),
		added("token and a signature", core.CodeRequestAmbiguous, "X-Auth-Token: token-of-blue"),
		direct("token for an API that is bound to a signature", refused(core.CodeKeyUnknown), func(m message) message { return to(m, get("/orders/7", "X-Auth-Token: token-of-blue")) }),
	)...)
	table = append(table, of("aksk",
		direct("AK/SK: signed for another region", refused(core.CodeSignatureMismatch), func(m message) message {
			return to(m, get("/aksk/items")).signedBy(apig.NewScopedSigner(elsewhere, apig.SignOptions{}), now)
		}),
	)...)
	for _, s := range signing {
		signedFor := func(api, old, new string) func(m message) message {
			return func(m message) message {
				return to(m, post(api+"items?a=1", `{"amount":100}`)).signedBy(s.signer, now).replace(old, new)
			}
		}
		table = append(table, of(s.scheme,
			viaGateway("through the gateway: "+s.what, post(s.api+"items?b=2&a=1", `{"amount":100}`), accepted(s.key)),
			direct(s.what+": parameter changed", refused(core.CodeSignatureMismatch), signedFor(s.api, "a=1", "a=9")),
			direct(s.what+": body changed", refused(core.CodeSignatureMismatch), signedFor(s.api, `"amount":100`, `"amount":900`)),
			direct(s.what+": signed for the API of another key", refused(core.CodeKeyNotBound), signedFor("/orders/", "a=1", "a=1")))...)
	}
	return table
}

// many returns n entries of a format with a number.
func many(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
