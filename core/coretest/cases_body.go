package coretest

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// tampered returns P2 with another body and its Content-Length, and the same signature.
func tampered(body string) message { return p2().carrying(body) }

func bodyCases() []testCase {
	tooLarge := refused(core.CodeBodyTooLarge)
	tooLarge.closing = true
	announced := func(m message) message { return m.set("Content-Length", strconv.Itoa(maxBody+1)) }
	emptied := announced(p2())
	emptied.body = ""
	unknown := waitingFor(p2().set("Authorization", hmacFields("NOPE", plain, p2Signature)))
	unknown.body = ""
	compressed := k1.sign(p2().carrying(gzipped([]byte(`{"amount":100}`))).with("Content-Encoding: gzip"), plain)
	return slices.Concat(
		rows("T055", mismatch,
			row{"another amount", tampered(`{"amount":900}`)},
			row{"one bit flipped", tampered(`{"amount":101}`)},
			row{"no body", tampered("")},
			row{"one byte more", tampered(`{"amount":100} `)},
			row{"one byte less", tampered(`{"amount":100`)},
			row{"another body in chunks", tampered(`{"amount":900}`).chunked(3)}),
		rows("T056", unknownKey.bodyUnread(), row{"an unknown key and an announced body", unknown}),
		rows("T057", tooLarge.bodyUnread(), row{"one byte too many announced", emptied}),
		rows("T057", tooLarge, row{"one byte too many in chunks", p2().carrying(strings.Repeat("x", maxBody+1)).chunked(1 << 20)}),
		rows("T061", mismatch, row{"a body on a GET signed without", p1().carrying("abc")}),
		rows("T061", accepted, row{"a body on a GET signed with it", k1.sign(p1().carrying("abc"), plain)}),
		rows("T070", accepted, row{"a compressed body counts as sent", compressed}),
		rows("T070", mismatch, row{"a compressed body whose content was signed",
			k1.sign(p2(), plain).carrying(compressed.body).with("Content-Encoding: gzip")}),
	)
}

func gzipped(content []byte) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(content)
	z.Close()
	return b.String()
}

const digestList = "host;x-sdk-content-sha256;x-sdk-date"

// declaring returns P2 with a digest header, signed with this SignedHeaders list.
func declaring(value, list string) message {
	return k1.sign(p2().with("X-Sdk-Content-Sha256: "+value), list)
}

// Digests that the sender declares in a header.
func digestCases() []testCase {
	right, wrong := bodyHash(p2().body), bodyHash("another")
	declared := accepted
	declared.payload = core.PayloadDeclared
	return slices.Concat(
		rows("T059", declared, row{"the right digest, signed", declaring(right, digestList)}),
		rows("T059", refused(core.CodeBodyMismatch),
			row{"the digest of another body, signed", declaring(wrong, digestList)},
			row{"the right digest, and then another body", declaring(right, digestList).carrying(`{"amount":900}`)}),
		rows("T059", mismatch.bodyUnread(),
			row{"a digest changed after signing", declaring(right, digestList).set("X-Sdk-Content-Sha256", wrong)}),
		rows("T060", malformed,
			row{"an empty digest", declaring("", digestList)},
			row{"63 digits", declaring(right[1:], digestList)},
			row{"65 digits", declaring(right+"0", digestList)},
			row{"upper case", declaring(strings.ToUpper(right), digestList)},
			row{"sha256: in front", declaring("sha256:"+right, digestList)}),
		rows("T060", ambiguous,
			row{"the digest twice, signed", declaring(right, digestList).with("X-Sdk-Content-Sha256: " + right)},
			row{"two digests, right then wrong", declaring(right, digestList).with("X-Sdk-Content-Sha256: " + wrong)}),
		rows("T060", accepted,
			row{"a right digest that is not signed", declaring(right, plain)},
			row{"a wrong digest that is not signed", declaring(wrong, plain)},
			row{"UNSIGNED-PAYLOAD that is not signed", declaring("UNSIGNED-PAYLOAD", plain)}),
		rows("T060", mismatch,
			row{"a right digest that is not signed, and another body", declaring(right, plain).carrying(`{"amount":900}`)},
			row{"the digest of another body, not signed, with that body", declaring(bodyHash("other"), plain).carrying("other")},
			row{"UNSIGNED-PAYLOAD that is not signed, and another body", declaring("UNSIGNED-PAYLOAD", plain).carrying("other")}),
	)
}

// Payloads that the sender declares as unsigned, or as signed in chunks.
func unsignedPayloadCases() []testCase {
	const unsigned = "UNSIGNED-PAYLOAD"
	letIn := verdict{payload: core.PayloadUnsigned}
	to := func(target, value, list string) message {
		return k1.sign(p2().to(target).with("X-Sdk-Content-Sha256: "+value), list)
	}
	var streaming []row
	for _, marker := range []string{"STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
		"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"} {
		right := to("/upload", marker, digestList)
		streaming = append(streaming, row{marker + ", correctly signed", right},
			row{marker + ", fabricated", right.set("Authorization", hmacFields(k1.id, digestList, p2Signature))})
	}
	notAsSigned := k1.signAs(p2().to("/upload").with("X-Sdk-Content-Sha256: "+unsigned), plain, unsigned)
	return slices.Concat(
		rows("T065", refused(core.CodePayloadNotSigned).bodyUnread(), row{"UNSIGNED-PAYLOAD, signed", declaring(unsigned, digestList)}),
		rows("T066", letIn,
			row{"UNSIGNED-PAYLOAD where it is allowed", to("/upload", unsigned, digestList)},
			row{"the same with another body", to("/upload", unsigned, digestList).carrying("other")},
			// Whitespace around a field value is not part of it.
			row{"a trailing space is not part of the value", to("/upload", unsigned+" ", digestList)}),
		rows("T067", malformed,
			row{"unsigned-payload", to("/upload", "unsigned-payload", digestList)},
			row{"UNSIGNED_PAYLOAD", to("/upload", "UNSIGNED_PAYLOAD", digestList)},
			row{"UNSIGNED-PAYLOAD and more", to("/upload", unsigned+", "+unsigned, digestList)}),
		rows("T067", mismatch, row{"UNSIGNED-PAYLOAD in the signature, the header not in SignedHeaders", notAsSigned}),
		rows("T067", ambiguous, row{"UNSIGNED-PAYLOAD twice", to("/upload", unsigned, digestList).with("X-Sdk-Content-Sha256: " + unsigned)}),
		rows("T068", refused(core.CodePayloadUnsupported), streaming...),
		rows("T069", refused(core.CodePayloadNotSigned),
			row{"allowed for another path", to("/v1/items", unsigned, digestList)},
			row{"allowed for the path without the final slash", to("/upload/", unsigned, digestList)},
			row{"allowed for the path in lower case", to("/UPLOAD", unsigned, digestList)}),
		rows("T069", refused(core.CodeRequestAmbiguous), row{"allowed for the first part of the path", to("/upload/../v1/items", unsigned, digestList)}),
	)
}
