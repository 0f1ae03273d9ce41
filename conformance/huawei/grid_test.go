package huawei_test

import (
	"fmt"
	"strings"
)

// The axes of the grid. The SDK signs all of these values according to the published
// algorithm, so every request with them must be accepted. Its deviations are in
// deviation_test.go.

// paths are decoded, as an application passes them to the SDK. A percent sign stands for
// itself, and an encoded slash cannot be sent.
var paths = []string{
	"", "/", "//", "///", "/a", "/a/", "/a//", "//a", "//a//b//", "/a/b/c",
	"/with space", "/ ", "/a/ /b", "/trailing ", "/中文/路径", "/café", "/e\u0301", "/😀", "/\u00a0",
	"/100%", "/%", "/%zz", "/a%2Fb", "/a%2fb", "/%41", "/%25", "/%2525", "/%2e%2e/x", "/\xff\xfe",
	"/!", "/$", "/&", "/'", "/(", "/)", "/*", "/+", "/,", "/;", "/=", "/:", "/@", "/~", "/?", "/#", "/[]", "/{}", "/|^`<>\"",
	"/!$&'()*+,;=:@~", "/-_.~", "/a.b/c..d/...", "/.hidden", "/a;v=1/b;v=2", "/a=b&c=d", "/q?x=1", "/\x7f", "/\t",
	"/v1/" + strings.Repeat("long-segment/", 600), "/" + strings.Repeat("%é ", 3000),
}

var queries = [][]parameter{
	nil,
	{{"a", "1"}},
	{{"a", "1"}, {"b", "2"}, {"c", ""}},
	{{"k", []string{"2", "1", "10", "1"}}},
	{{"k", []string{"", "x", ""}}},
	{{"k", []string{}}},
	{{"empty", ""}},
	{{"a", ""}, {"b", ""}, {"c", ""}},
	{{"plus", "a+b"}, {"space", "a b"}, {"both", " + "}},
	{{"reserved", "!$&'()*+,;=:@~/?#[]%"}, {"!$&'()*+,;=:@~/?#[]%", "name"}},
	{{"percent", "100%"}, {"encoded", "%20%2F%zz"}, {"%41", "%41"}},
	{{"semicolon", "a;b"}, {"c;d", ""}},
	{{"utf8", "中文"}, {"ключ", "значение"}, {"emoji", "😀"}, {"é", "e\u0301"}},
	{{"invalid", "\xff\xfe"}, {"control", "\x00\r\n\t\x7f"}},
	{{"=", "="}, {"a=b", "c=d"}, {"&", "&&"}},
	// Names and values whose order differs between decoded and encoded.
	{{"a/b", "1"}, {"a-b", "2"}, {"a~b", "3"}, {"a_b", "4"}, {"aäb", "5"}, {"a b", "6"}, {"aZ", "7"}},
	{{"v", []string{"x/y", "x-y", "x~y", "xäy", "x y", "xZ", "x"}}},
	{{"é", "1"}, {"z", "2"}, {"~", "3"}, {"/", "4"}, {"-", "5"}, {"Z", "6"}},
	{{"a", "1"}, {"A", "2"}, {"aa", "3"}, {"a1", "4"}, {"B", "5"}, {"b", "6"}},
	{{"f", map[string]string{"b": "2", "a": "1", "é/": "x y"}}},
	{{"f", map[string][]string{"l": {"2", "1"}, "none": {}}}},
	{{"n", 7}, {"t", true}, {"l", []int64{3, 1, 2}}, {"x", 1.5}},
	{{"X-Custom-Date", "20060102T150405Z"}, {"x-sdk-signature", "lower case is not the protocol's name"}},
	{{"long", strings.Repeat("é&=", 2000)}},
	many(1024), // the verifier's limit
}

func many(n int) (list []parameter) {
	for i := range n {
		list = append(list, parameter{fmt.Sprintf("p%d", i*7919%n), fmt.Sprint(i)})
	}
	return list
}

// headerSets are headers that an application adds. The SDK signs all of them except names
// with an underscore and names that start with content-type.
var headerSets = [][][2]string{
	nil,
	{{"X-Plain", "value"}},
	{{"x-lower", "value"}, {"X-UPPER", "VALUE"}, {"x-MiXeD-1", "Value"}},
	{{"X-Spaces", "a  b   c"}},
	{{"X-Tabs", "a\tb\t\tc"}},
	{{"X-Outer", "  both ends  "}, {"X-Outer-Tab", "\tboth ends\t"}, {"X-Mixed", " \t in  ner \t "}},
	{{"X-Utf8", "中文 é 😀"}, {"X-Latin1", "caf\xe9"}},
	{{"X-Empty", ""}, {"X-Blank", "   "}},
	{{"X-Quoted", `"a  b", "c"`}, {"X-List", "a,b, c"}, {"X-Colon", "a:b:c"}, {"X-Semicolon", "a;b"}},
	{{"X-Long", strings.Repeat("0123456789", 800)}},
	{{"Accept", "*/*"}, {"User-Agent", "agent/1.0 (a  b)"}, {"Cookie", "a=1; b=2"}, {"Date", "Thu, 15 Jan 2026 12:00:00 GMT"}},
	{{"X-Project-Id", "0123456789abcdef"}, {"X-Domain-Id", "fedcba9876543210"}, {"X-Security-Token", "token+/="}},
	{{"X_Unsigned", "underscore"}, {"Content-Type-Options", "unsigned as well"}},
	{{"X-Apig-Mode", "debug"}, {"X-Http-Method-Override", "PUT"}, {"X-Stage", "RELEASE"}},
	{{"Pragma", "no-cache"}}, // net/http adds a Cache-Control to the received request
	{{"!#$%&'*+-.^`|~09", "every kind of character in a name"}},
	{{"X-Sdk-Date", "not a date, so the SDK takes its own clock"}},
	{{"X-Sdk-Anything", "signed as well"}},
	{{"X-A", "1"}, {"X-A-B", "2"}, {"X-AB", "3"}, {"X-A.B", "4"}, {"X-a0", "5"}},
	sixty(),
}

// sixty returns sixty headers. With host, date and the payload header, they are within
// the verifier's limit of 64 signed headers.
func sixty() (list [][2]string) {
	for i := range 60 {
		list = append(list, [2]string{fmt.Sprintf("X-H%d", i), fmt.Sprint(i)})
	}
	return list
}

type payload struct {
	name        string
	body        any
	contentType string
	framing     framing
}

var payloads = []payload{
	{name: "none"},
	{name: "none, declared JSON", contentType: typeJSON},
	{name: "none, declared octets", contentType: typeBytes},
	{name: "empty", body: ""},
	{name: "empty, chunked", body: "", framing: chunked},
	{name: "JSON text", body: `{"amount":100}`, contentType: typeJSON},
	{name: "JSON text with charset", body: `{"name":"中文 <&>"}`, contentType: typeJSON + ";charset=UTF-8"},
	{name: "JSON encoded by the SDK, which ends it with a newline", body: map[string]any{"b": "<&>", "a": 1}, contentType: typeJSON},
	{name: "JSON chunked", body: `{"amount":100}`, contentType: typeJSON, framing: chunked},
	{name: "JSON chunked byte by byte", body: `{"amount":100}`, contentType: typeJSON, framing: chunkedByteByByte},
	{name: "text of no type", body: "plain text"},
	{name: "newline", body: "\n"},
	{name: "line breaks", body: "\r\n\r\n0\r\n\r\n"},
	{name: "binary of no type", body: "\x00\x01\xfe\xff\r\n\x00"},
	{name: "encoded by the SDK, no type", body: []any{1, "two", nil}},
	{name: "BSON", body: []byte("\x16\x00\x00\x00\x02a\x00\x02\x00\x00\x00b\x00\x10c\x00\x01\x00\x00\x00\x00"), contentType: typeBSON},
	{name: "BSON encoded by the SDK", body: map[string]any{"a": 1}, contentType: typeBSON},
	{name: "form", body: "a=1&b=%20", contentType: typeForm},
	{name: "octets", body: "\x00\xff", contentType: typeBytes},
	{name: "octets chunked", body: "\x00\xff", contentType: typeBytes, framing: chunked},
	{name: "XML", body: "<a/>", contentType: "application/xml"},
	{name: "text", body: "plain", contentType: "text/plain; charset=utf-8"},
	{name: "64 KiB", body: noise(64 << 10)},
	{name: "64 KiB chunked", body: noise(64 << 10), contentType: typeJSON, framing: chunked},
	{name: "1 MiB", body: noise(1 << 20), contentType: typeJSON},
	{name: "1 MiB chunked", body: noise(1 << 20), framing: chunked},
	{name: "1 MiB of octets", body: noise(1 << 20), contentType: typeBytes},
}

// noise returns n bytes without repeating blocks.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(n)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

// small returns the payloads that are small enough for many combinations.
func small() (list []payload) {
	for _, p := range payloads {
		if text, ok := p.body.(string); !ok || len(text) < 1<<10 {
			list = append(list, p)
		}
	}
	return list
}

// methods are sent unchanged: neither the SDK nor net/http changes their case.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", "X-CUSTOM.1"}
