package reference_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
)

// policyRow is a message that breaks a policy, and the one next to it that does not. Policies do
// not depend on the signature, so there is none that is right.
type policyRow struct {
	policy       reference.Policy
	scheme       string // hmac, sigv4, s3, sigv4a, basic or token
	broken, kept change
}

// change says how a message differs from an ordinary one.
type change struct{ line, headers, list, body string }

var policyRows = []policyRow{
	{reference.PolicyOriginForm, "basic", change{line: "GET http://a/b"}, change{line: "GET /http://a/b"}},
	{reference.PolicyEscape, "basic", change{line: "GET /%4"}, change{line: "GET /%4a"}},
	{reference.PolicyEscape, "basic", change{line: "GET /?%g0"}, change{line: "GET /?%f0"}},
	{reference.PolicyPathControl, "basic", change{line: "GET /%0a"}, change{line: "GET /%09?%0a"}},
	{reference.PolicySemicolon, "basic", change{line: "GET /?;"}, change{line: "GET /;?%3b"}},
	{reference.PolicyEmptyName, "basic", change{line: "GET /?=a"}, change{line: "GET /?a=&&"}},
	{reference.PolicyTargetSize, "basic", change{line: "GET /" + strings.Repeat("a", 65536)}, change{line: "GET /" + strings.Repeat("a", 65535)}},
	{reference.PolicyTargetSize, "basic", change{line: "GET /" + strings.Repeat("a/", 128)}, change{line: "GET /" + strings.Repeat("a/", 127)}},
	{reference.PolicyTargetSize, "basic", change{line: "GET /%41" + strings.Repeat("a", 8189)}, change{line: "GET /%41" + strings.Repeat("a", 8188)}},
	{reference.PolicyRepeated, "basic", change{headers: "X-Amz-A: a\r\nX-Amz-A: a\r\n"}, change{headers: "X-A: a\r\nX-A: a\r\n"}},
	{reference.PolicyRepeated, "basic", change{headers: "Authorization: a\r\n"}, change{}},
	{reference.PolicyRepeated, "token", change{headers: "X-Auth-Token: a\r\n"}, change{}},
	{reference.PolicyUnderscore, "token", change{headers: "X_Auth-Token: a\r\n"}, change{headers: "X_AuthToken: a\r\n"}},
	{reference.PolicyUnderscore, "basic", change{headers: "X_Sdk-A: a\r\n"}, change{headers: "X-Sdk-A: a\r\n"}},
	{reference.PolicyUnderscore, "hmac", change{headers: "X_Role: a\r\n", list: "x-role"}, change{headers: "X_Role: a\r\n"}},
	{reference.PolicyConnection, "basic", change{headers: "Connection: close, Authorization\r\n"}, change{headers: "Connection: close\r\n"}},
	{reference.PolicyConnection, "hmac", change{headers: "Connection: x-role\r\n", list: "x-role"}, change{headers: "Connection: x-role\r\n"}},
	{reference.PolicyHost, "basic", change{headers: "Host: a/b\r\n"}, change{headers: "Host: a:1\r\n"}},
	{reference.PolicySignedValue, "hmac", change{headers: "X-Role: a\x00b\r\n", list: "x-role"}, change{headers: "X-Role: a\x01b\r\n", list: "x-role"}},
	{reference.PolicyHeaderLines, "basic", change{headers: strings.Repeat("X-A: a\r\n", 256)}, change{headers: strings.Repeat("X-A: a\r\n", 255)}},
	{reference.PolicyTwoCredentials, "basic", change{line: "GET /?X-Amz-Signature"}, change{line: "GET /?X-Amz-Date"}},
	{reference.PolicyListForm, "hmac", change{list: "x-a;x-A"}, change{list: "x-a"}},
	{reference.PolicyListForm, "hmac", change{list: strings.Repeat("y", 64) + longList(63)}, change{list: longList(62)[1:]}},
	{reference.PolicyAbsent, "hmac", change{list: "x-role"}, change{headers: "X-Role:\r\n", list: "x-role"}},
	{reference.PolicyHopByHop, "hmac", change{list: "te"}, change{list: "tf"}},
	{reference.PolicyUnsigned, "hmac", change{headers: "X-Sdk-A: a\r\n"}, change{headers: "X-Amz-A: a\r\n"}},
	{reference.PolicyUnsigned, "sigv4", change{headers: "X-Amz-A: a\r\n"}, change{headers: "X-Amz-Content-Sha256: a\r\nX-Amz-Allowed: a\r\n"}},
	{reference.PolicyOverride, "hmac", change{headers: "X-Method-Override: a\r\n"}, change{headers: "X-Method-Override: a\r\n", list: "x-method-override"}},
	{reference.PolicyOverride, "basic", change{headers: "X-HTTP-Method: a\r\n"}, change{headers: "X-HTTP-Methods: a\r\n"}},
	{reference.PolicyRequireSigned, "hmac", change{headers: "X-Required: a\r\n"}, change{}},
	{reference.PolicyUnderscore, "hmac", change{headers: "X_Required: a\r\n"}, change{headers: "X_Other: a\r\n"}},
	{reference.PolicyWithBody, "hmac", change{headers: "Content-Length: 1\r\n", body: "a"}, change{headers: "Content-Length: 0\r\n"}},
	{reference.PolicyWithBody, "hmac", change{headers: "Transfer-Encoding: chunked\r\n", body: "0\r\n\r\n"},
		change{headers: "Content-Type: a\r\nContent-Length: 1\r\n", body: "a", list: "content-type"}},
	{reference.PolicyUnsignedBody, "sigv4", change{headers: "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n", list: "x-amz-content-sha256"},
		change{headers: "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n"}},
	{reference.PolicyStreaming, "sigv4", change{headers: "X-Amz-Content-Sha256: STREAMING-A\r\n", list: "x-amz-content-sha256"},
		change{headers: "X-Amz-Content-Sha256: streaming-A\r\n", list: "x-amz-content-sha256"}},
	{reference.PolicyBodyLength, "basic", change{headers: "Content-Length: 2\r\n", body: "a"}, change{headers: "Content-Length: 2\r\n", body: "abc"}},
	{reference.PolicyBodyLength, "hmac", change{headers: "Transfer-Encoding: chunked\r\n", body: "0\r\n\r\n"},
		change{headers: "Transfer-Encoding: chunked\r\n", body: "1\r\na\r\n0\r\n\r\n"}},
	{reference.PolicyMaxBody, "basic", change{headers: "Content-Length: 5\r\n", body: "abcde"}, change{headers: "Content-Length: 4\r\n", body: "abcd"}},
	{reference.PolicyMaxBody, "basic", change{headers: "Transfer-Encoding: chunked\r\n", body: "5\r\nabcde\r\n0\r\n\r\n"},
		change{headers: "Transfer-Encoding: chunked\r\n", body: "4\r\nabcd\r\n0\r\n\r\n"}},
	{reference.PolicyHiddenPath, "hmac", change{line: "GET /a/.."}, change{line: "GET /a/..."}},
	{reference.PolicyHiddenPath, "hmac", change{line: "GET /a%5c"}, change{line: `GET /a\`}},
	{reference.PolicyHiddenPath, "hmac", change{line: "GET /a%2e"}, change{line: `GET /a%20`}},
	{reference.PolicyHiddenPath, "s3", change{line: `GET /a\`}, change{line: "GET /a%5c"}},
	{reference.PolicyHiddenPath, "s3", change{line: `GET /a%2F`}, change{line: "GET /a//../."}},
	{reference.PolicyHiddenPath, "sigv4", change{line: "GET /a//"}, change{line: "GET /a%2F%2e/"}},
	{reference.PolicySessionToken, "sigv4", change{headers: "X-Amz-Security-Token: a\r\n", list: "x-amz-security-token"}, change{}},
	{reference.PolicyWildcard, "sigv4a", change{headers: "X-Amz-Region-Set: us-*\r\n", list: "x-amz-region-set"},
		change{headers: "X-Amz-Region-Set: *, us-east-1\r\n", list: "x-amz-region-set"}},
	{reference.PolicyDateSigned, "hmac", change{list: "without the date"}, change{}},
	{reference.PolicyPresigned, "hmac", change{line: "GET /?X-Sdk-Algorithm=SDK-HMAC-SHA256", headers: "no credential"}, change{}},
	{reference.PolicyBinding, "other", change{}, change{headers: "Authorization: Basic dXNlcjpwYXNzd29yZA==\r\nno credential"}},
}

// longList has n names in ascending order.
func longList(n int) (list string) {
	for i := range n {
		list += ";z" + strings.Repeat("z", i)
	}
	return list
}

// message makes an ordinary message with the change.
func (c change) message(scheme string) string {
	if c.line == "" {
		c.line = "GET /a"
	}
	prefix, token := "X-Sdk-", "SDK-HMAC-SHA256 Access=key"
	switch scheme {
	case "sigv4", "s3":
		prefix, token = "X-Amz-", "AWS4-HMAC-SHA256 Credential="+scheme+"/20260115/us-east-1/s3/aws4_request"
	case "sigv4a":
		prefix, token = "X-Amz-", "AWS4-ECDSA-P256-SHA256 Credential=sigv4a/20260115/s3/aws4_request"
	}
	names := []string{"host", strings.ToLower(prefix) + "date"}
	switch c.list {
	case "":
	case "without the date":
		names = names[:1]
	default:
		names = append(names, strings.Split(c.list, ";")...)
	}
	slices.Sort(names)
	headers, bare := strings.CutSuffix(c.headers, "no credential")
	if !strings.Contains(headers, "Host:") {
		headers = "Host: a\r\n" + headers
	}
	switch {
	case bare:
	case scheme == "basic":
		headers += "Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n"
	case scheme == "other":
		headers += "Authorization: Basic b3RoZXI6cGFzc3dvcmQ=\r\n"
	case scheme == "token":
		headers += "X-Auth-Token: a\r\n"
	default:
		headers += prefix + "Date: 20260115T120000Z\r\nAuthorization: " + token + ", SignedHeaders=" + strings.Join(names, ";") + ", Signature=" +
			strings.Repeat("00", 32) + "\r\n"
	}
	return c.line + " HTTP/1.1\r\n" + headers + "\r\n" + c.body
}

// TestPolicies has a message for each policy.
func TestPolicies(t *testing.T) {
	s := reference.Settings{
		Patterns: true,
		Now:      time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), MaxBody: 4, RequireSigned: []string{"x-required"},
		RequireSignedWithBody: []string{"content-type"}, AllowUnsigned: []string{"x-amz-allowed"},
	}
	options := map[string]string{"region": "us-east-1", "service": "s3"}
	s.Keys = []reference.Key{
		{ID: "user", Type: "basic", Secrets: []string{"password"}},
		{ID: "other", Type: "basic", Secrets: []string{"password"}},
		{ID: "key", Type: "hmac"},
		{ID: "sigv4", Type: "sigv4", Options: options},
		{ID: "sigv4a", Type: "sigv4a", Options: options},
		{ID: "s3", Type: "sigv4", Options: map[string]string{"region": "us-east-1", "service": "s3", "paths": "s3"}},
		{ID: "token", Type: "token"},
	}
	for _, row := range policyRows {
		broken, kept := row.broken.message(row.scheme), row.kept.message(row.scheme)
		if got := reference.Judge([]byte(broken), s); !slices.Contains(got.Policies, row.policy) {
			t.Errorf("%s: policies %q (%s) of\n%.300s", row.policy, got.Policies, got.Why, broken)
		}
		if got := reference.Judge([]byte(kept), s); slices.Contains(got.Policies, row.policy) {
			t.Errorf("%s: policies %q of\n%.300s", row.policy, got.Policies, kept)
		}
	}
}
