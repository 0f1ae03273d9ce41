package awstools_test

import (
	"fmt"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// smithyQueries are parameters as the SDK's own clients pass them.
var smithyQueries = []map[string]any{
	{"a": "1"}, {"b": "2", "a": "1", "c": ""}, {"k": []string{"2", "1", "10", "1"}}, {"k": []string{}}, {"k": []string{"", "x"}},
	{"plus": "a+b", "space": "a b", "both": " + "}, {"reserved": "!$&'()*+,;=:@~/?#[]%", "!$&'()*+,;=:@~/?#[]%": "name"},
	{"percent": "100%", "encoded": "%20%2F%zz", "%41": "%41"}, {"é": "ü", "中": "文", "ключ": "значение"}, {"😀": "1", "～": "2"},
	{"v": []string{"～", "😀", "x/y", "x-y", "x~y", "xäy", "x y", "xZ", "x"}},
	{"a/b": "1", "a-b": "2", "a~b": "3", "a_b": "4", "aäb": "5", "a b": "6", "aZ": "7"},
	{"a": "1", "A": "2", "aa": "3", "B": "4", "b": "5"}, {"=": "=", "a=b": "c=d", "&": "&&"}, {"X-Amz-Foo": "1", "x-amz-foo": "2"},
	{"control": "\x00\r\n\t\x7f"}, manyParameters(1000),
}

func manyParameters(n int) map[string]any {
	query := make(map[string]any, n)
	for i := range n {
		query[fmt.Sprintf("p%d", i)] = fmt.Sprint(i)
	}
	return query
}

// smithyCases returns the grid for the SDK's signers of SigV4, which also signs in the
// query, and SigV4a, which does not. The SDK's HTTP client sends every request.
func smithyCases(tool string) []nodeCase {
	g := grid{tool: tool}
	asymmetric := tool == "signature-v4a"
	services := []expected{{asymmetric: asymmetric}, {service: "s3", asymmetric: asymmetric}}
	if !asymmetric {
		services = append(services, expected{presigned: true}, expected{service: "s3", presigned: true, unsigned: true})
	}
	target := func(e expected, path string) nodeRequest {
		if e.presigned && e.service == "s3" { // as the SDK's presigner for S3 does; the value is moved to the query
			return nodeRequest{Path: path, Headers: map[string]any{contentHeader: unsignedBody}}
		}
		return nodeRequest{Path: path}
	}
	g.common(services, target)

	for _, e := range services {
		refuse := func(name string, r nodeRequest, want core.Code, why string) {
			e := e
			e.want, e.why = want, why
			r.Headers = merged(target(e, "").Headers, r.Headers)
			g.add(name, r, e)
		}
		for i, q := range smithyQueries {
			g.add(fmt.Sprintf("query %d", i), nodeRequest{Path: "/q", Query: q, Headers: target(e, "").Headers}, e)
		}
		if e.service == "s3" {
			for _, path := range resolvedPaths {
				g.add("path "+path, target(e, path), e)
			}
			for _, path := range hiddenPaths {
				refuse("path "+path, nodeRequest{Path: path}, core.CodeRequestAmbiguous, ambiguous)
			}
			for _, path := range append([]string{"/a+b", "/caf%c3%a9", "/[a]{b}|^"}, rawPaths...) {
				refuse("path "+path, nodeRequest{Path: path}, core.CodeSignatureMismatch, verbatim)
			}
			refuse(`path /a\b`, nodeRequest{Path: `/a\b`}, core.CodeRequestAmbiguous, ambiguous)
		} else {
			for _, path := range append([]string{"/a+b", "/caf%c3%a9", `/[a]{b}|^"<>` + "`", `/a\b`}, append(rawPaths, hiddenPaths...)...) {
				g.add("path "+path, target(e, path), e)
			}
			for _, path := range resolvedPaths {
				refuse("path "+path, nodeRequest{Path: path}, core.CodeRequestAmbiguous, resolved)
			}
			refuse("path encoded once", nodeRequest{Path: "/a%20b", Options: map[string]any{"uriEscapePath": false}}, core.CodeSignatureMismatch, "the rule of S3, on request")
		}
		refuse("path not encoded", nodeRequest{Path: "/café"}, core.CodeSignatureMismatch, latin1)

		refuse("query null", nodeRequest{Path: "/q", Query: map[string]any{"a": nil}}, core.CodeSignatureMismatch, "sent as a, and not signed")
		refuse("query number", nodeRequest{Path: "/q", Query: map[string]any{"a": 1}}, core.CodeSignatureMismatch, "sent as a=1, and not signed")
		refuse("query without a name", nodeRequest{Path: "/q", Query: map[string]any{"": "v"}}, core.CodeRequestAmbiguous, "frameworks differ on whether that is a parameter")
		refuse("query of too many parameters", nodeRequest{Path: "/q", Query: manyParameters(1025)}, core.CodeRequestAmbiguous, "over the verifier's limit")
		if e.presigned {
			refuse("query signature in lower case", nodeRequest{Path: "/q", Query: map[string]any{"x-amz-signature": "1"}}, core.CodeRequestAmbiguous, "not signed, whatever the case of the name")
		} else {
			refuse("query signature in lower case", nodeRequest{Path: "/q", Query: map[string]any{"x-amz-signature": "1"}}, core.CodeSignatureMismatch, "not signed, whatever the case of the name")
			refuse("query signature", nodeRequest{Path: "/q", Query: map[string]any{"X-Amz-Signature": "1"}}, core.CodeRequestAmbiguous, "two places for a credential")
		}
		g.add("headers twice in different case", nodeRequest{Path: "/h", Headers: merged(target(e, "").Headers, map[string]any{"X-A": "1", "x-a": "2"})}, e)
		refuse("headers Latin-1", nodeRequest{Path: "/h", Headers: map[string]any{"X-Latin": "é"}}, core.CodeSignatureMismatch, latin1)
		refuse("method in lower case", nodeRequest{Method: "get", Path: "/m"}, core.CodeSignatureMismatch, unsent)
	}
	for _, e := range services {
		if !e.presigned {
			g.declared(e)
			g.add("digest left out", nodeRequest{Method: "POST", Path: "/b", Body: []byte("A"), Options: map[string]any{"applyChecksum": false}}, e)
		}
	}
	if asymmetric {
		g.regionSets()
	} else {
		g.smithyLinks()
	}
	return g.cases
}

// regionSets adds requests of SigV4a with different region sets.
func (g *grid) regionSets() {
	for _, tt := range []struct {
		set       string
		wildcards bool
		want      core.Code
	}{
		{"us-east-1," + region, false, ""},
		{"us-east-1, " + region, false, ""},
		{"*", true, ""},
		{"eu-*", true, ""},
		{"*", false, core.CodeSignatureMismatch},
		{"eu-*", false, core.CodeSignatureMismatch},
		{"us-east-1", true, core.CodeSignatureMismatch},
		{"us-*", true, core.CodeSignatureMismatch},
		{"", false, core.CodeCredentialMalformed},
	} {
		name := fmt.Sprintf("region set %q, wildcards %t", tt.set, tt.wildcards)
		g.add(name, nodeRequest{Path: "/r", Options: map[string]any{"region": tt.set}},
			expected{asymmetric: true, wildcards: tt.wildcards, want: tt.want, why: "the key's region is not in it"})
	}
}

// smithyLinks adds the cases that only requests signed in the query have.
func (g *grid) smithyLinks() {
	link, link3 := expected{presigned: true}, expected{service: "s3", presigned: true, unsigned: true}
	add := func(name string, r nodeRequest, e expected, want core.Code, why string) {
		e.want, e.why = want, why
		g.add(name, r, e)
	}
	put := nodeRequest{Method: "PUT", Path: "/b", Body: []byte("A")}
	withHeaders := func(headers map[string]any) nodeRequest {
		r := put
		r.Headers = headers
		return r
	}
	add("content type signed", withHeaders(map[string]any{"Content-Type": "text/plain", "Content-Length": "1"}), link, "", "")
	add("digest", withHeaders(map[string]any{contentHeader: digestOfA}), link, "", "")
	add("digest in lower case", withHeaders(map[string]any{"x-amz-content-sha256": digestOfA}), link, "", "")
	add("wrong digest", withHeaders(map[string]any{contentHeader: strings.Repeat("0", 64)}), link, core.CodeBodyMismatch, "signed unseen")
	unsigned := link
	unsigned.unsigned = true
	add("unsigned body", withHeaders(map[string]any{contentHeader: unsignedBody}), unsigned, "", "")
	add("unsigned body, not declared", put, link3, core.CodeSignatureMismatch,
		"for S3 an undeclared body counts as unsigned, but is signed: the SDK's presigner for S3 adds the header")
	add("token of the application", withHeaders(map[string]any{"x-amz-security-token": "session"}), link, core.CodeRequestAmbiguous,
		"moved into the query under the header's name, which is not the parameter's")
	for _, seconds := range []int{900, 604800} {
		add(fmt.Sprint("validity ", seconds), withValidity(put, seconds), link, "", "")
	}
	for _, seconds := range []int{0, -1} {
		add(fmt.Sprint("validity ", seconds), withValidity(put, seconds), link, core.CodeCredentialMalformed, "signed unseen")
	}
}

func withValidity(r nodeRequest, seconds int) nodeRequest {
	r.Options = map[string]any{"expiresIn": seconds}
	return r
}
