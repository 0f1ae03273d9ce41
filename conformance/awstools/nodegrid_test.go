package awstools_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// grid has the cases of one tool.
type grid struct {
	tool  string
	cases []nodeCase
}

// add adds a case with the credential in the header, or in the query if e.presigned is set.
func (g *grid) add(name string, r nodeRequest, e expected) {
	r.Method = cmp.Or(r.Method, "GET")
	if e.presigned {
		name = "presigned " + name
	}
	c := nodeCase{
		Name: g.tool + "/" + e.scope() + " " + name, Tool: g.tool, nodeRequest: r, expected: e,
		Presigned: e.presigned, Service: e.scope(), Region: region, Token: e.token,
	}
	if sent, ok := r.Options["token"].(string); ok { // a token other than the key's
		c.Token = sent
	}
	g.cases = append(g.cases, c)
}

func nodeCases() []nodeCase {
	return slices.Concat(aws4Cases(), aws4fetchCases(), smithyCases("signature-v4"), smithyCases("signature-v4a"))
}

// Deviations of more than one signer.
const (
	resolved   = "signed with the path resolved, as published, and sent unresolved: routers also resolve it"
	ambiguous  = "routers distinguish it from the decoded path"
	plusSpace  = "for S3 a plus sign in the path is read as a space"
	firstOnly  = "for S3 only the first value of a repeated parameter is signed"
	latin1     = "signed as UTF-8, sent as Latin-1"
	noValidity = "the application must add X-Amz-Expires, except for S3"
	verbatim   = "for S3 the path is signed unchanged, not encoded"
	unsent     = "signed as given, sent in upper case"
)

const (
	contentHeader = "X-Amz-Content-Sha256"
	unsignedBody  = "UNSIGNED-PAYLOAD"
	digestOfA     = "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd"
)

// encodedPaths are paths, as they are sent, that every signer here signs according to the
// published algorithm, also for S3.
var encodedPaths = []string{
	"/", "/a", "/a/", "/a/b/c", "/a%20b", "/caf%C3%A9", "/%E4%B8%AD%E6%96%87/%E8%B7%AF", "/%F0%9F%98%80", "/-_.~", "/...", "/.a/b./..c",
	"/100%25", "/%2520", "/%3F%23%5B%5D", "/%2B", "/a%5Cb", "/%22%3C%3E%60%7B%7C%7D%5E", "/" + strings.Repeat("long-segment/", 300),
	"/" + strings.Repeat("%C3%A9%20", 500),
}

// resolvedPaths are paths that normalization changes. For S3 they are names of objects.
var resolvedPaths = []string{"//", "//a", "/a//b", "/a//", "/./a", "/a/.", "/a/../b", "/a/b/..", "/.."}

// rawPaths have reserved characters that are not encoded.
var rawPaths = []string{"/a:b@c", "/!$&'()*,;=", "/a=b&c=d"}

// hiddenPaths are paths that are refused for S3.
var hiddenPaths = []string{"/a%2Fb", "/%41", "/a/%7E", "/%2e%2e/x"}

// headerSets are headers that every signer signs according to the published algorithm.
var headerSets = []map[string]any{
	{"X-Plain": "value"},
	{"x-lower": "value", "X-UPPER": "VALUE", "x-MiXeD-1": "Value"},
	{"X-Spaces": "a  b   c", "X-Tabs": "a\tb \t c", "X-Outer": "  both ends  "},
	{"X-Empty": "", "X-Blank": "   "},
	{"X-Quoted": `"a  b", "c"`, "X-List": "a,b, c", "X-Colon": "a:b:c", "X-Semicolon": "a;b"},
	{"X-A": "1", "X-A-B": "2", "X-AB": "3", "X-A.B": "4", "X-a0": "5", "X_U": "6"},
	{"X-Long": strings.Repeat("0123456789", 400)},
	{"Accept": "*/*", "Cookie": "a=1; b=2", "If-Match": `"x"`, "Content-Language": "de"},
	{"User-Agent": "agent/1.0 (a  b)", "X-Amzn-Trace-Id": "Root=1"}, // not signed
	{"X-Amz-Target": "Service.Operation", "X-Amz-Meta-A": "a", "X-Amz-Acl": "private"},
	{"Pragma": "no-cache"}, // net/http adds a Cache-Control to the received request
	{"!#$%&'*+-.^`|~09": "every kind of character in a name"},
	fifty(),
}

func fifty() map[string]any {
	set := map[string]any{}
	for i := range 50 {
		set[fmt.Sprintf("X-H%d", i)] = fmt.Sprint(i)
	}
	return set
}

var bodies = map[string]string{
	"none": "", "JSON": `{"amount":100}`, "form": "a=1&b=%20", "newline": "\n", "line breaks": "\r\n\r\n0\r\n\r\n",
	"binary": "\x00\x01\xfe\xff\r\n\x00", "UTF-8": "中文 é 😀", "large": strings.Repeat("0123456789abcdef", 4<<10),
}

func timestamp(offset time.Duration) string {
	return time.Now().UTC().Add(offset).Format("20060102T150405Z")
}

// merged returns a new map with the entries of both.
func merged(a, b map[string]any) map[string]any {
	both := map[string]any{}
	maps.Copy(both, b)
	maps.Copy(both, a)
	return both
}

func short(s string) string { return s[:min(len(s), 40)] }

// common adds the requests that all signers sign in the same way. target returns a
// request for a path.
func (g *grid) common(services []expected, target func(e expected, path string) nodeRequest) {
	for _, e := range services {
		for _, path := range encodedPaths {
			g.add("path "+short(path), target(e, path), e)
		}
		for i, headers := range headerSets {
			r := target(e, "/h")
			r.Headers = merged(r.Headers, headers)
			g.add(fmt.Sprintf("headers %d", i), r, e)
		}
		for name, body := range bodies {
			r := target(e, "/b")
			r.Method, r.Body = "POST", []byte(body)
			g.add("body "+name, r, e)
		}
		for _, method := range []string{"HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} {
			r := target(e, "/m")
			r.Method = method
			g.add("method "+method, r, e)
		}
		token := e
		token.token = "session/token+/=="
		g.add("session token", target(e, "/t"), token)
		token.want, token.why = core.CodeSignatureMismatch, "another token than the key's"
		r := target(e, "/t")
		r.Options = map[string]any{"token": "other"}
		g.add("other session token", r, token)
	}
}

// declared adds requests in which the application sets the header for the body's digest.
// Signers sign it without a check.
func (g *grid) declared(e expected) {
	for _, tt := range []struct {
		name, digest string
		unsigned     bool
		want         core.Code
	}{
		{"digest", digestOfA, false, ""},
		{"wrong digest", strings.Repeat("0", 64), false, core.CodeBodyMismatch},
		{"digest in upper case", strings.ToUpper(digestOfA), false, core.CodeCredentialMalformed},
		{"unsigned", unsignedBody, true, ""},
		{"unknown word", "SIGNED-PAYLOAD", false, core.CodeCredentialMalformed},
		{"streaming", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", false, core.CodePayloadUnsupported},
		{"streaming with a trailer", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", false, core.CodePayloadUnsupported},
	} {
		c := e
		c.unsigned, c.want, c.why = tt.unsigned, tt.want, "signed unseen"
		g.add("declared "+tt.name, nodeRequest{
			Method: "PUT", Path: "/b", Body: []byte("A"), Headers: map[string]any{contentHeader: tt.digest},
		}, c)
	}
}

// dates adds requests with a date of the application in the header or parameter with this
// name.
func (g *grid) dates(name string) {
	for _, tt := range []struct {
		name, date string
		want       core.Code
	}{
		{"early", timestamp(-5 * time.Minute), ""},
		{"late", timestamp(5 * time.Minute), ""},
		{"too early", timestamp(-16 * time.Minute), core.CodeSignatureExpired},
		{"too late", timestamp(time.Hour), core.CodeSignatureNotYetValid},
		{"not a date", time.Now().UTC().Format(time.RFC1123), core.CodeCredentialMalformed},
	} {
		g.add("date "+tt.name, nodeRequest{Path: "/d", Headers: map[string]any{name: tt.date}},
			expected{want: tt.want, why: "signed unseen"})
	}
}
