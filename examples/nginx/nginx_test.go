//go:build unix

// Package nginx_test runs the nginx of this directory in front of
// examples/backend: a gateway that shares no code with the verifier.
package nginx_test

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var env = []string{"GATEWAYAUTH_KEY=" + keyID, "GATEWAYAUTH_SECRET=" + secret}

// awkward are requests that a gateway, nginx or the verifier might handle wrongly.
// Through nginx they all verify; sent directly to the backend they are refused.
var awkward = []struct {
	name, target string
	args         []string
	body         []byte
	contentType  bool // the header is sent and signed
	http1        bool // not possible in HTTP/2
	past         int  // the status without nginx; 0 means 401
}{
	{name: "plain", target: "/orders/7"},
	{name: "root", target: "/"},
	{name: "slashes", target: "//a///b/"},
	{name: "final slash", target: "/a/"},
	{name: "path in UTF-8", target: "/caf%C3%A9/%e4%b8%ad"},
	{name: "raw UTF-8", target: "/中/ä?ä=ü"},
	{name: "bytes that are not UTF-8", target: "/%ff%C3?%ff=%80"},
	{name: "raw bytes that are not UTF-8", target: "/a", args: []string{"--request-target", "/\xff\x80?\xff=\x80"}, http1: true},
	{name: "reserved characters", target: "/!$&'()*+,=:@-_.~"},
	{name: "encoded reserved characters", target: "/%21%24%26%27%28%29%2A%2b%2C%3b%3D%3A%40%20%22%23%3C%3E%3F%5B%5D%5E%60%7B%7C%7D"},
	{name: "semicolon in the path", target: "/a;b=c"},
	{name: "encoded percent sign", target: "/a%252Fb%25"},
	{name: "hash sign", target: "/a", args: []string{"--request-target", "/a#b?c"}, http1: true},
	{name: "dots that are not dot segments", target: "/.a/b./..c/..."},
	{name: "absolute form", target: "/a", args: []string{"--request-target", "http://elsewhere.example/a//b?x=1"}, http1: true, past: 400},

	{name: "bare question mark", target: "/a?"},
	{name: "empty pieces", target: "/a?&&b=1&"},
	{name: "plus", target: "/a?q=a+b&r=a%20b&s=a%2Bb&t+u=%2b"},
	{name: "repeated parameters", target: "/a?k=2&k=1&k=&k&k=10&K=3"},
	{name: "values with =", target: "/a?x=a=b=c&y=="},
	{name: "encoded unreserved characters", target: "/a?%41=%61&b%2Dc=%7e"},
	{name: "prefixes of names", target: "/a?ab=1&a=2&a-b=3&a.b=4&a_b=5"},
	{name: "question marks and slashes", target: "/a?b?c=/d/../e?f"},
	{name: "line breaks in a value", target: "/a?x=%0d%0aX-Sdk-Date:%201%00"},
	// The order of these differs between decoded and encoded.
	{name: "order of encoded names", target: "/a?a-b=1&a%2Fb=2&%C3%A4=3&~=4&z=5&%7C=6"},
	{name: "order of encoded values", target: "/a?k=~&k=%C3%A4&k=-&k=%2F&k=Z&k=%5E&k=a"},
	{name: "many parameters", target: "/a?" + strings.Repeat("k=1&", 1000)},

	{name: "HEAD", target: "/a", args: []string{"--head"}},
	{name: "DELETE", target: "/a", args: []string{"--request", "DELETE"}},
	{name: "unusual method", target: "/a", args: []string{"--request", "PURGE"}},
	{name: "OPTIONS", target: "/a", args: []string{"--request", "OPTIONS"}},

	{name: "JSON", target: "/a", args: []string{"--json", "@-"}, body: []byte(`{"amount":100}`), contentType: true},
	{name: "empty body", target: "/a", args: []string{"--data-binary", "@-"}, contentType: true},
	{name: "body with GET", target: "/a", args: []string{"--request", "GET", "--data-binary", "@-"}, body: []byte("abc"), contentType: true},
	{name: "body with DELETE", target: "/a", args: []string{"--request", "DELETE", "--data-binary", "@-"}, body: []byte("abc"), contentType: true},
	{name: "all bytes", target: "/a", args: []string{"--data-binary", "@-"}, body: allBytes(), contentType: true},
	{name: "5 MB", target: "/a", args: []string{"--data-binary", "@-"}, body: bytes.Repeat([]byte("0123456789"), 500_000), contentType: true},
	{name: "12 MiB", target: "/a", args: []string{"--data-binary", "@-"}, body: make([]byte, 12<<20), contentType: true},
	{name: "unknown length", target: "/a", args: []string{"--upload-file", "-"}, body: []byte("chunked in HTTP/1.1")},
	{name: "unknown length, empty", target: "/a", args: []string{"--upload-file", "-"}},
	{name: "unknown length, 5 MB", target: "/a", args: []string{"--upload-file", "-"}, body: bytes.Repeat([]byte("0123456789"), 500_000)},
	{name: "Expect", target: "/a", args: []string{"--header", "Expect: 100-continue", "--data-binary", "@-"}, body: []byte("abc"), contentType: true, http1: true},
	{name: "compressed", target: "/a", args: []string{"--header", "Content-Encoding: gzip", "--data-binary", "@-"}, body: []byte("\x1f\x8b not really"), contentType: true},

	{name: "header values", target: "/a", args: []string{"--header", "X-Blanks: two  blanks\tand a tab", "--header", "X-Utf8: ä中", "--header", "X-Bytes: \xe9\xff",
		"--header", "X-Empty;", "--header", "X-Twice: b", "--header", "X-Twice: a", "--header", `X-Quoted: "a, b"; c`, "--cookie", "a=1; b=2"}},
	{name: "signed header values", target: "/a", args: []string{"--header", "Content-Type: \t two  blanks\tand ä中 \t "}, contentType: true},
	{name: "signed header, empty", target: "/a", args: []string{"--header", "Content-Type;"}, contentType: true},
	{name: "signed header, repeated", target: "/a", args: []string{"--header", "Content-Type: b", "--header", "Content-Type: \U00010000",
		"--header", "Content-Type: \ufffe", "--header", "Content-Type: a"}, contentType: true},
	{name: "long header", target: "/a", args: []string{"--header", "X-Long: " + strings.Repeat("x", 7000)}},
	{name: "Connection names signed headers", target: "/a", args: []string{"--header", "Connection: close, X-Sdk-Date, Authorization"}, http1: true},
	{name: "Upgrade", target: "/a", args: []string{"--header", "Connection: Upgrade", "--header", "Upgrade: h2c"}, http1: true},
	{name: "another Host", target: "/a", args: []string{"--header", "Host: elsewhere.example"}},
	{name: "HTTP/1.0", target: "/a", args: []string{"--http1.0", "--header", "Host:"}, http1: true, past: 400},

	{name: "forged headers", target: "/a", args: forged, past: 400},
}

// forged has headers that a client sends to impersonate the gateway.
var forged = []string{
	"--header", "Authorization: SDK-HMAC-SHA256 Access=nginx-gateway, SignedHeaders=host;x-sdk-date, Signature=" + strings.Repeat("0", 64),
	"--header", "X-Sdk-Date: 20260115T120000Z",
	"--header", "X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD",
	"--header", "X-Sdk-Nobody-Knows-This: 1",
	"--header", "x-SDK-twice: 1", "--header", "X-Sdk-Twice: 2",
	"--header", "X-Amz-Date: 20260115T120000Z",
	"--header", "X-Amz-Nobody-Knows-This: 1",
	"--header", "X-Apig-Identity: root",
	"--header", "X-Stage: TEST",
	"--header", "X-Security-Token: t",
	"--header", "X-Auth-Token: t",
	"--header", "X-HTTP-Method-Override: DELETE",
	"--header", "X-Forwarded-For: 192.0.2.1",
	"--header", "X_Sdk_Date: 20260115T120000Z",
	"--header", "X-Sdk_Date: 20260115T120000Z",
	"--header", "X_Apig_Identity: root",
	"--header", "X_Stage: TEST",
}

func allBytes() (all []byte) {
	for i := range 256 {
		all = append(all, byte(i))
	}
	return all
}

// TestAwkwardRequests: over HTTP/1.1 and HTTP/2, awkward requests verify through nginx,
// and are refused directly.
func TestAwkwardRequests(t *testing.T) {
	needs.Long(t) // starts curl for each request
	b := startBackend(t, "RELEASE")
	n := startNginx(t, "nginx.conf", env, upstream(b))
	for _, tt := range awkward {
		t.Run(tt.name, func(t *testing.T) {
			body := slices.ContainsFunc(tt.args, func(arg string) bool { return arg == "@-" || arg == "-" })
			for i, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
				if i == 1 && tt.http1 {
					continue
				}
				args := append([]string{version}, tt.args...)
				status, text := curl(t, tt.body, append(args, "http://"+n.addresses[i]+tt.target)...)
				switch {
				case status != 200:
					t.Errorf("%s through nginx: got %d %s; want 200", version, status, text)
				case tt.name != "HEAD": // its response has no body
					proven(t, text, tt.body, tt.contentType)
				}
				if i == 1 && body {
					continue // curl 7.88 fails if an HTTP/2 response comes before the body was sent
				}
				want := cmp.Or(tt.past, 401)
				if status, text := curl(t, tt.body, append(args, "http://"+b+tt.target)...); status != want {
					t.Errorf("%s without nginx: got %d %s; want %d", version, status, text, want)
				}
			}
		})
	}
}
