package differential_test

import (
	"fmt"
	"strings"
)

var methods = []string{"GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "get", "Post", "X-CUSTOM.1", "CONNECT", "TRACE", "M-SEARCH"}

var hosts = []string{"api.example.com", "api.example.com", "api.example.com", "api.example.com:443", "API.Example.com", "api.example.com:8080", "10.0.0.1", "[::1]:8080", "a", "api.example.com."}

var oddHosts = []string{"", "a b", "api.example.com/x", "user@api.example.com", "a,b", "a?b", "a#b", "a\\b", "api.example.com:", "[::1", "ä.example.com", "a%20b", "\x01", "a\tb", "api.example.com, other"}

// ordinary headers, which a signer signs or leaves out.
var ordinary = []line{
	{"Content-Type", " application/json"}, {"Content-Type", " text/plain; charset=utf-8"}, {"Content-Type", "application/x-www-form-urlencoded"},
	{"X-Role", " user"}, {"X-Role", " admin"}, {"X-Role", " user,admin"}, {"x-role", " a  b"}, {"X-ROLE", "\ta\tb \t"}, {"X-Role", " "}, {"X-Role", ""},
	{"Accept", " */*"}, {"Accept", " text/html, application/json;q=0.9"}, {"User-Agent", " agent/1.0 (a  b)"}, {"Cookie", " a=1; b=2"}, {"Cookie", " c=3"},
	{"X-Multi", " 2"}, {"X-Multi", " 1"}, {"X-Multi", " 10"}, {"X-Multi", " 1, 2"}, {"X-Multi", "a,  b"}, {"X-Multi", " \"a  b\", c"},
	{"X-Utf8", " \xe4\xb8\xad\xe6\x96\x87"}, {"X-Latin1", " caf\xe9"}, {"X-Long", " " + strings.Repeat("0123456789", 40)},
	{"X-Stage", " RELEASE"}, {"Pragma", " no-cache"}, {"X-Forwarded-Host", " other.example.com"}, {"X-A", " 1"}, {"X-A-B", " 2"}, {"X-AB", " 3"},
	{"X_Plain", " underscore"}, {"Date", " Thu, 15 Jan 2026 12:00:00 GMT"}, {"Accept-Encoding", " gzip"}, {"Origin", " https://x.example"},
	{"X-Project-Id", " 0123456789abcdef"}, {"X-Folded", " a\r\n b"}, {"X-Folded", " a\r\n\t  b \r\n c"}, {"!#$%&'*+-.^`|~09", " v"},
}

// strange headers, which steer verification or are refused.
var strange = []line{
	{"X-Sdk-Foo", " 1"}, {"X-Amz-Foo", " 1"}, {"X-Amz-Meta-A", " a  b"}, {"X-Sdk-Date", " 20260115T120000Z"}, {"X-Amz-Date", " 20260115T120000Z"},
	{"X_Sdk_Date", " 20260115T120000Z"}, {"X-Sdk_Foo", " 1"}, {"X_Amz_Foo", " 1"}, {"X-Role_", " 1"}, {"X_Role", " admin"}, {"X_Multi", " 1"}, {"x_a", " 1"}, {"X-A_B", " 9"},
	{"X-Apig-Mode", " debug"}, {"X_Apig_Mode", " debug"}, {"x-apig-stage", " 1"},
	{"X-HTTP-Method-Override", " DELETE"}, {"X-Method-Override", " PUT"}, {"X-HTTP-Method", " PATCH"}, {"X_HTTP_Method_Override", " DELETE"},
	{"Connection", " close"}, {"Connection", " keep-alive"}, {"Connection", " X-Role"}, {"Connection", " close, x-sdk-date"}, {"Connection", " Authorization"}, {"Connection", " x-amz-foo"}, {"Connection", " host"},
	{"Authorization", " Basic eDp5"}, {"authorization", " SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=00"}, {"Authorization_", " x"}, {"Authorization", ""},
	{"X-Auth-Token", " token"}, {"X_Auth_Token", " token"}, {"Host", " other.example.com"}, {"Host_", " a"}, {"HOST", " api.example.com"},
	{"X-Sdk-Content-Sha256", " UNSIGNED-PAYLOAD"}, {"X-Sdk-Content-Sha256", " e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"X-Amz-Content-Sha256", " e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}, {"X-Amz-Content-Sha256", " UNSIGNED-PAYLOAD"},
	{"X-Sdk-Content-Sm3", " 1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"}, {"X-Amz-Decoded-Content-Length", " 3"},
	{"X-Security-Token", " session-token+/="}, {"X-Security-Token", " other"}, {"X-Amz-Security-Token", " session-token+/="}, {"X-Amz-Security-Token", ""},
	{"X-Amz-Region-Set", " *"}, {"X-Amz-Region-Set", " eu-west-1"}, {"Trailer", " X-Role"}, {"Upgrade", " websocket"}, {"TE", " trailers"}, {"Proxy-Authorization", " Basic eDp5"},
	{"Expect", " 100-continue"}, {"Content-Encoding", " gzip"}, {"X-Nul", " a\x00b"}, {"X-Cr", " a\rb"}, {"X Space", " 1"}, {"X-Role ", " 1"}, {"", " empty"}, {"X-Empty-Fold", " \r\n "}, {"X-Fold-End", " a\r\n "},
	{"Keep-Alive", " timeout=5"}, {"Proxy-Connection", " close"}, {"Content_Length", " 3"}, {"Content-Length", " 3"}, {"Transfer-Encoding", " identity"}, {"X-Role\x80", " 1"},
}

// unsignable headers stand here and nowhere else, so that the generator can list them.
var unsignable = []string{"authorization", "connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

// headers adds headers to a message that is not signed yet.
func (m *message) headers(d dice) {
	host := pick(d, hosts)
	if d.one(60) {
		host = pick(d, oddHosts)
	}
	m.insert(d, line{pick(d, []string{"Host", "Host", "Host", "host", "HOST"}), pick(d, []string{" ", " ", "", "\t "}) + host + pick(d, []string{"", "", "", " "})})
	for range d.IntN(5) {
		m.insert(d, pick(d, ordinary))
	}
	if d.one(8) { // several lines of one header
		l := pick(d, ordinary)
		for range 1 + d.IntN(3) {
			m.insert(d, line{l.name, pick(d, []string{l.value, " b", " a", " c,d", " 1", "  x  y", ""})})
		}
	}
	for d.one(10) {
		m.insert(d, pick(d, strange))
	}
	if d.one(1000) {
		for i := range pick(d, []int{64, 66, 70, 250, 256, 260}) {
			m.add(fmt.Sprintf("X-H%03d", i), fmt.Sprint(i))
		}
	}
	if d.one(1500) {
		m.add("Connection", strings.Repeat("x,", pick(d, []int{60, 63, 64, 66})))
	}
}
