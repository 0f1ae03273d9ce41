package main

import (
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// commonRows returns the rows of every scheme that signs requests.
func commonRows(a *algorithm, keys []vectors.Key) []row {
	var rows []row
	for _, table := range [][]row{
		acceptedRows(a), keyRows(a, keys), messageRows(), bodyRows(a), timeRows(a), coverageRows(a), authorizationRows(a), formRows(a),
	} {
		rows = append(rows, table...)
	}
	return rows
}

func acceptedRows(a *algorithm) []row {
	return []row{
		accepted("get"),
		accepted("post").post(),
		accepted("post-in-chunks").post().sending(inChunks(3)).note("The framing is not signed; the signature is that of the vector post."),
		accepted("post-without-a-body", method("POST")),
		accepted("method-patch", method("PATCH"), body("x")).once(),
		accepted("body-binary", method("PUT"), body("\x00\x01\xfe\xff\r\n"), header("Content-Type: application/octet-stream")).
			note("Content-Type is there and not signed: not covered."),
		accepted("header-signed", header("X-Role: user", "Content-Type: application/json"), signs("x-role", "content-type")),
		accepted("header-signed-empty", header("X-Empty:"), signs("x-empty")),
		accepted("header-signed-content-length", signs("content-length")).post().once(),
		accepted("headers-unsigned").sending(header("User-Agent: curl/8.5", "Accept: */*", "X-Request-Id: 7", "Traceparent: 00-0-0-00")),
		accepted("host-with-port", hostIs("api.example.com:8443")).once(),
		accepted("host-in-upper-case", hostIs("API.Example.com")).once().note("The host is signed as it was sent."),
		accepted("authorization-without-spaces").sending(func(d *draft) {
			d.authorization = strings.ReplaceAll(d.authorization, ", ", ",")
		}),
		accepted("authorization-with-tabs").sending(func(d *draft) {
			d.authorization = strings.ReplaceAll(d.authorization, ", ", " \t,\t ")
		}).once(),
		accepted("authorization-in-another-order").sending(func(d *draft) {
			token, fields, _ := strings.Cut(d.authorization, " ")
			list := strings.Split(fields, ", ")
			d.authorization = token + " " + list[len(list)-1] + ", " + strings.Join(list[:len(list)-1], ", ")
		}),
		accepted("digest-declared", declaresBody(`{"amount":100}`)).post(),
		accepted("digest-declared-in-chunks", declaresBody(`{"amount":100}`)).post().sending(inChunks(5)).once(),
		accepted("digest-unsigned-is-ignored").post().sending(declaresBody("another body")).
			note("A digest header that is not signed says nothing; the hash of the body was signed."),
		accepted("unsigned-payload-allowed", declares("UNSIGNED-PAYLOAD")).post().
			under(vectors.Policy{AllowUnsignedPayload: true}).sending(body("anything at all")),
		accepted("host-unsigned-allowed", lists(strings.ToLower(dateAndMore(a)))).under(vectors.Policy{RequireSigned: []string{}}),
		accepted("required-header-absent").under(vectors.Policy{RequireSigned: []string{"host", "x-role"}}).once(),
		accepted("required-header-signed", header("X-Role: user"), signs("x-role")).
			under(vectors.Policy{RequireSigned: []string{"host", "x-role"}}).once(),
	}
}

// dateAndMore returns the headers that the scheme requires to be signed in addition to
// host.
func dateAndMore(a *algorithm) string {
	if a.regionSet {
		return "X-Amz-Date;X-Amz-Region-Set"
	}
	return a.dateHeader()
}

func keyRows(a *algorithm, keys []vectors.Key) []row {
	old := keys[rotated].Previous[0]
	previous := keys[rotated]
	previous.Secret = old.Secret
	if old.Key != "" {
		previous.Key = old.Key
	}
	rows := []row{
		accepted("previous-secret", with(previous)).by(keys[rotated]),
		accepted("current-secret").by(keys[rotated]).once(),
		odd("previous-secret-retired", core.CodeSignatureMismatch, with(previous), dated("20260115T120459Z")).
			by(keys[rotated]).when("20260115T120500Z").note("Until is the first instant at which the secret is not accepted."),
		odd("key-of-another-api", core.CodeKeyNotBound, with(keys[partner])).by(keys[orders]),
		odd("secret-wrong", core.CodeSignatureMismatch, withSecret(strings.Repeat("0", len(keys[orders].Secret)))),
		odd("secret-of-another-key", core.CodeSignatureMismatch, withSecret(keys[partner].Secret)),
	}
	if a.tokenHeader == "" {
		return rows
	}
	key := keys[temporary]
	plain := key
	plain.SessionToken = ""
	unsigned := core.CodeSignatureMismatch
	if a.prefix == "X-Amz-" {
		unsigned = core.CodeHeaderNotSigned // a header of the protocol there
	}
	if a.prefix == "X-Amz-" {
		borrowed := keys[orders]
		borrowed.SessionToken = key.SessionToken
		rows = append(rows, odd("session-token-for-a-key-without-one", core.CodeSignatureMismatch, with(borrowed)).by(keys[orders]).atOnce())
	}
	return append(rows,
		odd("key-unknown", core.CodeKeyUnknown, with(renamed(keys[orders], "AKTESTAKTEST9999"))),
		odd("key-in-lower-case", core.CodeKeyUnknown, with(renamed(keys[orders], "aktestaktest0001"))),
		row{name: "no-key-bound", code: core.CodeKeyNotBound, unbound: true},
		accepted("session-token").by(key),
		odd("session-token-absent", core.CodeSignatureMismatch, with(plain)).by(key).atOnce(),
		odd("session-token-unsigned", unsigned, with(plain)).by(key).atOnce().sending(header(a.tokenHeader+": "+key.SessionToken)),
		odd("session-token-of-another-key", core.CodeSignatureMismatch, header(a.tokenHeader+": another")).by(key).atOnce(),
	)
}

func renamed(key vectors.Key, id string) vectors.Key {
	key.Key = id
	return key
}

// messageRows returns rows that change one signed part each.
func messageRows() []row {
	const mismatch = core.CodeSignatureMismatch
	role := func(r row) row { return r.signing(header("X-Role: user"), signs("x-role")) }
	return []row{
		tampered("method-changed", mismatch, method("POST")),
		tampered("method-in-lower-case", mismatch, method("get")).once(),
		tampered("host-changed", mismatch, hostIs("evil.example.com")),
		tampered("host-port-added", mismatch, hostIs("api.example.com:443")).once(),
		tampered("path-changed", mismatch, target("/v1/items2")),
		tampered("path-case-changed", mismatch, target("/V1/items")).once(),
		tampered("path-segment-added", mismatch, target("/v1/items/7")),
		tampered("path-question-mark-encoded", mismatch, target("/v1/items%3Fx=1")).once(),
		tampered("query-added", mismatch, target("/v1/items?admin=1")),
		tampered("query-value-changed", mismatch, target("/v1/items?a=2&b=")).post(),
		tampered("query-name-case-changed", mismatch, target("/v1/items?A=1&b=")).post().once(),
		tampered("query-parameter-removed", mismatch, target("/v1/items?a=1")).post(),
		tampered("query-parameter-repeated", mismatch, target("/v1/items?a=1&b=&b=")).post(),
		tampered("query-plus-is-no-plus", mismatch, target("/v1/items?q=a+b")).signing(target("/v1/items?q=a%2Bb")).
			note("A plus sign in the query is a space."),
		role(tampered("header-changed", mismatch, set("X-Role: admin"))),
		role(tampered("header-repeated", mismatch, header("X-Role: admin"))),
		role(tampered("header-taken-from-the-list", mismatch, func(d *draft) {
			relists(strings.Replace(d.list, ";x-role", "", 1))(d)
		})),
		tampered("body-changed", mismatch, body(`{"amount":900}`)).post(),
		tampered("body-empty", mismatch, body("")).post(),
		tampered("body-longer", mismatch, body(`{"amount":100}0`)).post(),
		tampered("body-shorter", mismatch, body(`{"amount":100`)).post().once(),
		tampered("body-added-to-get", mismatch, body("abc")),
		tampered("signature-bit-flipped", mismatch, signature(bitFlipped)),
	}
}

func bodyRows(a *algorithm) []row {
	const malformed = core.CodeCredentialMalformed
	return []row{
		tampered("digest-declared-of-another-body", core.CodeBodyMismatch, body(`{"amount":900}`)).post().signing(declaresBody(`{"amount":100}`)),
		odd("digest-declared-wrongly", core.CodeBodyMismatch, declaresBody("another body")).post(),
		tampered("digest-changed", core.CodeSignatureMismatch, func(d *draft) {
			body(`{"amount":900}`)(d)
			set(a.digestHeader + ": " + a.hash(d.body))(d)
		}).post().signing(declaresBody(`{"amount":100}`)),
		odd("digest-in-upper-case", malformed, declares(strings.ToUpper(a.hash("")))),
		odd("digest-too-short", malformed, declares(a.hash("")[:63])).once(),
		odd("digest-empty", malformed, declares("")).once(),
		odd("unsigned-payload-in-lower-case", malformed, declares("unsigned-payload")).under(vectors.Policy{AllowUnsignedPayload: true}).once(),
		odd("unsigned-payload", core.CodePayloadNotSigned, declares("UNSIGNED-PAYLOAD")).post(),
		tampered("unsigned-payload-unsigned", core.CodeSignatureMismatch, declares("UNSIGNED-PAYLOAD"), body("another body")).post().
			under(vectors.Policy{AllowUnsignedPayload: true}).note("The header is not signed, so it says nothing."),
		odd("payload-in-signed-chunks", core.CodePayloadUnsupported, declares("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")).post().
			under(vectors.Policy{AllowUnsignedPayload: true}),
		tampered("body-cut-off", core.CodeBodyMismatch, announced("100")).post().note("The connection ends before the announced length."),
		odd("body-too-large", core.CodeBodyTooLarge).post().under(vectors.Policy{MaxBody: 13}),
		odd("body-too-large-in-chunks", core.CodeBodyTooLarge).post().sending(inChunks(4)).under(vectors.Policy{MaxBody: 13}),
		accepted("body-as-large-as-allowed").post().under(vectors.Policy{MaxBody: 14}).once(),
	}
}

func timeRows(a *algorithm) []row {
	const malformed = core.CodeCredentialMalformed
	return []row{
		accepted("date-15-minutes-old", dated("20260115T114500Z")),
		accepted("date-15-minutes-ahead", dated("20260115T121500Z")),
		accepted("date-at-the-edge-of-a-short-skew", dated("20260115T115900Z")).under(vectors.Policy{ClockSkew: 60}).once(),
		odd("date-past-a-short-skew", core.CodeSignatureExpired, dated("20260115T115859Z")).under(vectors.Policy{ClockSkew: 60}).once(),
		odd("date-too-old", core.CodeSignatureExpired, dated("20260115T114459Z")),
		odd("date-too-far-ahead", core.CodeSignatureNotYetValid, dated("20260115T121501Z")),
		odd("date-of-another-year", core.CodeSignatureExpired, dated("19700101T000000Z")).once(),
		tampered("date-changed", core.CodeSignatureMismatch, set(a.dateHeader()+": 20260115T120001Z")),
		odd("date-absent", malformed, dated(""), day("20260115")),
		odd("date-extended-format", malformed, dated("2026-01-15T12:00:00Z"), day("20260115")),
		odd("date-of-http", malformed, dated("Thu, 15 Jan 2026 12:00:00 GMT"), day("20260115")).once(),
		odd("date-with-offset", malformed, dated("20260115T120000+0000")).once(),
		odd("date-in-lower-case", malformed, dated("20260115t120000z")).once(),
		odd("date-that-does-not-exist", malformed, dated("20260230T120000Z")),
		odd("date-with-leap-second", malformed, dated("20260115T115960Z")).once(),
	}
}
