package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// stream is a relay that records the bytes of both directions in the order of their
// arrival, as Wireshark's "Follow TCP stream" shows them.
type stream struct {
	net.Listener
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// take returns what was recorded since the last call.
func (s *stream) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

func relay(t *testing.T, to string) *stream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &stream{Listener: l}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			go func() {
				io.Copy(io.MultiWriter(s, server), client)
				server.(*net.TCPConn).CloseWrite()
			}()
			go func() { io.Copy(io.MultiWriter(s, client), server); client.Close() }()
		}
	}()
	return s
}

// tunnel is a proxy that handles CONNECT.
func tunnel(w http.ResponseWriter, r *http.Request) {
	server, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { io.Copy(server, client); server.Close() }()
	go func() { io.Copy(client, server); client.Close() }()
}

// TestCapturesOfTools_T185: the output of curl and wget, and the recorded streams of their
// requests, have the verdict of the request itself.
func TestCapturesOfTools_T185(t *testing.T) {
	needs.Long(t) // runs curl in many ways
	needs.Program(t, "curl", "curl")
	dir := folder(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/final", http.StatusFound)
			return
		}
		io.WriteString(w, "> hello\n> GET /x\nGET /y HTTP/1.1 is no request line\n=> Send header\n")
	}))
	t.Cleanup(server.Close)
	secure := httptest.NewUnstartedServer(server.Config.Handler)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	proxy := httptest.NewServer(http.HandlerFunc(tunnel))
	t.Cleanup(proxy.Close)
	wire := relay(t, server.Listener.Addr().String())
	host := wire.Addr().String()
	signed := func(args ...string) string {
		args = append([]string{"sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-as", "curl"}, args...)
		return strings.TrimPrefix(strings.TrimSpace(cli(t, dir, "", args...).out), "curl ")
	}
	get, post, moved := signed("http://"+host+"/orders?a=1"), signed("-d", `{"amount": 900, "note": "`+strings.Repeat("long ", 30)+`"}`, "http://"+host+"/orders"), signed("http://"+host+"/moved")
	write(t, dir, "long.bin", strings.Repeat("a line of the body\r\nab cd ef \x00\xff\n", 40_000))
	long := signed("--data-binary", "@long.bin", "http://"+host+"/orders")
	get2, post2, moved2 := signed(secure.URL+"/orders?a=1"), signed("-d", "a=1&b=2", secure.URL+"/orders"), signed(secure.URL+"/moved")
	run := func(command string) string {
		c := exec.Command("sh", "-c", command)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		trace := filepath.Join(dir, "trace")
		if text, err := os.ReadFile(trace); err == nil {
			os.Remove(trace)
			return string(text)
		}
		return string(out)
	}
	for _, tt := range []struct {
		name, command string
		stream        bool
		args          []string
		code          int
		says          string
	}{
		{name: "-v", command: "curl -v -sS -o body " + get},
		{name: "-v with the meter", command: "curl -v -o body " + get},
		{name: "-v with the answer's body", command: "curl -v " + get},
		{name: "-v with a bar", command: "curl -v -# " + moved + " -L --next -# " + get, says: "has 3 requests"},
		{name: "-v with times", command: "curl -v --trace-time " + get},
		{name: "the command and -v", command: "echo '$ curl -v http://" + host + "/'; curl -v " + get},
		{name: "-v with a body", command: "curl -v " + post, code: 1, says: "incomplete"},
		{name: "-vL", command: "curl -vL " + moved, says: "has 2 requests"},
		{name: "-vL, the second", command: "curl -vL " + moved, args: []string{"-entry", "1"}, code: 2, says: "number 1"},
		{name: "-vL without meter", command: "curl -sSvL " + moved, says: "has 2 requests"},
		{name: "-v, HTTP/1.0", command: "curl -v --http1.0 " + get},
		{name: "--trace-ascii", command: "curl -sS --trace-ascii trace " + get},
		{name: "--trace-ascii with a body", command: "curl -sS --trace-ascii trace " + post},
		{name: "--trace-ascii with times", command: "curl -sS --trace-time --trace-ascii trace " + post},
		{name: "--trace-ascii on standard output", command: "curl -sS --trace-ascii - " + post},
		{name: "--trace-ascii, chunked", command: "curl -sS --trace-ascii trace -H 'Transfer-Encoding: chunked' " + post},
		{name: "--trace-ascii -L", command: "curl -sSL --trace-ascii trace " + moved, says: "has 2 requests"},
		{name: "--trace-ascii of bytes", command: "curl -sS --trace-ascii trace " + long, code: 2, says: "as dots"},
		{name: "--trace", command: "curl -sS --trace trace " + get},
		{name: "--trace with a body", command: "curl -sS --trace trace " + post},
		{name: "--trace of bytes", command: "curl -sS --trace trace " + long},
		{name: "--trace, chunked", command: "curl -sS --trace trace -H 'Transfer-Encoding: chunked' " + long},
		{name: "--trace -L", command: "curl -sSL --trace trace --trace-time " + moved, says: "has 2 requests"},
		{name: "-v, HTTP/2", command: "curl -vk " + get2, says: "HTTP/2"},
		{name: "-v, HTTP/2, with a body", command: "curl -vk " + post2, code: 1, says: "incomplete"},
		{name: "-vL, HTTP/2", command: "curl -vkL " + moved2, says: "has 2 requests"},
		{name: "-v, TLS", command: "curl -vk --http1.1 " + get2},
		{name: "--trace-ascii, HTTP/2", command: "curl -ksS --trace-ascii trace " + post2, says: "HTTP/2"},
		{name: "--trace, HTTP/2", command: "curl -ksS --trace trace " + post2, says: "HTTP/2"},
		{name: "--trace, TLS", command: "curl -ksSL --http1.1 --trace trace " + moved2, says: "has 2 requests"},
		{name: "-v by way of a proxy", command: "curl -vk --http1.1 -x " + proxy.URL + " " + get2, says: "tunnel"},
		{name: "-v by way of a proxy, HTTP/2", command: "curl -vk -x " + proxy.URL + " " + get2, says: "tunnel"},
		{name: "--trace by way of a proxy", command: "curl -ksS --http1.1 --trace trace -x " + proxy.URL + " " + post2, says: "tunnel"},
		{name: "stream", command: "curl -sS " + get, stream: true, says: "the response after the request"},
		{name: "stream with a body", command: "curl -sS " + post, stream: true, says: "the response after the request"},
		{name: "stream, chunked", command: "curl -sS -H 'Transfer-Encoding: chunked' " + post, stream: true, says: "the response after the request"},
		{name: "stream of -L", command: "curl -sSL " + moved, stream: true, says: "has 2 requests"},
		{name: "stream of two", command: "curl -sS http://" + host + "/first " + get, stream: true, code: 2, says: "has 2 requests"},
		{name: "stream of two, the second", command: "curl -sS http://" + host + "/first " + get, stream: true, args: []string{"-entry", "1"}, says: "number 1"},
		{name: "stream with 100 Continue", command: "curl -sS -H 'Expect: 100-continue' " + post, stream: true, says: "between header and body"},
		{name: "stream of a large body", command: "curl -sS " + long, stream: true, says: "the response after the request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire.take()
			text := run(tt.command)
			if tt.stream {
				text = wire.take()
			}
			x, code := explained1(t, dir, text, append(tt.args, "-at", "captured")...)
			if says := strings.Join(x.Notes, "\n"); code != tt.code || x.Format != "raw" || !strings.Contains(says, tt.says) {
				t.Errorf("exit %d, want %d; got notes %q, want %q\n%.3000s", code, tt.code, says, tt.says, text)
			}
		})
	}
	if _, err := exec.LookPath("wget"); err == nil {
		var headers []string
		for line := range strings.Lines(cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "http://"+host+"/orders").out) {
			headers = append(headers, "--header='"+strings.TrimSpace(line)+"'")
		}
		text := run("wget -d -O body " + strings.Join(headers, " ") + " http://" + host + "/orders 2>&1")
		if x, code := explained1(t, dir, text, "-at", "captured"); code != 0 || !strings.Contains(strings.Join(x.Notes, "\n"), "before the first request") {
			t.Errorf("wget -d: exit %d, %q\n%s", code, x.Notes, text)
		}
	}
}

// explained1 runs the command and returns its answer and exit code.
func explained1(t *testing.T, dir, in string, args ...string) (x explained, code int) {
	t.Helper()
	r := cli(t, dir, in, append([]string{"explain", "-config", "environments.yaml", "-env", "dev", "-json"}, args...)...)
	if err := json.Unmarshal([]byte(r.out), &x); err != nil {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	return x, r.code
}

// TestMoreThanARequest_T185: text around the request does not change the verdict, and notes
// say what was ignored.
func TestMoreThanARequest_T185(t *testing.T) {
	dir := folder(t)
	const at = "2026-01-15T12:00:00Z"
	sign := func(args ...string) string {
		return cli(t, dir, "", append([]string{"sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-at", at}, args...)...).out
	}
	get := "GET /orders?x=1 HTTP/1.1\nHost: api.example.com\n" + sign("http://api.example.com/orders?x=1") + "\n"
	post := "POST /orders?x=1 HTTP/1.1\nHost: api.example.com\nContent-Length: 7\n" + sign("-d", "a=1&b=2", "http://api.example.com/orders?x=1") + "\na=1&b=2"
	noBody := strings.Replace(post, "a=1&b=2", "", 1)
	const answer = "HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 2\n\nok"
	crlf := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	browser := func(text, colon, between string) string {
		fields := strings.Split(strings.TrimSuffix(strings.SplitN(text, "\n\n", 2)[0], "\n"), "\n")
		method := strings.Fields(fields[0])
		lines := []string{colon + "authority: api.example.com", colon + "method: " + method[0], colon + "path: " + method[1], colon + "scheme: https"}
		for _, f := range fields[2:] {
			name, value, _ := strings.Cut(f, ": ")
			lines = append(lines, strings.ToLower(name)+": "+value)
		}
		return strings.ReplaceAll(strings.Join(lines, "\n"), ": ", between) + "\n"
	}
	for _, tt := range []struct {
		name, in string
		args     []string
		code     int
		says     string
	}{
		{"answer", get + answer, nil, 0, "the response after the request is ignored"},
		{"answer, after a line break", get + "\n" + answer, nil, 0, "the response after the request is ignored"},
		{"answer of HTTP/2", get + strings.Replace(answer, "HTTP/1.1", "HTTP/2", 1), nil, 0, "the response after the request is ignored"},
		{"answer without a reason", crlf(get + "HTTP/1.1 204\n\n"), nil, 0, "the response after the request is ignored"},
		{"answer after a body", post + answer, nil, 0, "the response after the request is ignored"},
		{"answer after a body and a line break", crlf(post + "\n\n" + answer), nil, 0, "the response after the request is ignored"},
		{"answer in place of the body", noBody + answer, nil, 1, "incomplete"},
		{"text after it", get + "some notes\nof the person who saved it", nil, 0, "no Content-Length"},
		{"text after a body", post + "\n\nsome notes", nil, 0, "ignored"},
		{"line breaks after it", get + "\n\n\n", nil, 0, "ignored"},
		{"next request", get + post, nil, 0, "has 2 requests"},
		{"next request, chosen", get + post, []string{"-entry", "1"}, 0, "number 1"},
		{"request, answer, request", crlf(post + answer + get + answer), []string{"-entry", "1"}, 0, "number 1"},
		{"request after an answer", answer + "\n" + get, nil, 0, "before the first request"},
		{"text before it", "==== 1 ====\n" + post, nil, 0, "before the first request"},
		{"prompt before it", "$ nc -l 8080\n" + get, nil, 0, "before the first request"},
		{"HTTP/2", strings.Replace(get, "HTTP/1.1\nHost", "HTTP/2\nhost", 1), nil, 0, "HTTP/2"},
		{"HTTP/2.0", strings.Replace(post, "HTTP/1.1", "HTTP/2.0", 1), nil, 0, "HTTP/2"},
		{"HTTP/3", strings.Replace(get, "HTTP/1.1", "HTTP/3", 1), nil, 0, "HTTP/2"},
		{"HTTP/2 with pseudo-headers", strings.Replace(get, "HTTP/1.1\nHost: ", "HTTP/2\n:method: GET\n:authority: ", 1), nil, 0, "HTTP/2"},
		{"browser", browser(get, ":", ": "), nil, 0, "browser"},
		{"browser, CR LF", crlf(browser(get, ":", ": ")), nil, 0, "browser"},
		{"browser, without colons", browser(get, "", ": "), nil, 0, "browser"},
		{"browser, values on their own lines", browser(get, ":", ":\n"), nil, 0, "browser"},
		{"browser, names without colons", browser(get, ":", "\n"), nil, 0, "browser"},
		{"browser, with a title", "Request Headers\n" + browser(get, ":", ": "), nil, 0, "browser"},
		{"browser, with a body", browser(post, ":", ": ") + "\na=1&b=2", nil, 0, "browser"},
		{"browser, without its body", browser(post, ":", ":\n"), nil, 1, "incomplete"},
		{"quoted", "> " + strings.ReplaceAll(strings.TrimSuffix(get, "\n"), "\n", "\n> ") + "\n< HTTP/1.1 200 OK\n", nil, 0, ""},
		{"no empty line", strings.TrimSuffix(get, "\n"), nil, 0, "no empty line"},
		{"no line break", strings.TrimSuffix(get, "\n\n"), nil, 0, "no empty line"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x, code := explained1(t, dir, tt.in, append(tt.args, "-at", at)...)
			if says := strings.Join(x.Notes, "\n"); code != tt.code || x.Format != "raw" || !strings.Contains(says, tt.says) {
				t.Errorf("exit %d, want %d; got notes %q, want %q\n%s", code, tt.code, says, tt.says, tt.in)
			}
		})
	}
	for name, in := range map[string]string{"answer alone": answer, "no path": ":method: GET\n:authority: x\n", "no value": ":method:\nGET\n:path:\n/x\naccept:\n"} {
		if r := cli(t, dir, in, "explain", "-config", "environments.yaml", "-env", "dev"); r.code != 3 || !strings.Contains(r.err, "read as raw") {
			t.Errorf("%s: exit %d %s", name, r.code, r.err)
		}
	}
	if r := cli(t, dir, get+post, "explain", "-config", "environments.yaml", "-env", "dev", "-entry", "2"); r.code != 3 || !strings.Contains(r.err, "has 2, counted from 0") {
		t.Errorf("entry 2: exit %d %s", r.code, r.err)
	}
}

// TestBodiesOfHAR_T185: browsers write the body of an entry in several forms.
func TestBodiesOfHAR_T185(t *testing.T) {
	dir := folder(t)
	const at = "2026-01-15T12:00:00Z"
	const form = "b=2&a=1+x"
	entry := func(protocol, body string, data map[string]any, extra ...string) string {
		args := []string{"sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-at", at}
		if body != "" {
			args = append(args, "-d", body)
		}
		var headers []map[string]string
		add := func(name, value string) { headers = append(headers, map[string]string{"name": name, "value": value}) }
		url := "https://api.example.com/orders"
		if protocol == "h2" {
			add(":authority", "api.example.com")
			add(":method", "POST")
			add(":path", "/orders")
			add(":scheme", "https")
			url = "https://api.example.com/orders#there"
		}
		for _, line := range append(extra, strings.Split(strings.TrimSpace(cli(t, dir, "", append(args, "-X", "POST", "http://api.example.com/orders")...).out), "\n")...) {
			name, value, _ := strings.Cut(line, ": ")
			add(name, value)
		}
		request := map[string]any{"method": "POST", "url": url, "httpVersion": protocol, "headers": headers}
		if data != nil {
			request["postData"] = data
		}
		text, _ := json.Marshal(map[string]any{"log": map[string]any{"entries": []any{map[string]any{"startedDateTime": at, "request": request}}}})
		return string(text)
	}
	params := []any{map[string]string{"name": "b", "value": "2"}, map[string]string{"name": "a", "value": "1 x"}}
	text := map[string]any{"mimeType": "application/x-www-form-urlencoded", "text": form, "params": params}
	for _, tt := range []struct {
		name, in string
		code     int
		says     string
	}{
		{"text and parameters", entry("HTTP/1.1", form, text, "Content-Length: 9"), 0, ""},
		{"text without its length", entry("HTTP/1.1", form, text), 0, ""},
		{"HTTP/2", entry("h2", form, text, "content-length: 9"), 0, ""},
		{"HTTP/2 without its length", entry("h2", form, text), 0, ""},
		{"HTTP/2 with a Host", entry("h2", form, text, "Host: other.example"), 0, ""},
		{"chunked", entry("HTTP/1.1", form, text, "Transfer-Encoding: chunked"), 0, ""},
		{"base64", entry("HTTP/1.1", form, map[string]any{"text": base64.StdEncoding.EncodeToString([]byte(form)), "encoding": "base64"}, "Content-Length: 9"), 0, ""},
		{"parameters", entry("HTTP/1.1", form, map[string]any{"mimeType": "application/x-www-form-urlencoded", "params": params}, "Content-Length: 9"), 0, "a guess"},
		{"no body", entry("HTTP/1.1", "", nil, "Content-Length: 0"), 0, "has no body"},
		{"body left out", entry("HTTP/1.1", form, nil, "Content-Length: 9"), 1, "incomplete"},
		{"body left out, HTTP/2", entry("h2", form, nil, "content-length: 9"), 1, "incomplete"},
		{"body left out, signed empty", entry("HTTP/1.1", "", nil, "Content-Length: 9"), 1, "incomplete"},
		{"parts of a form", entry("HTTP/1.1", form, map[string]any{"mimeType": "multipart/form-data; boundary=x", "params": params}, "Content-Length: 9"), 1, "is unknown"},
		{"text shorter than announced", entry("HTTP/1.1", form, text, "Content-Length: 12"), 1, "incomplete"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x, code := explained1(t, dir, tt.in, "-at", at)
			if says := strings.Join(x.Notes, "\n"); code != tt.code || x.Format != "har" || !strings.Contains(says, tt.says) {
				t.Errorf("exit %d, want %d; got notes %q, want %q\n%s", code, tt.code, says, tt.says, fmt.Sprintf("%.600s %+v", tt.in, x.Explanation))
			}
		})
	}
}

// TestDumpedRequests_T185: the output of httputil.DumpRequest in a server is read.
func TestDumpedRequests_T185(t *testing.T) {
	dir := folder(t)
	dumps := make(chan string, 1)
	dump := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		dumps <- string(text)
	})
	plain, secure := httptest.NewServer(dump), httptest.NewUnstartedServer(dump)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	for version, server := range map[int]*httptest.Server{1: plain, 2: secure} {
		base := server.Client().Transport
		for _, tt := range []struct {
			name, body string
			length     int64
			code       int
		}{
			{name: "none"},
			{name: "known length", body: "a=1&b=2", length: 7},
			{name: "unknown length", body: "a=1&b=2", length: -1, code: version - 1}, // HTTP/2 has frames, and the dump of a body of unknown length has no framing
		} {
			t.Run(fmt.Sprintf("HTTP/%d, %s", version, tt.name), func(t *testing.T) {
				var body io.Reader
				if tt.body != "" {
					body = struct{ io.Reader }{strings.NewReader(tt.body)}
				}
				r, err := http.NewRequest("POST", server.URL+"/orders", body)
				if err != nil {
					t.Fatal(err)
				}
				r.ContentLength = tt.length
				answer, err := (&signer.Transport{Signer: apig.NewSigner(orders, apig.SignOptions{}), Base: roundTripper(func(r *http.Request) (*http.Response, error) {
					r.ContentLength = tt.length
					return base.RoundTrip(r)
				})}).RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				text := <-dumps
				if !strings.Contains(text, fmt.Sprintf(" HTTP/%d.", version)) {
					t.Fatalf("not a request of HTTP/%d:\n%s", version, text)
				}
				if x, code := explained1(t, dir, text, "-at", "captured"); code != tt.code {
					t.Errorf("exit %d, want %d: %q %q\n%s", code, tt.code, x.Notes, x.Advice, text)
				}
			})
		}
	}
}
