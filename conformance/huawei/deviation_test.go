package huawei_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

const dateFormat = "20060102T150405Z"

// TestGoSDKRefused holds what the SDK sends and the verifier rightly refuses,
// with the default policy (except where a case says otherwise): where the SDK
// strays from the published algorithm, where a request can be read in two
// ways, and where policy or limits say no.
func TestGoSDKRefused(t *testing.T) {
	now := time.Now().UTC()
	tests := []struct {
		name, why string
		r         request
		relaxed   bool // with the policy that accepts what the SDK can sign
		want      core.Code
	}{
		// Paths.
		{"dot segment", "signed as it stands, but routers resolve it",
			request{path: "/a/../b", host: true}, true, core.CodeRequestAmbiguous},
		{"single dot", "signed as it stands, but routers resolve it",
			request{path: "/a/./b", host: true}, true, core.CodeRequestAmbiguous},
		{"dots at the end", "signed as they stand, but routers resolve them",
			request{path: "/a/..", host: true}, true, core.CodeRequestAmbiguous},
		{"backslash", "sent as %5C, which some routers take for a slash",
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
		{"presigned parameters beside the header", "two places for a credential",
			request{path: "/", query: []parameter{{"X-Sdk-Signature", "x"}}, host: true}, true, core.CodeRequestAmbiguous},

		// Headers.
		{"repeated header", "names that differ in case only are listed twice, and each time with all values",
			request{path: "/", headers: [][2]string{{"X-Multi", "a"}, {"x-multi", "b"}}, host: true}, true, core.CodeCredentialMalformed},
		{"date in another case", "a second X-Sdk-Date is added to it",
			request{path: "/", headers: [][2]string{{"x-sdk-date", now.Format(dateFormat)}}, host: true}, true, core.CodeRequestAmbiguous},
		{"host of another name", "the SDK signs the header as given and sends the endpoint's host",
			request{path: "/", headers: [][2]string{{"host", "other.example.com"}}}, true, core.CodeSignatureMismatch},
		{"no-break space around a value", "trimmed before signing, as Unicode has it, but sent: HTTP trims blanks and tabs only",
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
		{"underscore twin of a signed header", "left unsigned, and some servers fold it to x-role",
			request{path: "/", headers: [][2]string{{"X-Role", "user"}, {"X_Role", "admin"}}, host: true}, true, core.CodeRequestAmbiguous},
		{"too many headers", "one over the verifier's limit, with host and date",
			request{path: "/", headers: append(sixty(), [2]string{"X-A"}, [2]string{"X-B"}, [2]string{"X-C"}), host: true}, true, core.CodeCredentialMalformed},
		{"wrong Content-Length", "signed as given, but net/http sends the true one",
			request{method: "POST", path: "/", body: "ab", headers: [][2]string{{"Content-Length", "3"}}, host: true}, true, core.CodeSignatureMismatch},

		// Bodies.
		{"file of no content type", "the hash is of the JSON form of an os.File, {}, and not of its content",
			request{method: "PUT", path: "/", body: file(t), host: true}, true, core.CodeSignatureMismatch},
		{"wrong digest", "the SDK signs a digest of the application's unseen",
			request{method: "PUT", path: "/", body: "B", headers: [][2]string{{"X-Sdk-Content-Sha256", strings.Repeat("0", 64)}}, host: true}, true, core.CodeBodyMismatch},
		{"digest in upper case", "the SDK signs it unseen; lower case is the form",
			request{method: "PUT", path: "/", body: "B", headers: [][2]string{{"X-Sdk-Content-Sha256", strings.Repeat("A", 64)}}, host: true}, true, core.CodeCredentialMalformed},
		{"streaming payload", "the SDK signs it unseen",
			request{method: "PUT", path: "/", body: "B", headers: [][2]string{{"X-Sdk-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}}, host: true}, true, core.CodePayloadUnsupported},

		// Policy.
		{"host not signed", "the default policy demands it, the SDK signs it only where the application sets the header",
			request{path: "/"}, false, core.CodeHeaderNotSigned},
		{"body declared unsigned", "what the SDK does for forms; the default policy does not allow it",
			request{method: "POST", path: "/", body: "a=1", contentType: typeForm, host: true}, false, core.CodePayloadNotSigned},
		{"too old", "more than 15 minutes",
			request{path: "/", headers: [][2]string{{"X-Sdk-Date", now.Add(-16 * time.Minute).Format(dateFormat)}}, host: true}, true, core.CodeSignatureExpired},
		{"too early", "more than 15 minutes",
			request{path: "/", headers: [][2]string{{"X-Sdk-Date", now.Add(16 * time.Minute).Format(dateFormat)}}, host: true}, true, core.CodeSignatureNotYetValid},
	}
	for _, a := range algorithms {
		for _, tt := range tests {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				config := core.Config{Environment: "prod", Schemes: []core.Scheme{a.scheme(keys())}, Default: "orders"}
				if tt.relaxed {
					config = policy(&tt.r, config.Schemes[0])
					config.RequireSigned = []string{}
				}
				refused(t, wire.Start(t, config), tt.r.signed(t, a.sign, keyID, secret), tt.want)
				if t.Failed() {
					t.Logf("want %q: %s", tt.want, tt.why)
				}
			})
		}
	}
}

// TestGoSDKOtherKeys signs rightly, with what is not the key.
func TestGoSDKOtherKeys(t *testing.T) {
	for _, a := range algorithms {
		for _, tt := range []struct {
			name, id, secret string
			want             core.Code
		}{
			{"other id", "AKTESTAKTEST0002", secret, core.CodeKeyUnknown},
			{"id in lower case", strings.ToLower(keyID), secret, core.CodeKeyUnknown},
			{"other secret", keyID, secret + "0", core.CodeSignatureMismatch},
			{"key of another API", "OTHERKEY00000001", secret, core.CodeKeyNotBound},
		} {
			t.Run(fmt.Sprintf("%s/%s", a.name, tt.name), func(t *testing.T) {
				r := request{path: "/v1/items", host: true}
				backend := wire.Start(t, policy(&r, a.scheme(core.Keys(
					core.Key{Name: "orders", ID: keyID, Secret: core.NewSecret(secret)},
					core.Key{Name: "payments", ID: "OTHERKEY00000001", Secret: core.NewSecret(secret)},
				))))
				refused(t, backend, r.signed(t, a.sign, tt.id, tt.secret), tt.want)
			})
		}
	}
}

// TestGoSDKSessionToken signs with a temporary key. The SDK's credentials send
// its token as a header, which is signed like any other.
func TestGoSDKSessionToken(t *testing.T) {
	const name, token = "X-Security-Token", "token+/="
	for _, a := range algorithms {
		for _, tt := range []struct {
			name    string
			headers [][2]string
			ok      bool
		}{
			{"right", [][2]string{{name, token}}, true},
			{"wrong", [][2]string{{name, token + "="}}, false},
			{"absent", nil, false},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				r := request{path: "/v1/items", headers: tt.headers, host: true}
				backend := wire.Start(t, policy(&r, a.scheme(core.Keys(core.Key{
					Name: "orders", ID: keyID, Secret: core.NewSecret(secret), SessionToken: core.NewSecret(token),
				}))))
				raw := r.signed(t, a.sign, keyID, secret)
				if tt.ok {
					accepted(t, backend, raw, nil)
				} else {
					refused(t, backend, raw, core.CodeSignatureMismatch)
				}
			})
		}
	}
}

// TestUnsignedParts changes what the SDK leaves unsigned: that is accepted, and
// the identity says so.
func TestUnsignedParts(t *testing.T) {
	r := request{method: "POST", path: "/v1/items", body: "a=1", contentType: typeForm}
	for _, a := range algorithms {
		backend := wire.Start(t, policy(&r, a.scheme(keys())))
		raw := r.signed(t, a.sign, keyID, secret)
		for _, tt := range []struct{ name, old, changed string }{
			{"host", "Host: " + host, "Host: api.example.net"},
			{"content type", typeForm, "application/x-www-form-urlencoded; charset=utf-8"},
			{"user agent", "Go-http-client/1.1", "Go-http-client/9.9"},
			{"body", "a=1", "a=2"},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				changed := wire.Splice(raw, tt.old, tt.changed)
				id := accepted(t, backend, changed, bodyOf(t, changed))
				if covers := id.Covers(); covers.Host || covers.Body || id.Payload() != core.PayloadUnsigned {
					t.Errorf("got coverage %+v, payload %v; want neither host nor body covered", covers, id.Payload())
				}
			})
		}
	}
}

// TestMessageLength changes where a signed message ends.
func TestMessageLength(t *testing.T) {
	signed := request{method: "POST", path: "/", body: "ab", headers: [][2]string{{"Content-Length", "2"}}, host: true}
	plain := request{method: "POST", path: "/", body: "ab", host: true}
	empty := request{method: "POST", path: "/", host: true}
	for _, a := range algorithms {
		for _, tt := range []struct {
			name         string
			r            request
			old, changed string
		}{
			{"signed length shorter", signed, "Content-Length: 2", "Content-Length: 1"},
			{"length shorter", plain, "Content-Length: 2", "Content-Length: 1"},
			{"length zero", plain, "Content-Length: 2", "Content-Length: 0"},
			{"body longer", plain, "Content-Length: 2", "Content-Length: 6"}, // with the four bytes added below
			{"body where there was none", empty, "Content-Length: 0", "Content-Length: 4"},
		} {
			t.Run(a.name+"/"+tt.name, func(t *testing.T) {
				backend := wire.Start(t, policy(&tt.r, a.scheme(keys())))
				raw := tt.r.signed(t, a.sign, keyID, secret)
				accepted(t, backend, raw, tt.r.sent(t))
				refused(t, backend, append(wire.Splice(raw, tt.old, tt.changed), "more"...), core.CodeSignatureMismatch)
			})
		}
	}
}

// file is an open file as the SDK wants it: a struct, not a pointer.
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
