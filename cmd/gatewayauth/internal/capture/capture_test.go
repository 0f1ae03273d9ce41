package capture_test

import (
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// TestCurl: a curl command is read as the request that curl sends.
func TestCurl(t *testing.T) {
	for _, tt := range []struct {
		command, line, body, header string
	}{
		{"curl http://a.example", "GET / a.example", "", ""},
		{"curl https://a.example:443/x", "GET /x a.example", "", ""},
		{"curl a.example:80?b=1#c", "GET /?b=1 a.example", "", ""},
		{"curl http://u@a.example:81/", "GET / a.example:81", "", ""},
		{"curl -X PUT -d a -d b http://a/", "PUT / a", "a&b", "Content-Type: application/x-www-form-urlencoded"},
		{"curl -XPUT -da=1 -H'X-A: 1' http://a/", "PUT / a", "a=1", "X-A: 1"},
		{"curl --request PUT --data-raw=@x http://a/", "", "", ""},
		{"curl --data-raw @x http://a/", "POST / a", "@x", ""},
		{"curl -d @file http://a/", "POST / a", "file", ""},
		{"curl --data-binary @file http://a/", "POST / a", "f\nile\n", ""},
		{"curl --data-urlencode 'a=b c' --data-urlencode x http://a/", "POST / a", "a=b+c&x", ""},
		{"curl -G -d a=1 http://a/x?b=2", "GET /x?b=2&a=1 a", "", ""},
		{"curl -I http://a/", "HEAD / a", "", ""},
		{"curl --json '{}' http://a/", "POST / a", "{}", "Content-Type: application/json"},
		{"curl -u a:b http://a/", "GET / a", "", "Authorization: Basic YTpi"},
		{"curl -H 'Host: b' http://a/", "GET / b", "", ""},
		{"curl -H 'Content-Type:' -d x http://a/", "POST / a", "x", ""},
		{"curl http://a/b/../c/./d", "GET /c/d a", "", ""},
		{"curl --path-as-is http://a/b/../c", "GET /b/../c a", "", ""},
		{"curl -sSk --compressed -o out -m 5 http://a/", "GET / a", "", ""},
		{"curl -H $'X-A: it\\'s \\u00e9' http://a/", "GET / a", "", "X-A: it's é"},
		{"curl \"http://a/\\\"\" | jq .", "GET /\" a", "", ""},
		{"curl http://a/ \\\n  -H 'X-A: 1' \\\n", "GET / a", "", "X-A: 1"},
		{"curl", "", "", ""},
		{"curl -d", "", "", ""},
		{"curl http://a/ http://b/", "", "", ""},
		{"curl ftp://a/", "", "", ""},
		{"curl http:///x", "", "", ""},
		{"curl 'http://a/b c'", "", "", ""},
		{"curl -F a=b http://a/", "", "", ""},
		{"curl $(id) http://a/", "", "", ""},
		{"curl \"$HOME\"", "", "", ""},
		{"curl 'http://a/", "", "", ""},
		{"curl -H $'X-A: b\\r\\nX-B: c' http://a/", "", "", ""},
		{"curl -d @absent http://a/", "", "", ""},
	} {
		t.Run(tt.command, func(t *testing.T) {
			c, err := capture.Parse([]byte(tt.command), capture.Options{Open: func(name string) (io.ReadCloser, error) {
				if name != "file" {
					return nil, errors.New("no such file")
				}
				return io.NopCloser(strings.NewReader("f\nile\n")), nil
			}})
			if tt.line == "" {
				if err == nil {
					t.Errorf("got %s %s", c.Request.Method, c.Request.RequestURI)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := c.Fresh(t.Context())
			body, _ := io.ReadAll(r.Body)
			if got := r.Method + " " + r.RequestURI + " " + r.Host; got != tt.line || string(body) != tt.body {
				t.Errorf("got %q with %q, want %q with %q", got, body, tt.line, tt.body)
			}
			if name, value, _ := strings.Cut(tt.header, ": "); value != r.Header.Get(name) && name != "" {
				t.Errorf("%s: got %q, want %q", name, r.Header.Get(name), value)
			}
			if strings.Contains(tt.command, "Content-Type:'") && r.Header.Get("Content-Type") != "" {
				t.Errorf("the command removes Content-Type, and it is %q", r.Header.Get("Content-Type"))
			}
		})
	}
}

// TestErrorsHoldNothing: errors contain no text of the request, which may hold secrets.
func TestErrorsHoldNothing(t *testing.T) {
	for _, in := range []string{"GET / HTTP/1.1\nAuthorization SECRET\n\n", "SECRET\n\n", "GET /SECRET\x00 HTTP/1.1\n\n",
		"GET / HTTP/1.1\nContent-Length: SECRET\n\n", "GET / HTTP/1.1\nTransfer-Encoding: SECRET\n\n", `{"SECRET":`, "curl 'SECRET", "curl ftp://SECRET",
		"curl \"SECRET http://x/", "curl http://x/ (SECRET", "curl -H $'SECRET: \\x' http://x/", "curl http://x/ http://SECRET/", "curl -u SECRET http://x/",
		"curl -b SECRET http://x/", "curl -H 'SECRET : a' http://x/", "curl http://SECRET{a,b}/", "curl -d @SECRET http://x/", "curl --data-raw=SECRET http://x/",
		"C:\\>curl -H \"X: 100%a SECRET%\" http://x/", "PS C:\\> curl.exe 'SECRET", "curl -F SECRET http://x/", "curl -H \"X: ${A:-SECRET}\" http://x/"} {
		if _, err := capture.Parse([]byte(in), capture.Options{}); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// TestRefused_T184: a request that the server refuses without calling the handler is an
// error with the status and the reason.
func TestRefused_T184(t *testing.T) {
	const host = "Host: x\r\n"
	for _, tt := range []struct {
		in     string
		status int
		reason string
	}{
		{"GET / HTTP/1.1\r\n\r\n", 400, "no Host header"},
		{"GET / HTTP/1.1\r\n" + host + host + "\r\n", 400, "two Host headers"},
		{"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, "malformed Host header"},
		{"GET / HTTP/1.1\r\n" + host + "X Y: 1\r\n\r\n", 400, "a space"},
		{"GET / HTTP/1.1\r\n" + host + "X-Y 1\r\n\r\n", 400, "not a header"},
		{"GET / HTTP/1.1\r\n" + host + "X-Y: a\rb\r\n\r\n", 400, "not a header"},
		{"GET / HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n", 400, "Content-Length"},
		{"GET / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, "given twice"},
		{"GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n", 400, "Trailer"},
		{"GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 501, "Transfer-Encoding"},
		{"GET / HTTP/1.1\r\n" + host + "Expect: x\r\n\r\n", 417, "Expect"},
		{"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 2<<20) + "\r\n\r\n", 431, "1 MiB"},
		{"GET / HTTP/1.1 \r\n" + host + "\r\n", 400, "first line"},
		{"GET /%zz HTTP/1.1\r\n" + host + "\r\n", 400, "target"},
		{"G(T / HTTP/1.1\r\n" + host + "\r\n", 400, "method"},
		{"GET /\r\n" + host + "\r\n", 400, "protocol"},
		{"GET / HTTP/0.9\r\n" + host + "\r\n", 505, "protocol"},
		{"\r\nGET / HTTP/1.1\r\n" + host + "\r\n", 400, "empty line"},
		{"OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 200, "OPTIONS *"},
	} {
		_, err := capture.Parse([]byte(tt.in), capture.Options{})
		refused, ok := errors.AsType[*capture.Refused](err)
		if !ok || refused.Status != tt.status || !strings.Contains(refused.Reason, tt.reason) || refused.Format != "raw" {
			t.Errorf("%.80q: got %v, want %d for %q", tt.in, err, tt.status, tt.reason)
		}
	}
}

// FuzzParse: Parse does not panic. A request that it returns has a method, a target, and a
// body that can be read as far as it was saved.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"GET /a?b=1 HTTP/1.1\r\nHost: x\r\nAuthorization: SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=00\r\n\r\n",
		"POST / HTTP/2\nHost: x\nContent-Length: 3\n\nabcd\n", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n",
		"> GET / HTTP/1.1\n> Host: x\n> \n", "GET /\n\n", "GET / HTTP/1.1\nHost: a\nHost: b\n\n",
		"POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nabc", "POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ":method: GET\n:path: /a\n:authority: x\n\n", ":method:\nGET\n:path:\n/a\n:authority:\nx\n",
		"=> Send header, 23 bytes (0x17)\n0000: GET / HTTP/1.1\n0010: Host\n=> Send data, 1 bytes (0x1)\n0000: .\n", "HTTP/1.1 200 OK\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nab",
		"POST / HTTP/1.1\nContent-Length: -1\n\nx", "POST / HTTP/1.1\nContent-Length: 99999999999999999999\n\nx", "POST / HTTP/1.1\nContent-Length: 5\n\n",
		`curl -X POST -d 'a=1' -H "X-A: b" http://x/y?z`, "curl -d @file $'a\\x41\\u00e9\\101' http://x/", `$ curl "http://x/`, "curl -", "curl --", "curl -G -d", "curl \\",
		"curl 0&0\xae", "$ T=a; echo \"$T\" | curl -d @- http://x/ <<E\n$T\nE\nout", "curl ^\"http://x/^\" ^\n -d ^\"^{%A%^%^20^\\^\"^\" < f 2>&1 | more",
		"PS C:\\> curl.exe 'http://x/' `\n>> -d \"a`n$b\" > f # c\n", `curl $'\ud83d\ude00\x\c' {a,b} ~ ${a:-b} $((1)) <(a) http://x/{a}[1-2]`,
		`{"log":{"entries":[{"startedDateTime":"2026-01-15T12:00:00Z","request":{"method":"POST","url":"https://x/y","headers":[{"name":":authority","value":"z"}],"postData":{"text":"a","params":[{"name":"b"}]}}}]}}`,
		`{"log":{"entries":[null]}}`, `{"log":{"entries":[{"request":{"postData":{"text":"!","encoding":"base64"}}}]}}`,
		`{"time":"2026-01-15T12:00:00Z","msg":"request refused","code":"key_unknown","mode":"enforce","skew":1}`, `{"skew":"1s"}`, "\ufeff", "\x00",
	} {
		f.Add([]byte(seed), 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, entry int) {
		for _, format := range append([]string{"auto"}, capture.Formats...) {
			c, err := capture.Parse(data, capture.Options{Format: format, Entry: entry})
			switch {
			case err != nil:
				continue
			case (c.Request == nil) == (c.Event == nil):
				t.Fatalf("%s: request %v, event %v", format, c.Request, c.Event)
			case c.Event != nil:
				continue
			}
			r := c.Fresh(t.Context())
			if body, err := io.ReadAll(r.Body); err != c.Broken || len(body) != len(c.Body) || len(body) > capture.MaxSize {
				t.Fatalf("%s: %d bytes of %d, %v", format, len(body), len(c.Body), err)
			}
			if r.Method == "" || r.URL == nil || r.RequestURI == "" || r.ContentLength >= 0 && r.ContentLength < int64(len(c.Body)) {
				t.Fatalf("%s: %+v", format, r)
			}
		}
	})
}

// FuzzQuote: Quote returns one word of the text, for Parse and for a shell.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "a", "it's", "$(id)", "`id`", "\\", "\n", "'\\''", "a b", "é", "-n", "~", "*", "!x", "\x80", "a\xffb\xc3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\x00\r\n") || strings.HasPrefix(text, "@") {
			return // no URL, and no argument
		}
		c, err := capture.Parse([]byte("curl http://x/ --data-raw "+capture.Quote(text)+" -X A"), capture.Options{Format: "curl"})
		if err != nil || string(c.Body) != text || c.Request.Method != "A" {
			t.Fatalf("%q: %v %+v", text, err, c)
		}
		if len(text) < 20 { // the shell is a process for each text
			out, err := exec.Command("sh", "-c", "printf %s "+capture.Quote(text)).Output()
			if err != nil || string(out) != text && text != "" && text[0] != '-' {
				t.Fatalf("a shell reads %q as %q, %v", text, out, err)
			}
		}
	})
}
