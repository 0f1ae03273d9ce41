package awstools_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// Deviations of curl 7.88 from the published algorithm.
const (
	curlPath   = "the path is signed unchanged, not encoded again; correct only for S3"
	curlQuery  = "the query is signed unchanged, neither sorted nor encoded"
	curlOrder  = "headers are sorted together with their values, so that x-a-b comes before x-a"
	curlTwice  = "a repeated header is listed once for each of its lines"
	curlUpload = "of -T and -F, no body is signed"
)

// TestCurl runs curl --aws-sigv4 against the middleware.
func TestCurl(t *testing.T) {
	curl := needs.Program(t, "curl", "curl")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "upload"), []byte("content\x00\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	s3 := expected{service: "s3"}
	refuse := func(service string, code core.Code, why string) expected {
		return expected{service: service, want: code, why: why}
	}
	const mismatch, ambiguous, malformed = core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodeCredentialMalformed
	var plain expected
	tests := []struct {
		target string
		expected
		args []string
	}{
		// Paths. The URL is sent unchanged.
		{"", plain, nil},
		{"/", plain, nil},
		{"/a/b/", plain, nil},
		{"/-_.~/...", plain, nil},
		{"/" + strings.Repeat("long-segment/", 300), plain, nil},
		{"/a%20b", refuse("", mismatch, curlPath), nil},
		{"/caf%C3%A9", refuse("", mismatch, curlPath), nil},
		{"/a:b@c", refuse("", mismatch, curlPath), nil},
		{"/!$&'()*,;=", refuse("", mismatch, curlPath), nil},
		{"/a//b", refuse("", ambiguous, curlPath), nil},
		{"/a/../b", refuse("", ambiguous, curlPath), nil},
		{"/", s3, nil},
		{"/bucket/a%20b", s3, nil},
		{"/bucket/caf%C3%A9/%F0%9F%98%80", s3, nil},
		{"/bucket/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40%25", s3, nil},
		{"/bucket//a/./b/../c", s3, nil},
		{"/bucket/caf%c3%a9", refuse("s3", mismatch, "percent-encodings in lower case are signed unchanged"), nil},
		{"/bucket/a:b@c", refuse("s3", mismatch, "reserved characters are signed unchanged, not encoded"), nil},
		{"/bucket/a+b", refuse("s3", mismatch, "reserved characters are signed unchanged, not encoded"), nil},
		{"/bucket/a%2Fb", refuse("s3", ambiguous, "routers distinguish it from the decoded path"), nil},
		{"/bucket/%41", refuse("s3", ambiguous, "routers distinguish it from the decoded path"), nil},

		// Queries.
		{"/q?a=1", plain, nil},
		{"/q?a=1&b=2&c=", plain, nil},
		{"/q?a=x%20y%2Bz&b=%C3%A9", plain, nil},
		{"/q?k=1&k=2", plain, nil},
		{"/q?A=1&a=2", plain, nil},
		{"/q", plain, []string{"--get", "--data-urlencode", "a=xyz"}},
		{"/q?b=2&a=1", refuse("", mismatch, curlQuery), nil},
		{"/q?k=2&k=1", refuse("", mismatch, curlQuery), nil},
		{"/q?a", refuse("", mismatch, curlQuery), nil},
		{"/q", refuse("", mismatch, curlQuery), []string{"--get", "--data-urlencode", "a=x y"}},
		{"/q", refuse("", mismatch, curlQuery), []string{"--get", "--data-urlencode", "a=x/y"}},
		{"/q?a=x+y", refuse("", mismatch, curlQuery), nil},
		{"/q?a=x%2fy", refuse("", mismatch, curlQuery), nil},
		{"/q?a=x/y", refuse("", mismatch, curlQuery), nil},
		{"/q?a=1&&b=2", refuse("", mismatch, curlQuery), nil},
		{"/q?a=%zz", refuse("", ambiguous, curlQuery), nil},
		{"/q?a=1;b=2", refuse("", ambiguous, curlQuery), nil},
		{"/q?=v", refuse("", ambiguous, curlQuery), nil},

		// Headers: all headers of the application are signed.
		{"/h", plain, []string{"-H", "X-Role: user", "-H", "x-lower: a", "-H", "X-UPPER: B", "-H", "X-AB: 1", "-H", "X-A: 2"}},
		{"/h", plain, []string{"-H", "X-Spaces: a  b"}},
		{"/h", plain, []string{"-H", "X-Tabs: a\tb \t c"}},
		{"/h", plain, []string{"-H", "X-Outer:   a  "}},
		{"/h", plain, []string{"-H", "X-Utf8: 中文 é", "-H", `X-Quoted: "a b", "c"`, "-H", "X-Colon: a:b"}},
		{"/h", plain, []string{"-H", "Host: api.example.com"}},
		{"/h", plain, []string{"-H", "User-Agent: own", "-H", "Accept: text/plain"}},
		{"/h", plain, []string{"-H", "X-Amz-Target: Service.Operation", "-H", "Content-Type: application/json", "--data-binary", `{"a":1}`}},
		{"/h", plain, []string{"-A", "agent/1.0", "-e", "http://referer/", "-b", "a=1", "--compressed"}}, // not signed
		{"/h", refuse("", malformed, curlOrder), []string{"-H", "X-A-B: 1", "-H", "X-A: 2"}},
		{"/h", refuse("", malformed, curlTwice), []string{"-H", "X-Multi: a", "-H", "X-Multi: b"}},
		{"/h", refuse("", malformed, "the semicolon that stands for an empty value becomes part of the name"), []string{"-H", "X-Empty;"}},
		{"/h", refuse("", core.CodeHeaderNotSigned, "it belongs to one connection"), []string{"-H", "Connection: close"}},
		{"/h", refuse("", ambiguous, "a date of the application, sent in addition to curl's own"),
			[]string{"-H", "X-Amz-Date: " + timestamp(0)}},

		// Bodies.
		{"/b", plain, []string{"-d", "a=1&b=%20"}},
		{"/b", plain, []string{"-d", ""}},
		{"/b", plain, []string{"--data-binary", "@upload"}},
		{"/b", plain, []string{"-X", "PUT", "--data-binary", strings.Repeat("0123456789", 10_000)}},
		{"/b", s3, []string{"-X", "PUT", "--data-binary", "content"}},
		{"/b", s3, []string{"-X", "PUT", "-d", "A", "-H", contentHeader + ": " + digestOfA}},
		{"/b", expected{service: "s3", unsigned: true}, []string{"-T", "upload", "-H", contentHeader + ": " + unsignedBody}},
		{"/b", refuse("", mismatch, curlUpload), []string{"-T", "upload"}},
		{"/b", refuse("s3", mismatch, curlUpload), []string{"-T", "upload"}},
		{"/b", refuse("", mismatch, curlUpload), []string{"-F", "a=b"}},
		{"/b", refuse("s3", core.CodeBodyMismatch, "a digest of the application, signed without a check"),
			[]string{"-d", "B", "-H", contentHeader + ": " + digestOfA}},
		{"/b", refuse("s3", core.CodePayloadUnsupported, "signed unseen"),
			[]string{"-d", "B", "-H", contentHeader + ": STREAMING-UNSIGNED-PAYLOAD-TRAILER"}},

		// Methods.
		{"/m", plain, []string{"-I"}},
		{"/m", plain, []string{"-X", "DELETE"}},
		{"/m", plain, []string{"-X", "PATCH", "-d", "a"}},
		{"/m", plain, []string{"-X", "get"}},
		{"/m", plain, []string{"-X", "PROPFIND"}},

		// Keys.
		{"/k", expected{token: "session+/="}, []string{"-H", "X-Amz-Security-Token: session+/="}},
		{"/k", expected{token: "session+/=", want: mismatch, why: "no token"}, nil},
		{"/k", refuse("", mismatch, "a token for a key that has none"), []string{"-H", "X-Amz-Security-Token: session"}},
		{"/k", refuse("", core.CodeKeyUnknown, "another key"), []string{"--user", "OTHER:" + secret}},
		{"/k", refuse("", mismatch, "another secret"), []string{"--user", keyID + ":" + secret + "0"}},
		{"/k", refuse("", mismatch, "no region and service: guessed from the host name, 127.0.0.1"), []string{"--aws-sigv4", "aws:amz"}},
		{"/k", refuse("", mismatch, "another region"), []string{"--aws-sigv4", "aws:amz:us-east-1:execute-api"}},
		{"/k", refuse("", mismatch, "another service"), []string{"--aws-sigv4", "aws:amz:" + region + ":s3"}},
		{"/k", refuse("", core.CodeSchemeNotAccepted, "another provider's algorithm"), []string{"--aws-sigv4", "osc:osc:" + region + ":execute-api"}},
	}
	n := count(t, "curl")
	for _, tt := range tests {
		name := fmt.Sprintf("%s %s %s", tt.scope(), short(tt.target), cmp.Or(tt.why, short(strings.Join(tt.args, " "))))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, tt.policy(), func(http.ResponseWriter, *http.Request) {}, nil)
			args := append([]string{"-q", "--silent", "--show-error", "--fail", "--noproxy", "*", "--globoff", "--path-as-is", "--max-time", "60",
				"--user", keyID + ":" + secret, "--aws-sigv4", "aws:amz:" + region + ":" + tt.scope()}, tt.args...)
			cmd := exec.CommandContext(t.Context(), curl, append(args, server.url+tt.target)...)
			cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir}
			server.run(t, n, tt.expected, 1, cmd)
		})
	}
}
