package main

import (
	"encoding/base64"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// aesRows returns the rows of AES profile 1: the request need not name the key, and the
// length of the key determines the algorithm.
func aesRows(keys []vectors.Key) []row {
	const mismatch = core.CodeSignatureMismatch
	unnamed := func(d *draft) { replace("Access="+d.key.Name+", ", "")(d) }
	half := func(from, to int, other string) change {
		return signature(func(d *draft) string { return d.signature[:from] + other + d.signature[to:] })
	}
	return []row{
		accepted("key-not-named").sending(unnamed).note("The key that is bound to the API is taken."),
		accepted("key-of-256-bits").by(keys[long]),
		accepted("key-of-256-bits-not-named").by(keys[long]).sending(unnamed),
		odd("key-unknown", core.CodeKeyUnknown, func(d *draft) { d.key.Name = "other_key" }),
		tampered("key-of-another-api-not-named", mismatch, unnamed).signing(with(keys[partner])).by(keys[orders]).disputed(keys[orders]),
		row{name: "no-key-bound", code: core.CodeKeyNotBound, unbound: true},
		row{name: "no-key-bound-and-none-named", code: core.CodeKeyUnknown, unbound: true, sent: []change{unnamed}},
		odd("algorithm-of-the-other-length", core.CodeSchemeNotAccepted, func(d *draft) { d.token = "SDK-AES-256-CFB" }),
		tampered("algorithm-of-192-bits", core.CodeSchemeNotAccepted, replace("SDK-AES-128-CFB", "SDK-AES-192-CFB")),
		odd("vector-wrong", mismatch, withSecret("vector-000000000")),
		odd("credential-in-the-other-field", core.CodeCredentialMalformed).sending(replace("Access=", "Credential=")),
		tampered("signature-of-one-block", core.CodeCredentialMalformed, signature(func(d *draft) string { return d.signature[:32] })),
		tampered("signature-first-bit-flipped", mismatch, signature(func(d *draft) string {
			return string("89abcdef01234567"[strings.IndexByte("0123456789abcdef", d.signature[0])]) + d.signature[1:]
		})).note("CFB changes the same bit of the first block, and all of the second."),
		tampered("signature-second-block-of-zeros", mismatch, half(32, 64, strings.Repeat("0", 32))),
		accepted("session-token-means-nothing", header("X-Security-Token: x")).note("The scheme has no temporary keys."),
	}
}

// disputed changes the row such that the request names another key than the one that
// signed it.
func (r row) disputed(key vectors.Key) row {
	r.sent = append(r.sent, with(key))
	return r
}

// basicRows returns the rows of Basic credentials, which cover nothing of the request.
func basicRows(keys []vectors.Key) []row {
	const (
		malformed = core.CodeCredentialMalformed
		ambiguous = core.CodeRequestAmbiguous
	)
	user := func(text string) change { return authorization(basicAuthorization(text)) }
	right := user("basicuser:basic-pass-123")
	wrong := user("basicuser:basic-pass-124")
	padded := base64.StdEncoding.EncodeToString([]byte("partneruser:basic-pass-789"))
	encoded := base64.StdEncoding.EncodeToString([]byte("basicuser:basic-pass-123"))
	return []row{
		accepted("get", right),
		accepted("post-in-chunks", posted, inChunks(4), right).note("Nothing of the request is covered."),
		accepted("with-a-query", target("/v1/items?a=1&b"), right),
		accepted("base64-with-padding", authorization("Basic "+padded)).by(keys[partner]),
		accepted("token-in-lower-case", authorization("basic "+encoded)),
		accepted("with-a-protocol-header", header("X-Sdk-Foo: 1"), right),
		odd("authorization-absent", core.CodeCredentialMissing),
		odd("authorization-empty", malformed, authorization(" ")),
		odd("authorization-token-alone", malformed, authorization("Basic")),
		odd("authorization-bearer", core.CodeSchemeNotAccepted, authorization("Bearer abc")),
		odd("authorization-of-another-scheme", core.CodeSchemeNotAccepted,
			authorization("SDK-HMAC-SHA256 Access=basicuser, SignedHeaders=host, Signature=00")),
		odd("user-unknown", core.CodeKeyUnknown, user("nobody:basic-pass-123")),
		odd("user-in-upper-case", core.CodeKeyUnknown, user("BasicUser:basic-pass-123")),
		odd("password-wrong", core.CodeSignatureMismatch, wrong),
		odd("password-cut", core.CodeSignatureMismatch, user("basicuser:basic-pass-12")),
		odd("password-longer", core.CodeSignatureMismatch, user("basicuser:basic-pass-1234")),
		odd("password-in-upper-case", core.CodeSignatureMismatch, user("basicuser:BASIC-PASS-123")),
		odd("user-and-password-of-another-api", core.CodeKeyNotBound, user("partneruser:basic-pass-789")),
		odd("password-empty", malformed, user("basicuser:")),
		odd("user-empty", malformed, user(":basic-pass-123")),
		odd("without-a-colon", malformed, user("basicuser")),
		odd("not-base64", malformed, authorization("Basic basicuser:basic-pass-123=")),
		odd("base64-without-its-padding", malformed, authorization("Basic "+strings.TrimRight(padded, "="))).by(keys[partner]),
		odd("base64-for-urls", malformed, authorization("Basic fn5-Pz8_")),
		odd("base64-with-bits-left-over", malformed, authorization("Basic cGFydG5lcnVzZXI6YmFzaWMtcGFzcy03ODl=")).by(keys[partner]).
			note("Decoders that ignore the last bits read the right password."),
		odd("two-spaces", malformed, authorization("Basic  "+encoded)),
		odd("authorization-twice", ambiguous, right, header("Authorization: "+"Basic "+encoded)),
		odd("credential-in-the-query-as-well", ambiguous, right, target("/v1/items?X-Sdk-Signature=00")),
		odd("target-in-absolute-form", ambiguous, right, target("http://"+apiHost+"/v1/items")),
		odd("query-with-a-semicolon", ambiguous, right, target("/v1/items?a=1;b=2")),
		odd("method-override", core.CodeHeaderNotSigned, right, header("X-HTTP-Method-Override: DELETE")),
		odd("body-too-large", core.CodeBodyTooLarge, right, posted).under(vectors.Policy{MaxBody: 13}),
		row{name: "throttled", code: core.CodeThrottled, signed: []change{right}, before: []change{wrong},
			comment: "The right password, after ten wrong ones within the second."},
		accepted("throttled-only-for-the-user", user("partneruser:basic-pass-789")).by(keys[partner]).after(wrong),
	}
}

func (r row) after(changes ...change) row {
	r.before = changes
	return r
}

// tokenRows returns the rows of tokens, which the identity service checks.
func tokenRows(keys []vectors.Key) []row {
	const (
		good        = "gAAAAABobQ-token-of-the-caller_1"
		mismatch    = core.CodeSignatureMismatch
		unavailable = core.CodeUnavailable
		malformed   = core.CodeCredentialMalformed
		ambiguous   = core.CodeRequestAmbiguous
	)
	json := map[string]string{"Content-Type": "application/json"}
	login := &vectors.Answer{Status: 201, Header: map[string]string{"Content-Type": "application/json", "X-Subject-Token": "own-token"},
		Body: `{"token":{"expires_at":"2026-01-16T12:00:00.000000Z","user":{"id":"service-1","name":"gateway"},"project":{"id":"project-0","name":"service"}}}`}
	says := func(status int, body string) vectors.IdentityService {
		return vectors.IdentityService{Login: login, Token: good, Check: &vectors.Answer{Status: status, Header: json, Body: body}}
	}
	logsIn := func(status int, header map[string]string, body string) vectors.IdentityService {
		return vectors.IdentityService{Login: &vectors.Answer{Status: status, Header: header, Body: body}}
	}
	const document = `{"token":{"expires_at":"2026-01-16T12:00:00.000000Z","methods":["password"],"user":{"id":"user-1","name":"caller","domain":{"id":"default"}},` +
		`"project":{"id":"project-1","name":"shop"},"roles":[{"id":"r1","name":"member"},{"id":"r2","name":"reader"}]}}`
	edit := func(old, replacement string) string {
		if !strings.Contains(document, old) {
			panic("no " + old)
		}
		return strings.Replace(document, old, replacement, 1)
	}
	attributes := map[string][]string{"user_id": {"user-1"}, "user_name": {"caller"}, "user_domain_id": {"default"},
		"project_id": {"project-1"}, "project_name": {"shop"}, "roles": {"member", "reader"}, "expires_at": {"2026-01-16T12:00:00Z"}}
	unscoped := map[string][]string{"user_id": {"user-1"}, "expires_at": {"2026-01-16T12:00:00Z"}}
	sent := header("X-Auth-Token: " + good)
	checked := func(name string, code core.Code, status int, body string) row {
		return odd(name, code, sent).asking(says(status, body))
	}
	return []row{
		accepted("get", sent).asking(says(200, document)).telling(attributes),
		accepted("post-in-chunks", posted, inChunks(4), sent).asking(says(200, document)).telling(attributes).note("Nothing of the request is covered."),
		accepted("unscoped", sent).telling(unscoped).
			asking(says(200, `{"token":{"expires_at":"2026-01-16T12:00:00Z","user":{"id":"user-1"}}}`)),
		accepted("project-asked-for", sent).by(keys[1]).asking(says(200, document)).telling(attributes),
		odd("project-of-another", mismatch, sent).by(keys[1]).asking(says(200, edit("project-1", "project-2"))),
		odd("project-asked-for-and-none", mismatch, sent).by(keys[1]).
			asking(says(200, `{"token":{"expires_at":"2026-01-16T12:00:00Z","user":{"id":"user-1"}}}`)),

		odd("token-absent", core.CodeCredentialMissing),
		odd("token-empty", malformed, header("X-Auth-Token:")),
		odd("token-with-a-space", malformed, header("X-Auth-Token: a b")),
		odd("token-not-ascii", malformed, header("X-Auth-Token: a\u00e9")),
		odd("token-too-long", malformed, header("X-Auth-Token: "+strings.Repeat("a", 8193))).note("More than 8192 bytes."),
		odd("token-twice", ambiguous, sent, sent),
		odd("token-with-underscores-as-well", ambiguous, sent, header("X_Auth_Token: other")),
		odd("credential-in-the-query-as-well", ambiguous, sent, target("/v1/items?X-Sdk-Signature=00")),
		odd("target-in-absolute-form", ambiguous, sent, target("http://"+apiHost+"/v1/items")),
		odd("authorization-instead", core.CodeSchemeNotAccepted, authorization(basicAuthorization("basicuser:basic-pass"))),
		odd("method-override", core.CodeHeaderNotSigned, sent, header("X-HTTP-Method-Override: DELETE")),
		odd("body-too-large", core.CodeBodyTooLarge, sent, posted).under(vectors.Policy{MaxBody: 13}),
		row{name: "no-key-bound", code: core.CodeKeyUnknown, unbound: true, signed: []change{sent}, comment: "No key, so no identity service to ask."},

		checked("token-not-valid", mismatch, 404, `{"error":{"code":404}}`),
		checked("token-unauthorized", mismatch, 401, `{"error":{"code":401}}`).
			note("Our own token is new, so the caller's is the one that is not valid."),
		checked("token-expired", mismatch, 200, edit("2026-01-16T12:00:00.000000Z", "2026-01-15T12:00:00.000000Z")),
		checked("service-forbids", unavailable, 403, `{}`),
		checked("service-fails", unavailable, 500, `{}`),
		checked("service-is-busy", unavailable, 429, `{}`),
		checked("service-redirects", unavailable, 302, ""),
		checked("answer-empty", unavailable, 200, ""),
		checked("answer-of-another-kind", unavailable, 200, `[]`),
		checked("answer-without-expiry", unavailable, 200, edit(`"expires_at":"2026-01-16T12:00:00.000000Z",`, "")),
		checked("answer-with-expiry-of-a-number", unavailable, 200, edit(`"2026-01-16T12:00:00.000000Z"`, "1")),
		checked("answer-with-expiry-in-the-year-9999", unavailable, 200, edit("2026-01-16", "9999-01-16")),
		checked("answer-without-user", unavailable, 200, edit(`"user":{"id":"user-1","name":"caller","domain":{"id":"default"}},`, "")),
		checked("answer-with-project-without-id", unavailable, 200, edit(`"id":"project-1",`, "")),
		checked("answer-with-role-without-name", unavailable, 200, edit(`,"name":"member"`, "")),
		checked("answer-with-a-member-twice", unavailable, 200, edit(`"methods":["password"]`, `"expires_at":"2026-01-16T12:00:00Z"`)),
		checked("answer-with-more-behind-it", unavailable, 200, document+"{}"),
		odd("answer-not-called-json", unavailable, sent).asking(vectors.IdentityService{Login: login, Token: good,
			Check: &vectors.Answer{Status: 200, Header: map[string]string{"Content-Type": "text/html"}, Body: document}}),
		odd("login-refused", unavailable, sent).asking(logsIn(401, json, `{"error":{"code":401}}`)),
		odd("login-fails", unavailable, sent).asking(logsIn(500, json, `{}`)),
		odd("login-without-a-token", unavailable, sent).asking(logsIn(201, json, login.Body)),
	}
}
