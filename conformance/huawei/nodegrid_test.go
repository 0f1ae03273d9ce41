package huawei_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// nodeCases returns the grid for the Node SDK: requests that it signs according to the
// published algorithm, and its deviations, with the reason.
func nodeCases() (cases []nodeCase) {
	add := func(name string, o options, want core.Code, why string) {
		cases = append(cases, nodeCase{Name: name, Options: o, want: want, why: why})
	}

	for _, path := range []string{
		"/", "/a", "/a/", "/a/b/c", "/中文/路径", "/café", "/😀", "/a+b", "/a;v=1", "/!$&()*+,;=:@~", "/[a]", "/-_.~",
		"/v1/" + strings.Repeat("long-segment/", 300),
	} {
		add("path "+short(path), options{Method: "GET", URL: path}, "", "")
	}
	const twice = "encoded by the URL parser and then again: the signature is over %25.."
	for _, path := range []string{"/a b", "/a%20b", "/100%25", "/a'b", "/{id}", `/"<>` + "`", "/|", "/^", "/caf%C3%A9"} {
		add("path "+path, options{Method: "GET", URL: path}, core.CodeSignatureMismatch, twice)
	}
	for _, path := range []string{"/a%2Fb", "/a%5Cb", "/%41", "/a/%7Ea"} {
		add("path "+path, options{Method: "GET", URL: path}, core.CodeRequestAmbiguous,
			"routers distinguish it from the decoded path; the SDK also encodes it twice")
	}
	const resolved = "signed unchanged, and the client resolves dot segments before it sends"
	for _, path := range []string{"/a/../b", "/./a", "/a/.."} {
		add("path "+path, options{Method: "GET", URL: path}, core.CodeSignatureMismatch, resolved)
	}
	for _, path := range []string{"//", "/a//"} {
		add("path "+path, options{Method: "GET", URL: path}, core.CodeSignatureMismatch,
			"signed unchanged, and the client removes one slash before it sends")
	}
	add("query in the path", options{Method: "GET", URL: "/a?x=1"}, core.CodeSignatureMismatch,
		"sent, and not signed: only queryParams are signed")

	for i, query := range []map[string]any{
		{"a": "1"}, {"a": "1", "b": "2", "c": ""}, {"k": []string{"2", "1", "10", "1"}}, {"k": []string{}}, {"empty": ""},
		{"plus": "a+b", "space": "a b"}, {"reserved": "!$&'()*+,;=:@~/?#[]%", "a/b?c": "name"}, {"percent": "100%", "encoded": "%20%2F"},
		{"semicolon": "a;b", "c;d": ""}, {"utf8": "中文", "ключ": "значение", "emoji": "😀"}, {"=": "=", "&": "&&"},
		{"a/b": "1", "a-b": "2", "a~b": "3", "a_b": "4", "aäb": "5", "a b": "6", "aZ": "7"},
		{"v": []string{"x/y", "x-y", "x~y", "xäy", "x y", "xZ", "x"}},
		{"a": "1", "A": "2", "aa": "3", "B": "4", "b": "5"}, {"n": []int{10, 9, 1}, "t": true}, manyForNode(300),
	} {
		add(fmt.Sprintf("query %d", i), options{Method: "GET", URL: "/q", Query: query}, "", "")
	}
	const units = "sorted by UTF-16 units, which is neither the order of the bytes nor of their encoding"
	add("query names beyond UTF-16 units", options{Method: "GET", URL: "/q", Query: map[string]any{"～": "1", "😀": "2"}}, core.CodeSignatureMismatch, units)
	add("query values beyond UTF-16 units", options{Method: "GET", URL: "/q", Query: map[string]any{"k": []string{"～", "😀"}}}, core.CodeSignatureMismatch, units)
	add("query null", options{Method: "GET", URL: "/q", Query: map[string]any{"a": nil}}, core.CodeSignatureMismatch, "signed as the text null, sent as an empty value")
	add("query object", options{Method: "GET", URL: "/q", Query: map[string]any{"a": map[string]any{"b": 1}}}, core.CodeSignatureMismatch, "signed as [object Object], sent as an empty value")
	add("query without a name", options{Method: "GET", URL: "/q", Query: map[string]any{"": "v"}}, core.CodeRequestAmbiguous, "frameworks differ on whether that is a parameter")

	for i, headers := range []map[string]string{
		{"X-Plain": "value"}, {"x-lower": "value", "X-UPPER": "VALUE"}, {"X-Spaces": "a  b   c"}, {"X-Tabs": "a\tb\t\tc"}, {"X-Empty": ""},
		{"X-Quoted": `"a  b", "c"`, "X-List": "a,b, c"}, {"X-A": "1", "X-A-B": "2", "X-AB": "3", "X-A.B": "4"},
		{"Cookie": "a=1; b=2", "Accept": "*/*"}, {"host": host}, {"X-Security-Token": "token+/="}, {"X-Long": strings.Repeat("0123456789", 400)},
	} {
		add(fmt.Sprintf("header %d", i), options{Method: "GET", URL: "/h", Headers: headers}, "", "")
	}
	now := time.Now().UTC()
	for _, h := range []struct {
		name string
		set  map[string]string
		want core.Code
		why  string
	}{
		{"own date", map[string]string{"X-Sdk-Date": now.Format(dateFormat)}, "", ""},
		{"own date of another form", map[string]string{"X-Sdk-Date": now.Format(time.RFC3339)}, core.CodeCredentialMalformed, "signed in the protocol's form, but sent as given"},
		{"outer spaces", map[string]string{"X-Outer": "  a "}, core.CodeSignatureMismatch, "signed untrimmed; in HTTP, spaces around a value are not part of it"},
		{"Latin-1", map[string]string{"X-Latin": "é"}, core.CodeSignatureMismatch, "signed as UTF-8, sent as Latin-1"},
		{"beyond Latin-1", map[string]string{"X-Utf8": "中"}, core.CodeSignatureMismatch, "signed, and the client removes it before it sends"},
		{"underscore", map[string]string{"X_Under": "a", "X-Zed": "b"}, core.CodeSignatureMismatch, "values in the locale's order, names in that of their characters"},
		{"user agent", map[string]string{"User-Agent": "own"}, core.CodeSignatureMismatch, "signed, and then replaced by the client's"},
		{"Host in upper case", map[string]string{"Host": host}, core.CodeCredentialMalformed, "listed twice, as host;host"},
		{"twice in different case", map[string]string{"X-A": "a", "x-a": "b"}, core.CodeCredentialMalformed, "listed twice"},
	} {
		add("header "+h.name, options{Method: "GET", URL: "/h", Headers: h.set}, h.want, h.why)
	}

	for _, contentType := range []string{"", typeJSON, typeJSON + ";charset=UTF-8"} {
		for name, data := range map[string]any{
			"none": nil, "object": map[string]any{"amount": 100, "s": "中 <&>"}, "list": []any{1, "two"}, "text": "plain", "newline": "\n",
			"large": map[string]any{"text": strings.Repeat("é\n", 32<<10)},
		} {
			add("JSON "+contentType+" "+name, options{Method: "POST", URL: "/b", ContentType: contentType, Data: data}, "", "")
		}
	}
	const falsy = "not a body for the signer, and sent"
	add("JSON empty text", options{Method: "POST", URL: "/b", Data: ""}, core.CodeSignatureMismatch, falsy)
	add("JSON zero", options{Method: "POST", URL: "/b", Data: 0}, core.CodeSignatureMismatch, falsy)
	add("JSON text that is JSON", options{Method: "POST", URL: "/b", Data: `{"a":1}`}, core.CodeSignatureMismatch, "signed as a quoted string, sent unchanged")

	// Every type except JSON is declared unsigned, also BSON, which the Go SDK signs.
	for _, contentType := range []string{typeBSON, typeForm, typeBytes, "text/plain"} {
		add("unsigned "+contentType, options{Method: "POST", URL: "/b", ContentType: contentType, Data: map[string]any{"a": 1}}, "", "")
		cases = append(cases, nodeCase{Name: "unsigned binary " + contentType, Binary: []byte("\x00\xff\r\n"),
			Options: options{Method: "PUT", URL: "/b", ContentType: contentType}})
	}
	cases = append(cases, nodeCase{Name: "binary of no type", Binary: []byte("\x00\xff"), Options: options{Method: "PUT", URL: "/b"},
		want: core.CodeSignatureMismatch, why: "signed as the JSON form of a Buffer, sent unchanged"})

	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		add("method "+method, options{Method: method, URL: "/m"}, "", "")
		add("method with body "+method, options{Method: method, URL: "/m", Data: map[string]any{"a": 1}}, "", "")
	}
	add("method get", options{Method: "get", URL: "/m"}, core.CodeSignatureMismatch, "signed as given, sent in upper case")
	return cases
}

func manyForNode(n int) map[string]any {
	query := make(map[string]any, n)
	for i := range n {
		query[fmt.Sprintf("p%d", i)] = i
	}
	return query
}

func short(s string) string { return s[:min(len(s), 40)] }
