package awstools_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// urlQueries are queries for the signers of URLs. aws4 encodes them again before it
// sends; aws4fetch does so if it signs in the query.
var urlQueries = []string{
	"a=1", "b=2&a=1&c=", "a", "a=&b", "q=a+b&r=a%20b&s=%2B", "q=!$'()*,:@~/?", "q=%21%24%26%27%28%29", "a=b=c", "&&a=1&&b=2&",
	"a%2Fb=1&a-b=2&a~b=3&a_b=4&a%C3%A4b=5&a%20b=6&aZ=7", "é=ü&中=文&ключ=значение", "😀=1&～=2", "A=1&a=2&aa=3&B=4&b=5", "a%3Bb=c%3Bd",
	"%25=%2541", "X-Amz-Foo=1&x-amz-foo=2", "q=%7E%2D%41", "list-type=2&prefix=a/b&delimiter=%2F",
}

// repeated are queries with repeated parameters.
var repeated = []string{"k=2&k=1&k=10&k=1", "v=x/y&v=x-y&v=x~y&v=x%20y&v=xZ&v=x", "k=&k=x&k="}

func aws4Cases() []nodeCase {
	g := grid{tool: "aws4"}
	plain, s3 := expected{}, expected{service: "s3"}
	query := expected{presigned: true}
	query3 := expected{service: "s3", presigned: true, unsigned: true} // aws4 never signs the body there
	services := []expected{plain, s3, query, query3}
	target := func(e expected, path string) nodeRequest { return nodeRequest{Path: valid(e, path)} }
	g.common(services, target)

	for _, e := range services {
		for _, path := range append([]string{"/a b", "/caf%c3%a9", "/café", "/中文/路径", "/😀", `/[a]{b}|^"<>` + "`", `/a\b`}, rawPaths...) {
			g.add("path "+path, target(e, path), e)
		}
		for i, q := range urlQueries {
			g.add(fmt.Sprintf("query %d", i), target(e, "/q?"+q), e)
		}
		g.add("headers repeated", nodeRequest{Path: valid(e, "/h"), Headers: map[string]any{"X-Multi": []string{"b", "a", "a  c"}}}, e)
		g.add("user agent on request", nodeRequest{Path: valid(e, "/h"), Headers: map[string]any{"User-Agent": "own"},
			Options: map[string]any{"extraHeadersToInclude": map[string]bool{"user-agent": true}}}, e)

		refuse := func(name string, r nodeRequest, want core.Code, why string) { g.refuse(e, name, r, want, why) }
		g.byService(e, resolvedPaths, hiddenPaths)
		headers := func(name string, set map[string]any, want core.Code, why string) {
			refuse("headers "+name, nodeRequest{Path: "/h", Headers: set}, want, why)
		}
		headers("Latin-1", map[string]any{"X-Latin": "é"}, core.CodeSignatureMismatch, latin1)
		headers("repeated with blanks", map[string]any{"X-Multi": []string{"a ", " b"}}, core.CodeSignatureMismatch, "values are joined before they are trimmed")
		headers("twice in different case", map[string]any{"X-A": "1", "x-a": "2"}, core.CodeCredentialMalformed, "listed twice")
		headers("Transfer-Encoding", map[string]any{"Transfer-Encoding": "chunked"}, core.CodeHeaderNotSigned, "signed, but it belongs to one connection")
		refuse("protocol header ignored", nodeRequest{Path: "/h", Headers: map[string]any{"X-Amz-Meta-A": "a"},
			Options: map[string]any{"extraHeadersToIgnore": map[string]bool{"x-amz-meta-a": true}}}, core.CodeHeaderNotSigned, "left unsigned on request")
		refuse("host ignored", nodeRequest{Path: "/h",
			Options: map[string]any{"extraHeadersToIgnore": map[string]bool{"host": true}}}, core.CodeHeaderNotSigned, "left unsigned on request")
		refuse("method in lower case", nodeRequest{Method: "get", Path: "/m"}, core.CodeSignatureMismatch, unsent)
	}
	g.declared(plain)
	g.declared(s3)
	g.dates("X-Amz-Date")

	g.add("no validity", nodeRequest{Path: "/"}, expected{presigned: true, want: core.CodeCredentialMalformed, why: noValidity})
	for _, validity := range []string{"0", "-1", "604801", "60s", "+60", "", "1e3"} {
		g.add("validity "+validity, nodeRequest{Path: "/?X-Amz-Expires=" + validity},
			expected{presigned: true, want: core.CodeCredentialMalformed, why: "signed unseen"})
	}
	g.add("no validity of its own", nodeRequest{Path: "/k"}, query3)
	g.add("declared digest", nodeRequest{Method: "PUT", Path: "/b", Body: []byte("A"), Headers: map[string]any{contentHeader: digestOfA}},
		expected{service: "s3", presigned: true, want: core.CodeSignatureMismatch, why: "the header is signed, and UNSIGNED-PAYLOAD is used as the payload line"})
	g.add("old date", nodeRequest{Path: "/?X-Amz-Expires=60&X-Amz-Date=" + timestamp(-2*time.Minute)},
		expected{presigned: true, want: core.CodeSignatureExpired, why: "two minutes old, valid for one"})
	return g.cases
}

// refuse adds a request that is signed as e and refused.
func (g *grid) refuse(e expected, name string, r nodeRequest, want core.Code, why string) {
	e.want, e.why = want, why
	r.Path = valid(e, r.Path)
	g.add(name, r, e)
}

// byService adds targets that the rule of S3 and the rule of other services interpret
// differently: other services resolve resolvedPaths before they sign, and S3 decodes
// hiddenPaths.
func (g *grid) byService(e expected, resolvedPaths, hiddenPaths []string) {
	type targetOf struct {
		name, path, why string
		want            core.Code
		ofS3            bool // refused only for S3
	}
	var all []targetOf
	for _, path := range resolvedPaths {
		all = append(all, targetOf{"path " + path, path, resolved, core.CodeRequestAmbiguous, false})
	}
	for _, path := range hiddenPaths {
		all = append(all, targetOf{"path " + path, path, ambiguous, core.CodeRequestAmbiguous, true})
	}
	all = append(all, targetOf{"path /a+b", "/a+b", plusSpace, core.CodeSignatureMismatch, true})
	for i, q := range repeated {
		all = append(all, targetOf{fmt.Sprintf("repeated %d", i), "/q?" + q, firstOnly, core.CodeSignatureMismatch, true})
	}
	for _, tt := range all {
		if tt.ofS3 == (e.service == "s3") {
			g.refuse(e, tt.name, nodeRequest{Path: tt.path}, tt.want, tt.why)
		} else {
			g.add(tt.name, nodeRequest{Path: valid(e, tt.path)}, e)
		}
	}
}

// valid adds X-Amz-Expires to the target of a link, which these signers leave to the
// application.
func valid(e expected, target string) string {
	const parameter = "X-Amz-Expires=604800"
	switch {
	case !e.presigned:
		return target
	case strings.Contains(target, "?"):
		return target + "&" + parameter
	}
	return target + "?" + parameter
}

// aws4fetchCases returns requests that aws4fetch signs and fetch sends. Both use a URL,
// so paths are resolved before they are signed.
func aws4fetchCases() []nodeCase {
	g := grid{tool: "aws4fetch"}
	plain, s3 := expected{}, expected{service: "s3", unsigned: true} // aws4fetch declares the body unsigned for S3
	query := expected{presigned: true}
	query3 := expected{service: "s3", presigned: true, unsigned: true}
	services := []expected{plain, s3, query, query3}
	target := func(e expected, path string) nodeRequest { return nodeRequest{Path: valid(e, path)} }
	g.common(services, target)

	for _, e := range services {
		for _, path := range append([]string{"/a b", "/caf%c3%a9", "/café", "/中文/路径", "/😀", `/[a]{b}|^"<>` + "`", `/a\b`, "/./a", "/a/.", "/a/../b", "/a/b/..", "/..", "/a/%2E%2e/b"}, rawPaths...) {
			g.add("path "+path, target(e, path), e)
		}
		for i, q := range urlQueries {
			g.add(fmt.Sprintf("query %d", i), target(e, "/q?"+q), e)
		}
		g.add("headers twice in different case", nodeRequest{Path: valid(e, "/h"), Headers: map[string]any{"X-A": "1", "x-a": "2"}}, e)
		g.add("content type on request", nodeRequest{Method: "POST", Path: valid(e, "/h"), Body: []byte("a"),
			Headers: map[string]any{"Content-Type": "text/plain"}, Options: map[string]any{"allHeaders": true}}, e)
		g.add("method get", nodeRequest{Method: "get", Path: valid(e, "/m")}, e)

		refuse := func(name string, r nodeRequest, want core.Code, why string) { g.refuse(e, name, r, want, why) }
		g.byService(e, []string{"//", "//a", "/a//b", "/a//"}, []string{"/a%2Fb", "/%41", "/a/%7E"})
		refuse("query without a name", nodeRequest{Path: "/q?=v"}, core.CodeRequestAmbiguous, "frameworks differ on whether that is a parameter; it is not signed either")
		if !e.presigned { // if it signs in the query, it encodes the query again
			refuse("query with a semicolon", nodeRequest{Path: "/q?a;b=c"}, core.CodeRequestAmbiguous, "sent unchanged; some servers split parameters there")
			refuse("query badly escaped", nodeRequest{Path: "/q?a=%zz"}, core.CodeRequestAmbiguous, "signed as %25zz, sent unchanged")
			refuse("query not UTF-8", nodeRequest{Path: "/q?a=%FF"}, core.CodeSignatureMismatch, "signed as U+FFFD, sent unchanged")
		}
		refuse("headers Latin-1", nodeRequest{Path: "/h", Headers: map[string]any{"X-Latin": "é"}}, core.CodeSignatureMismatch, latin1)
		refuse("method in lower case", nodeRequest{Method: "patch", Path: "/m"}, core.CodeSignatureMismatch, "signed in upper case; fetch changes the case of some methods only, and not of PATCH")
		if e.service != "s3" {
			refuse("encoded once", nodeRequest{Path: "/a%20b", Options: map[string]any{"singleEncode": true}}, core.CodeSignatureMismatch, "the rule of S3, on request")
		}
	}
	g.declared(plain)
	g.declared(expected{service: "s3"})

	g.add("no validity", nodeRequest{Path: "/"}, expected{presigned: true, want: core.CodeCredentialMalformed, why: noValidity})
	g.add("no validity of its own", nodeRequest{Path: "/k"}, query3)
	token := query
	token.token, token.want, token.why = "session/token+/==", core.CodeSignatureMismatch, "added to the query after signing, as one service requires"
	g.add("session token appended", nodeRequest{Path: valid(query, "/"), Options: map[string]any{"appendSessionToken": true}}, token)
	g.add("declared digest", nodeRequest{Method: "PUT", Path: valid(query, "/b"), Body: []byte("A"), Headers: map[string]any{contentHeader: digestOfA}}, query)
	return g.cases
}
