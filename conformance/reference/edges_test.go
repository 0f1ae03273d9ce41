package reference_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/token"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// edge is a message whose verdict docs/protocols.md decides in a single sentence.
type edge struct {
	name     string
	scheme   string // hmac or sigv4; with +token or +hmac the environment has such a key as well
	line     string // method and target
	headers  string
	signed   string // besides host, and the date of the header form
	inQuery  bool
	body     string
	change   []string // made after signing: old, new, ...
	accepted bool
}

var edges = []edge{
	{name: "header", scheme: "hmac", line: "GET /a", accepted: true},
	{name: "query", scheme: "hmac", line: "GET /a?", inQuery: true, accepted: true},
	{name: "SigV4 header", scheme: "sigv4", line: "GET /a", accepted: true},
	{name: "SigV4 query", scheme: "sigv4", line: "GET /a?", inQuery: true, accepted: true},

	{name: "1024 parameters and empty pieces", scheme: "hmac", line: "GET /a?&&" + strings.Repeat("a=1&", 1024), accepted: true},
	{name: "1025 parameters", scheme: "hmac", line: "GET /a?" + strings.Repeat("a=1&", 1025)},
	{name: "65536 bytes and ?", scheme: "hmac", line: "GET /" + strings.Repeat("a", 65530) + "?aaaa=", accepted: true},
	{name: "65537 bytes and ?", scheme: "hmac", line: "GET /" + strings.Repeat("a", 65531) + "?aaaa="},
	{name: "256 header lines", scheme: "hmac", line: "GET /a", headers: strings.Repeat("X-A: b\r\n", 254), accepted: true},
	{name: "257 header lines", scheme: "hmac", line: "GET /a", headers: strings.Repeat("X-A: b\r\n", 255)},
	{name: "256 header lines, and those that are removed", scheme: "hmac", line: "POST /a", body: "1\r\na\r\n0\r\n\r\n", accepted: true,
		headers: strings.Repeat("X-A: b\r\n", 254) + "Transfer-Encoding: chunked\r\nTrailer: X-B\r\n"},
	{name: "255 header lines, and a length", scheme: "hmac", line: "POST /a", headers: strings.Repeat("X-A: b\r\n", 254) + "Content-Length: 0\r\n"},
	{name: "64 entries of Connection", scheme: "hmac", line: "GET /a", headers: "Connection: a" + strings.Repeat(",", 63) + "\r\n", accepted: true},
	{name: "65 entries of Connection", scheme: "hmac", line: "GET /a", headers: "Connection: a" + strings.Repeat(",", 64) + "\r\n"},

	{name: "token without a key for it", scheme: "hmac", line: "GET /a", headers: "X-Auth-Token: a\r\n", accepted: true},
	{name: "token with a key for it", scheme: "hmac+token", line: "GET /a", headers: "X-Auth-Token: a\r\n"},
	{name: "token with a key for it, in the query", scheme: "hmac+token", line: "GET /a?", inQuery: true, headers: "X-Auth-Token: a\r\n"},
	{name: "token with underscores", scheme: "hmac+token", line: "GET /a", headers: "X_Auth_Token: a\r\n", accepted: true},

	{name: "Connection with a Kelvin sign for k", scheme: "hmac", line: "GET /a", headers: "Connection: X-Sd\u212a-Date\r\n", accepted: true},
	{name: "parameter with a Kelvin sign for k", scheme: "hmac", line: "GET /a?X-Sd%E2%84%AA-Date=a&", inQuery: true},
	{name: "Connection with underscores, protocol", scheme: "hmac", line: "GET /a", headers: "Connection: x_sdk_a\r\n"},
	{name: "Connection with underscores, signed", scheme: "hmac", line: "GET /a", headers: "X-Role: a\r\nConnection: x_role\r\n", signed: "x-role", accepted: true},
	{name: "method override with underscores", scheme: "hmac", line: "GET /a", headers: "X_HTTP-Method: PUT\r\n"},
	{name: "signed method override with underscores", scheme: "hmac", line: "GET /a", headers: "X_HTTP_Method: PUT\r\n", signed: "x_http_method", accepted: true},
	{name: "lookalike", scheme: "hmac", line: "GET /a", headers: "X-Role: a\r\nX_Role: b\r\n", signed: "x-role"},
	{name: "lookalike of a name with an underscore", scheme: "hmac", line: "GET /a", headers: "X-A_B: a\r\nX_A_B: b\r\n", signed: "x-a_b"},
	{name: "underscore and dash changed over", scheme: "hmac", line: "GET /a", headers: "X-A_B: a\r\nX_A-B: b\r\n", signed: "x-a_b"},
	{name: "signed lookalike", scheme: "hmac", line: "GET /a", headers: "X-Role: a\r\nX_Role: b\r\n", signed: "x-role;x_role", accepted: true},
	{name: "signed with an underscore", scheme: "hmac", line: "GET /a", headers: "X_Role: a\r\nX-Role: b\r\n", signed: "x_role"},
	{name: "protocol header with an underscore, signed", scheme: "hmac", line: "GET /a", headers: "X-Sdk-A_B: a\r\n", signed: "x-sdk-a_b"},
	{name: "digest header of SM3", scheme: "hmac", line: "GET /a", headers: "X-Sdk-Content-Sm3: a\r\n", accepted: true},
	{name: "folded line", scheme: "hmac", line: "GET /a", headers: "X-Role: a \r\n  b\r\n\tc\r\n", signed: "x-role", accepted: true},
	{name: "folded line that ends with a blank", scheme: "hmac", line: "GET /a", headers: "X-Role: a\r\n \r\n", signed: "x-role"},
	{name: "bytes that are blanks in Unicode", scheme: "hmac", line: "GET /a", headers: "X-Role: \xc2\xa0 a\xc2\x85\xff\r\n", signed: "x-role", accepted: true},
	{name: "SigV4, bytes that are blanks in Unicode", scheme: "sigv4", line: "GET /a", headers: "X-Role: \xc2\xa0 a \t b\xc2\x85\xff\r\n", signed: "x-role", accepted: true},
	{name: "a value and one that continues it with a tab", scheme: "hmac", line: "GET /a", headers: "X-Role: a\r\nX-Role: a\tb\r\n", signed: "x-role", accepted: true},

	{name: "Content-Length: 0 taken away", scheme: "hmac", line: "POST /a", headers: "Content-Length: 0\r\n", signed: "content-length",
		change: []string{"Content-Length: 0\r\n", ""}, accepted: true},
	{name: "Content-Length: 3 and chunks", scheme: "hmac", line: "POST /a", headers: "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
		signed: "content-length", body: "3\r\nabc\r\n0\r\n\r\n"},
	{name: "Content-Length twice, folded", scheme: "hmac", line: "POST /a", headers: "Content-Length: 3\r\nContent-Length: 3\r\n \r\n", body: "abc",
		signed: "content-length", accepted: true},
	{name: "Content-Length once, folded", scheme: "hmac", line: "POST /a", headers: "Content-Length: 3\r\n \r\n", body: "abc"},
	{name: "chunks of nothing", scheme: "hmac", line: "POST /a", headers: "Transfer-Encoding: chunked\r\n", body: "0\r\n\r\n"},
	{name: "chunks of nothing, not signed", scheme: "hmac", line: "POST /a", signed: "x-sdk-content-sha256",
		headers: "X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD\r\nTransfer-Encoding: chunked\r\n", body: "0\r\n\r\n", accepted: true},
	{name: "cut off, not signed", scheme: "hmac", line: "POST /a", signed: "x-sdk-content-sha256",
		headers: "X-Sdk-Content-Sha256: UNSIGNED-PAYLOAD\r\nContent-Length: 5\r\n", body: "abc"},
	{name: "broken chunks behind the signed bytes", scheme: "hmac", line: "POST /a", headers: "Transfer-Encoding: chunked\r\n", body: "3\r\nabc\r\nzz\r\n"},
	{name: "trailers", scheme: "hmac", line: "POST /a", headers: "Transfer-Encoding: chunked\r\n", body: "3;a=b \r\nabc\r\n0\r\nX-T: a\r\n b\r\nX-U:\r\n\r\n", accepted: true},
	{name: "trailers that are none", scheme: "hmac", line: "POST /a", headers: "Transfer-Encoding: chunked\r\n", body: "3\r\nabc\r\n0\r\nX(T): a\r\n\r\n"},
	{name: "no end of trailers", scheme: "hmac", line: "POST /a", headers: "Transfer-Encoding: chunked\r\n", body: "3\r\nabc\r\n0\r\n"},
	{name: "HTTP/1.0 in chunks", scheme: "hmac", line: "POST /a", headers: "Transfer-Encoding: chunked\r\n", body: "1\r\na\r\n0\r\n\r\n",
		change: []string{" HTTP/1.1", " HTTP/1.0"}},
	{name: "Pragma gives Cache-Control", scheme: "hmac", line: "GET /a", headers: "Pragma: no-cache\r\n", signed: "cache-control", accepted: true},

	{name: "Date", scheme: "sigv4", line: "GET /a", headers: "Date: Thu, 15 Jan 2026 12:00:00 -0000\r\n", accepted: true},
	{name: "Date twice", scheme: "sigv4", line: "GET /a", headers: "Date: Thu, 15 Jan 2026 12:00:00 GMT\r\nDate: Thu, 15 Jan 2026 12:00:00 GMT\r\n"},
	{name: "token header in the query form", scheme: "sigv4", line: "GET /a?", inQuery: true, headers: "X-Amz-Security-Token: a\r\n",
		signed: "x-amz-security-token", accepted: true},
	{name: "token parameter in the header form", scheme: "sigv4", line: "GET /a?X-Amz-Security-Token=a", accepted: true},
	{name: "token parameter in the query form", scheme: "sigv4", line: "GET /a?X-Amz-Security-Token=a&", inQuery: true},
	{name: "optional parameter in another case", scheme: "sigv4", line: "GET /a?x-amz-region-set=a&", inQuery: true},
	{name: "optional parameter twice", scheme: "sigv4", line: "GET /a?X-Amz-Region-Set=a&X-Amz-Region-Set=a&", inQuery: true},
	{name: "optional parameter beside a signed header", scheme: "sigv4", line: "GET /a?X-Amz-Region-Set=a&", inQuery: true,
		headers: "X-Amz-Region-Set: a\r\n", signed: "x-amz-region-set"},
	{name: "digest beside an unsigned header", scheme: "sigv4", line: "GET /a?x-amz-content-sha256=" + emptyDigest + "&", inQuery: true,
		headers: "X-Amz-Content-Sha256: a\r\n", accepted: true},
	{name: "digest beside a signed header", scheme: "sigv4", line: "GET /a?x-amz-content-sha256=" + emptyDigest + "&", inQuery: true,
		headers: "X-Amz-Content-Sha256: " + emptyDigest + "\r\n", signed: "x-amz-content-sha256"},
	{name: "date header beside the query form", scheme: "hmac", line: "GET /a?", inQuery: true, headers: "X-Sdk-Date: " + edgeTime + "\r\n", signed: "x-sdk-date"},
	{name: "optional parameter", scheme: "sigv4", line: "GET /a?X-Amz-Region-Set=a&", inQuery: true, accepted: true},
	{name: "parameters of two schemes, one configured", scheme: "sigv4", line: "GET /a?X-Sdk-Algorithm=SDK-HMAC-SHA256&", inQuery: true},
	{name: "parameters of two schemes", scheme: "sigv4+hmac", line: "GET /a?X-Sdk-Algorithm=SDK-HMAC-SHA256&", inQuery: true},

	{name: "backslash", scheme: "hmac", line: `GET /a\b`, accepted: true},
	{name: "encoded backslash", scheme: "hmac", line: `GET /a%5Cb`},
	{name: "SigV4, encoded dots", scheme: "sigv4", line: `GET /a/%2E%2E/b`, accepted: true},
	{name: "SigV4, two slashes alone", scheme: "sigv4", line: `GET //`},
	{name: "two slashes alone", scheme: "hmac", line: `GET //`, accepted: true},
	{name: "NUL in the query", scheme: "hmac", line: `GET /a?b=%00%0A`, accepted: true},
	{name: "semicolon in the path", scheme: "hmac", line: `GET /a/..;/b`, accepted: true},
}

const (
	edgeID      = "AKTESTAKTEST0001"
	edgeSecret  = "sktest-0123456789abcdef0123456789abcdef"
	edgeTime    = "20260115T120000Z"
	emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	noMAC       = "0000000000000000000000000000000000000000000000000000000000000000"
)

// message is the message of an edge with a signature of zeros.
func (e *edge) message() string {
	token, id, prefix := "SDK-HMAC-SHA256", "Access="+edgeID, "X-Sdk-"
	if strings.HasPrefix(e.scheme, "sigv4") {
		token, id, prefix = "AWS4-HMAC-SHA256", "Credential="+edgeID+"/20260115/us-east-1/execute-api/aws4_request", "X-Amz-"
	}
	names, headers, line := []string{"host"}, "Host: api.example.com\r\n"+e.headers, e.line
	switch {
	case e.inQuery:
	case strings.Contains(e.headers, "Date: "):
		names = append(names, "date")
	default:
		names = append(names, strings.ToLower(prefix)+"date")
		headers += prefix + "Date: " + edgeTime + "\r\n"
	}
	if e.signed != "" {
		names = append(names, strings.Split(e.signed, ";")...)
	}
	slices.Sort(names)
	if e.inQuery {
		_, value, _ := strings.Cut(id, "=")
		line += prefix + "Algorithm=" + token + "&" + prefix + "Credential=" + strings.ReplaceAll(value, "/", "%2F") + "&" + prefix + "Date=" + edgeTime +
			"&" + prefix + "Expires=300&" + prefix + "SignedHeaders=" + strings.Join(names, "%3B") + "&" + prefix + "Signature=" + noMAC
	} else {
		headers += "Authorization: " + token + " " + id + ", SignedHeaders=" + strings.Join(names, ";") + ", Signature=" + noMAC + "\r\n"
	}
	return line + " HTTP/1.1\r\n" + headers + "\r\n" + e.body
}

// sign signs a message by the string to sign that the reference finds for it.
func (e *edge) sign(message string, s reference.Settings) string {
	parts := []string{reference.Judge([]byte(message), s).StringToSign}
	key := []byte(edgeSecret)
	if strings.HasPrefix(e.scheme, "sigv4") {
		key = append([]byte("AWS4"), key...)
		parts = append([]string{"20260115", "us-east-1", "execute-api", "aws4_request"}, parts...)
	}
	for _, part := range parts {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return strings.Replace(message, noMAC, hex.EncodeToString(key), 1)
}

// TestEdges gives messages at the edges of the rules to the reference and to the library.
func TestEdges(t *testing.T) {
	files, err := vectors.Load(os.DirFS("../../core/testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edges {
		t.Run(e.name, func(t *testing.T) {
			scheme, other, _ := strings.Cut(e.scheme, "+")
			f := files[slices.IndexFunc(files, func(f *vectors.File) bool { return f.Scheme == scheme })]
			v := &vectors.Vector{At: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), Key: "orders_key",
				Policy: &vectors.Policy{AllowPresigned: true, AllowUnsignedPayload: true}}
			s := settings(f, v)
			if other != "" {
				s.Keys = append(s.Keys, reference.Key{ID: "other", Type: other})
			}
			message := strings.NewReplacer(e.change...).Replace(e.sign(e.message(), s))
			got := reference.Judge([]byte(message), s)
			if accepted := got.Valid && len(got.Policies) == 0; accepted != e.accepted {
				t.Errorf("reference: accepted=%t, want %t: %q, policies %q", accepted, e.accepted, got.Why, got.Policies)
			}
			judge, err := f.Judge(v, func(c *core.Config) { c.Schemes = append(c.Schemes, otherScheme(other)...) })
			if err != nil {
				t.Fatal(err)
			}
			defer judge.Close()
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(message)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = judge.Verify(r)
			if err == nil {
				_, err = io.ReadAll(r.Body)
			}
			if (err == nil) != e.accepted {
				t.Errorf("library: %v, want accepted=%t", err, e.accepted)
			}
		})
	}
}

func otherScheme(name string) []core.Scheme {
	switch name {
	case "hmac":
		return []core.Scheme{apig.New(apig.Config{Keys: core.Keys(core.Key{Name: "other", ID: "other-id", Secret: core.NewSecret(edgeSecret)})})}
	case "token":
		return []core.Scheme{token.New(token.Config{Keys: []token.Key{{Name: "other", IAMURL: "https://iam.example.com",
			User: "user", Password: core.NewSecret("password"), Domain: "domain", Project: "project"}}})}
	}
	return nil
}
