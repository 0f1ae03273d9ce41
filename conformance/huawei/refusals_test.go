package huawei_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

const dateFormat = "20060102T150405Z"

// refusal is a request that the SDK signs, with the reason why it must be refused.
type refusal struct {
	name, why string
	r         request
	relaxed   bool // with the policy that accepts what the SDK can sign
	want      core.Code
}

// refusals returns the cases of an algorithm with this digest header.
func refusals(t *testing.T, digest string) []refusal {
	now, ofOther := time.Now().UTC(), sm3OfA
	if digest == contentSM3 {
		ofOther = sha256OfA
	}
	return []refusal{
		// Paths.
		{"dot segment", "signed unchanged, and routers resolve it",
			request{path: "/a/../b", host: true}, true, core.CodeRequestAmbiguous},
		{"single dot", "signed unchanged, and routers resolve it",
			request{path: "/a/./b", host: true}, true, core.CodeRequestAmbiguous},
		{"dots at the end", "signed unchanged, and routers resolve them",
			request{path: "/a/..", host: true}, true, core.CodeRequestAmbiguous},
		{"backslash", "sent as %5C, which some routers read as a slash",
			request{path: `/a\b`, host: true}, true, core.CodeRequestAmbiguous},
		{"line feed in the path", "sent as %0A",
			request{path: "/a\nb", host: true}, true, core.CodeRequestAmbiguous},
		{"carriage return in the path", "sent as %0D",
			request{path: "/a\rb", host: true}, true, core.CodeRequestAmbiguous},
		{"NUL in the path", "sent as %00",
			request{path: "/a\x00b", host: true}, true, core.CodeRequestAmbiguous},
		{"no leading slash", "sent as it stands, no valid request target: net/http's own 400",
			request{path: "a/b", host: true}, true, ""},

		// Queries.
		{"parameter without a name", "signed as =v, sent as v: the SDK trims equals signs off the query",
			request{path: "/", query: []parameter{{"", "v"}}, host: true}, true, core.CodeSignatureMismatch},
		{"too many parameters", "one over the verifier's limit",
			request{path: "/", query: many(1025), host: true}, true, core.CodeRequestAmbiguous},
		{"presigned parameters and the header", "two places for a credential",
			request{path: "/", query: []parameter{{"X-Sdk-Signature", "x"}}, host: true}, true, core.CodeRequestAmbiguous},

		// Headers.
		{"repeated header", "names that differ in case only are listed twice, and each time with all values",
			request{path: "/", headers: [][2]string{{"X-Multi", "a"}, {"x-multi", "b"}}, host: true}, true, core.CodeCredentialMalformed},
		{"date in another case", "a second X-Sdk-Date is added to it",
			request{path: "/", headers: [][2]string{{"x-sdk-date", now.Format(dateFormat)}}, host: true}, true, core.CodeRequestAmbiguous},
		{"host of another name", "the SDK signs the header as given and sends the endpoint's host",
			request{path: "/", headers: [][2]string{{"host", "other.example.com"}}}, true, core.CodeSignatureMismatch},
		{"no-break space around a value", "trimmed before signing as Unicode whitespace, and sent: HTTP trims only spaces and tabs",
			request{path: "/", headers: [][2]string{{"X-Space", "\u00a0x"}}, host: true}, true, core.CodeSignatureMismatch},
		{"Authorization preset", "signed with the value that it had before, and then replaced",
			request{path: "/", headers: [][2]string{{"Authorization", "Basic eDp5"}}, host: true}, true, core.CodeHeaderNotSigned},
		{"Connection", "belongs to one connection and cannot be signed",
			request{path: "/", headers: [][2]string{{"Connection", "keep-alive"}}, host: true}, true, core.CodeHeaderNotSigned},
		{"Transfer-Encoding", "signed, but left to net/http, which does not send it",
			request{path: "/", headers: [][2]string{{"Transfer-Encoding", "chunked"}}, host: true}, true, core.CodeHeaderNotSigned},
		{"Trailer", "signed, but left to net/http, which does not send it",
			request{path: "/", headers: [][2]string{{"Trailer", "X-Sum"}}, host: true}, true, core.CodeHeaderNotSigned},
		{"underscore in a protocol header", "left unsigned, and some servers fold it to x-sdk-date",
			request{path: "/", headers: [][2]string{{"X_Sdk_Date", now.Format(dateFormat)}}, host: true}, true, core.CodeRequestAmbiguous},
		{"underscore in the name of a signed header", "left unsigned, and some servers fold it to x-role",
			request{path: "/", headers: [][2]string{{"X-Role", "user"}, {"X_Role", "admin"}}, host: true}, true, core.CodeRequestAmbiguous},
		{"too many headers", "one over the verifier's limit, with host and date",
			request{path: "/", headers: append(sixty(), [2]string{"X-A"}, [2]string{"X-B"}, [2]string{"X-C"}), host: true}, true, core.CodeCredentialMalformed},
		{"wrong Content-Length", "signed as given, but net/http sends the true one",
			request{method: "POST", path: "/", body: "ab", headers: [][2]string{{"Content-Length", "3"}}, host: true}, true, core.CodeSignatureMismatch},

		// Bodies.
		{"file of no content type", "the hash is of the JSON form of an os.File, {}, and not of its content",
			request{method: "PUT", path: "/", body: file(t), host: true}, true, core.CodeSignatureMismatch},
		{"wrong digest", "the SDK signs a digest of the application without a check",
			request{method: "PUT", path: "/", body: "B", headers: [][2]string{{digest, strings.Repeat("0", 64)}}, host: true}, true, core.CodeBodyMismatch},
		{"digest by another hash", "SHA-256 for SM3 or the other way round; the SDK signs it without a check",
			request{method: "PUT", path: "/", body: "A", headers: [][2]string{{digest, ofOther}}, host: true}, true, core.CodeBodyMismatch},
		{"digest in upper case", "the SDK signs it without a check; it must be in lower case",
			request{method: "PUT", path: "/", body: "B", headers: [][2]string{{digest, strings.Repeat("A", 64)}}, host: true}, true, core.CodeCredentialMalformed},
		{"streaming payload", "the SDK signs it without a check",
			request{method: "PUT", path: "/", body: "B", headers: [][2]string{{digest, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}}, host: true}, true, core.CodePayloadUnsupported},

		// Policy.
		{"host not signed", "the default policy requires it, and the SDK signs it only if the application sets the header",
			request{path: "/"}, false, core.CodeHeaderNotSigned},
		{"body declared unsigned", "the SDK does this for forms; the default policy does not allow it",
			request{method: "POST", path: "/", body: "a=1", contentType: typeForm, host: true}, false, core.CodePayloadNotSigned},
		{"too old", "more than 15 minutes",
			request{path: "/", headers: [][2]string{{"X-Sdk-Date", now.Add(-16 * time.Minute).Format(dateFormat)}}, host: true}, true, core.CodeSignatureExpired},
		{"too early", "more than 15 minutes",
			request{path: "/", headers: [][2]string{{"X-Sdk-Date", now.Add(16 * time.Minute).Format(dateFormat)}}, host: true}, true, core.CodeSignatureNotYetValid},
	}
}

// file returns an open file as the SDK needs it: a struct, not a pointer.
func file(t *testing.T) os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(name, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return *f
}
