package aws_test

import (
	"fmt"
	"strings"
)

// verbatimPaths are for services that encode the path twice, which keeps every encoding.
// All paths without empty segments and dot segments are valid.
var verbatimPaths = []string{
	"", "/", "/a", "/a/", "/a/b/c", "/with%20space", "/%E4%B8%AD%E6%96%87", "/caf%C3%A9", "/caf%c3%a9", "/中文", "/%F0%9F%98%80", "/%FF%FE",
	"/-_.~", "/a.b/c..d/...", "/.hidden", "/100%25", "/%2525", "/%25zz", "/a%2Fb", "/a%2fb", "/%61", "/%2e%2e/x", "/%2E/x", "/a%5Cb", `/a\b`,
	"/a:b@c", "/!$&'()*+,;=", "/a%3Ab%40c", "/a;v=1/b", "/q%3Fx=1", "/%23", "/[x]", "/{x}|^", "/$default/%40connections/P-S_9e%3D", "/a+b", "/a%2Bb", "/%7F", "/%09",
	"/" + strings.Repeat("long-segment/", 600), "/" + strings.Repeat("%C3%A9", 2000),
}

// objectPaths are for S3, encoded as signers send the name of an object: all characters
// except letters, digits and -_.~/ are encoded, and nothing is resolved. For an empty
// path, / is signed.
var objectPaths = []string{
	"", "/", "/a", "/a/", "/a/b/c", "//", "//a", "/a//b", "/a/./b", "/a/../b", "/..", "/with%20space", "/%E4%B8%AD%E6%96%87", "/caf%C3%A9",
	"/-_.~", "/a.b/c..d/...", "/100%25", "/%2525", "/%25zz", "/a%5Cb", "/a%3Ab%40c", "/%21%24%26%27%28%29%2A%2B%2C%3B%3D", "/q%3Fx%3D1", "/%23", "/a%2Bb", "/%7F",
	"/" + strings.Repeat("%C3%A9", 2000),
}

// decodedPaths are for S3 and signers that decode and encode the path, as the verifier
// does: the encoding of a character makes no difference.
var decodedPaths = []string{"/a:b@c", "/!$&'()*+,;=", "/caf%c3%a9", "/中文", "/a%3ab", "/a;v=1/b", "/[x]", "/a+b"}

// queries have parameters whose order is the same decoded and encoded, and sorted values.
var queries = []string{
	"", "a=1", "b=2&a=1", "c=3&a=1&b=", "flag", "flag=", "list&of&flags", "k=1&k=10&k=2", "k=&k=x",
	"q=a+b", "q=a%20b", "q=a%2Bb", "q=%2F", "q=/", "u=%E4%B8%AD", "raw=é", "e=%F0%9F%98%80", "i=%FF%FE", "c=%00%0D%0A",
	"a%3Db=c%26d", "q=a==b", "x=100%25", "x=%25zz", "r=!$'()*,:@/?~-_.", "e=%21%24%27%28%29%2A%2C%3A%40%2F%3F%7E", "%61=%61", "lower=%c3%a9%2f",
	"A=1&a=2&B=3&b=4", "a1=1&a=2&aa=3", "a=1&&b=2&", "Action=ListUsers&Version=2010-05-08", "prefix=a%2Fb%2F&delimiter=%2F&list-type=2", "s=%3B",
	"long=" + strings.Repeat("%C3%A9", 2000), many(1000),
}

// escapedNames have a name that starts with a percent-encoding. Encoded, it is sorted
// before the parameters of a credential in the query, and decoded after them.
var escapedNames = []string{"%E4%B8%AD=%E6%96%87", "é=raw", "%7Bx%7D=1"}

// unsortedQueries have values of one parameter that are not sorted.
var unsortedQueries = []string{"k=2&k=1&k=10", "k=b&a=1&k=a", "k=x&k=", "k=b&k=%20&k=a&k=b"}

// encodedOrderQueries have parameters whose order differs encoded and decoded.
var encodedOrderQueries = []string{
	"a%2Fb=1&a-b=2", "a-b=2&a/b=1", "k=x%2Fy&k=x-y", "a%20b=1&a=2&a!=3&a-b=4", "%C3%A9=1&z=2&~=3&%2F=4&-=5&Z=6", "v=x%C3%A4&v=xZ&v=x",
}

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("p%d=%d", i*7919%n, i))
	}
	return strings.Join(list, "&")
}

// headerSets are headers that an application adds.
var headerSets = [][][2]string{
	nil,
	{{"X-Plain", "value"}},
	{{"x-lower", "value"}, {"X-UPPER", "VALUE"}, {"x-MiXeD-1", "Value"}},
	{{"X-Single", "a b c"}, {"X-Outer", "  both ends  "}, {"X-Outer-Tab", "\tboth ends\t"}},
	{{"X-Multi", "b"}, {"X-Multi", "a"}, {"X-Multi", " c "}, {"X-Multi", ""}},
	{{"X-Comma", "a,b, c"}, {"X-Comma", "d,e"}},
	{{"X-Utf8", "中文 é 😀"}, {"X-Latin1", "caf\xe9"}},
	{{"X-Empty", ""}, {"X-Blank", "   "}},
	{{"X-Quoted", `"a b", "c"`}, {"X-Colon", "a:b:c"}, {"X-Semicolon", "a;b"}, {"X-Equals", "a=b"}},
	{{"X-Long", strings.Repeat("0123456789", 800)}},
	{{"Content-Type", "application/json; charset=utf-8"}, {"Content-Encoding", "gzip"}, {"Content-Language", "de"}},
	{{"Accept", "*/*"}, {"User-Agent", "agent/1.0 (a b)"}, {"Cookie", "a=1; b=2"}, {"Date", "Thu, 15 Jan 2026 12:00:00 GMT"}},
	{{"Range", "bytes=0-9"}, {"If-None-Match", `"etag"`}, {"If-Modified-Since", "Thu, 15 Jan 2026 12:00:00 GMT"}},
	{{"X-Amz-Meta-Colour", "red green"}, {"X-Amz-Acl", "private"}, {"X-Amz-Tagging", "a=b&c=d"}, {"X-Amz-Storage-Class", "STANDARD"}},
	{{"X-Amz-Target", "DynamoDB_20120810.GetItem"}, {"X-Amz-User-Agent", "a/1 b/2"}},
	{{"X-Amz-Empty", ""}, {"X-Amz-Expected-Bucket-Owner", "123456789012"}, {"X-Amz-Request-Payer", "requester"}},
	{{"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"}, {"Accept-Encoding", "identity"}},
	{{"X_Role", "admin"}},
	{{"Pragma", "no-cache"}}, // net/http adds a Cache-Control to the received request
	{{"!#$%&'*+-.^`|~09", "every kind of character in a name"}},
	{{"X-A", "1"}, {"X-A-B", "2"}, {"X-AB", "3"}, {"X-A.B", "4"}, {"X-A0", "5"}},
	fifty(),
}

// steering are headers that must be signed if they are present.
var steering = [][][2]string{{{"X-Http-Method-Override", "PUT"}, {"X-Apig-Mode", "debug"}}}

// blankHeaders have several spaces inside their values.
var blankHeaders = [][][2]string{
	{{"X-Spaces", "a  b   c"}, {"X-Quoted", `"a  b"`}},
	{{"X-Multi", "  a  b "}, {"X-Multi", "c   d"}},
	{{"X-Amz-Meta-Spaces", "a  b"}},
}

// tabHeaders have tabs inside their values.
var tabHeaders = [][][2]string{{{"X-Tabs", "a\tb\t\tc \t d"}}}

// fifty returns fifty headers. With those of the protocol, they are within the verifier's
// limit of 64 signed headers.
func fifty() (list [][2]string) {
	for i := range 50 {
		list = append(list, [2]string{fmt.Sprintf("X-H%d", i), fmt.Sprint(i)})
	}
	return list
}

var tokens = []string{"", "FwoGZXIvYXdzEBYaDK//+=", strings.Repeat("token/", 200)}

var hosts = []string{host, "API.Example.COM", host + ":8080", host + ":80", host + ":443", "127.0.0.1:9000", "[::1]:8080", "localhost", "a_b.example.com"}

// methods are sent unchanged: neither the signers nor net/http change their case.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", "X-CUSTOM.1"}

var bodies = []struct {
	text    string
	framing framing
}{
	{"", withLength}, // in chunks it is refused: see deviations
	{`{"amount":100}`, withLength},
	{`{"amount":100}`, chunked},
	{`{"amount":100}`, chunkedByteByByte},
	{"Action=ListUsers&Version=2010-05-08", withLength},
	{"\n", withLength},
	{"\r\n\r\n0\r\n\r\n", withLength},
	{"\r\n\r\n0\r\n\r\n", chunked},
	{"\x00\x01\xfe\xff\r\n\x00", withLength},
	{noise(64 << 10), withLength},
	{noise(64 << 10), chunked},
	{noise(1 << 20), withLength},
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
