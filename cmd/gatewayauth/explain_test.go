package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/core/signer"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var orders = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret(secrets["ORDERS_SECRET"])}

// recorder is a backend that records the bytes of the requests that it receives.
type recorder struct {
	net.Listener
	requests chan []byte
}

func record1(t *testing.T) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{l, make(chan []byte, 1)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.take(conn)
		}
	}()
	return r
}

// take reads one request, until no more bytes arrive.
func (r *recorder) take(conn net.Conn) {
	defer conn.Close()
	var all bytes.Buffer
	conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	io.Copy(&all, conn)
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	r.requests <- all.Bytes()
}

// sent signs a request, sends it through a proxy, and returns the bytes that arrive.
func sent(t *testing.T, key core.Key, proxy string, backend *recorder, r *http.Request, change func(*http.Request)) string {
	t.Helper()
	r.Host = "api.example.com"
	transport := &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{}), Base: roundTripper(func(out *http.Request) (*http.Response, error) {
		out.URL.Host = proxy
		if change != nil {
			change(out)
		}
		return (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(out)
	})}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return string(<-backend.requests)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestExplainAcrossAProxy: explain names the change that a real proxy or the sender made
// to a request.
func TestExplainAcrossAProxy(t *testing.T) {
	dir := folder(t)
	release := orders
	release.Secret = core.NewSecret(secrets["RELEASE_SECRET"])
	unknown := orders
	unknown.Secret = core.NewSecret("nobody-knows-this-secret")
	for _, tt := range []struct {
		name, method, target, body string
		key                        core.Key
		proxy                      func(p *httputil.ProxyRequest)
		change                     func(r *http.Request)
		args                       []string
		code                       int
		want                       []explain.Cause
	}{
		{name: "nothing", target: "/orders/7?b=2&a=1"},
		{name: "nothing, with a body", method: "POST", target: "/orders", body: `{"n": 1}`},
		{name: "host", target: "/orders/7", proxy: func(p *httputil.ProxyRequest) { p.Out.Host = "10.0.0.7:8080" },
			args: []string{"-host", "api.example.com"}, code: 1, want: []explain.Cause{explain.CauseHost}},
		{name: "prefix, by a hint", target: "/shop/orders/7", proxy: stripped("/shop"),
			args: []string{"-prefix", "/shop"}, code: 1, want: []explain.Cause{explain.CausePrefix}},
		{name: "prefix, without a hint", target: "/v1/orders/7", proxy: stripped("/v1"), code: 1, want: []explain.Cause{explain.CausePrefix}},
		{name: "parameter added", target: "/orders/7?a=1", proxy: func(p *httputil.ProxyRequest) { p.Out.URL.RawQuery += "&trace=1" },
			code: 1, want: []explain.Cause{explain.CauseParameters}},
		{name: "body rewritten", method: "POST", target: "/orders", body: `{"b":1,"a":2}`,
			proxy: func(p *httputil.ProxyRequest) {
				p.Out.Body = io.NopCloser(strings.NewReader(`{"b": 1, "a": 2}`))
				p.Out.ContentLength = 16
			}, code: 1, want: []explain.Cause{explain.CauseBodyRewritten}},
		{name: "empty body signed", method: "POST", target: "/orders",
			change: func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x=1")), 3 },
			code:   1, want: []explain.Cause{explain.CauseEmptyBody}},
		{name: "another environment", target: "/orders/7", key: release, code: 1, want: []explain.Cause{explain.CauseEnvironment}},
		{name: "another environment, excluded", target: "/orders/7", key: release, args: []string{"-other-env", "dev"}, code: 2},
		{name: "unknown secret", target: "/orders/7", key: unknown, code: 2},
		{name: "key of another API", target: "/partner/7", code: 1, want: []explain.Cause{explain.CauseBinding}},
		{name: "no signature", target: "/orders/7", change: func(r *http.Request) { r.Header.Del("Authorization") }, code: 1},
		{name: "late", target: "/orders/7", args: []string{"-at", "2031-01-01T00:00:00Z"}, code: 1, want: []explain.Cause{explain.CauseClock}},
		{name: "late, as captured", target: "/orders/7", args: []string{"-at", "captured"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			backend := record1(t)
			proxy := httptest.NewServer(&httputil.ReverseProxy{
				Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
				Rewrite: func(p *httputil.ProxyRequest) {
					p.Out.URL.Scheme, p.Out.URL.Host = "http", backend.Addr().String()
					p.Out.URL.RawQuery = p.In.URL.RawQuery
					if tt.proxy != nil {
						tt.proxy(p)
					}
				}})
			defer proxy.Close()
			r, err := http.NewRequest(tt.method, "http://api.example.com"+tt.target, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			key := tt.key
			if key.Name == "" {
				key = orders
			}
			text := sent(t, key, strings.TrimPrefix(proxy.URL, "http://"), backend, r, tt.change)
			x := runExplain(t, dir, text, tt.code, tt.args...)
			var got []explain.Cause
			for _, f := range x.Explanation.Causes {
				got = append(got, f.Cause)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got causes %v, want %v\n%s\n%+v", got, tt.want, text, x)
			}
			if accepted := x.Verdict == "accepted"; accepted != (tt.code == 0) {
				t.Errorf("verdict %s", x.Verdict)
			}
		})
	}
}

func stripped(prefix string) func(*httputil.ProxyRequest) {
	return func(p *httputil.ProxyRequest) { p.Out.URL.Path = strings.TrimPrefix(p.In.URL.Path, prefix) }
}

type explained struct {
	Verdict     string
	Explained   bool
	Format      string
	Notes       []string
	Advice      []string
	Explanation explain.Explanation
	Event       struct {
		Code    string
		Facts   []string
		Unknown string
	}
}

// runExplain runs the command for the environment dev, as text and as JSON.
func runExplain(t *testing.T, dir, in string, code int, args ...string) *explained {
	t.Helper()
	args = append([]string{"explain", "-config", "environments.yaml", "-env", "dev"}, args...)
	plain := cli(t, dir, in, args...)
	r := cli(t, dir, in, append(args, "-json")...)
	if r.code != code || plain.code != code || r.err != "" {
		t.Fatalf("exit %d and %d, want %d: %s\n%s", plain.code, r.code, code, r.err, plain.out)
	}
	var x explained
	if err := json.Unmarshal([]byte(r.out), &x); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	if strings.Contains(plain.out, "Signature=") && !strings.Contains(plain.out, "Signature=[redacted]") {
		t.Errorf("a signature is printed:\n%s", plain.out)
	}
	return &x
}

// TestExplainNginx: nginx removes a prefix and replaces the host.
func TestExplainNginx(t *testing.T) {
	path := needs.Program(t, "nginx", "nginx")
	dir := folder(t)
	backend := record1(t)
	port := freePort(t)
	write(t, dir, "nginx.conf", fmt.Sprintf(`daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events {}
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s; location /v1/ { proxy_pass http://%[3]s/; } } }`, dir, port, backend.Addr()))
	c := exec.Command(path, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { c.Process.Kill(); c.Wait() }()
	for range 100 {
		if conn, err := net.Dial("tcp", port); err == nil {
			conn.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	r, _ := http.NewRequest("POST", "http://api.example.com/v1/orders?x=1", strings.NewReader("text"))
	text := sent(t, orders, port, backend, r, nil)
	x := runExplain(t, dir, text, 1, "-host", "api.example.com")
	if len(x.Explanation.Causes) != 2 || x.Explanation.Causes[0].Cause != explain.CauseHost || x.Explanation.Causes[1].Cause != explain.CausePrefix {
		t.Errorf("%+v\n%s", x.Explanation.Causes, text)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestExplainFormats: one request has the same verdict in every format.
func TestExplainFormats(t *testing.T) {
	dir := folder(t)
	const at = "2026-01-15T12:00:00Z"
	headers := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-at", at, "-d", "a=1&b=2", "http://api.example.com/orders?x=1").out
	curl := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-at", at, "-d", "a=1&b=2", "-as", "curl", "http://api.example.com/orders?x=1").out
	raw := "POST /orders?x=1 HTTP/1.1\nHost: api.example.com\nContent-Length: 7\n" + headers + "\na=1&b=2"
	var har []map[string]string
	for line := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		har = append(har, map[string]string{"name": name, "value": value})
	}
	archive, _ := json.Marshal(map[string]any{"log": map[string]any{"entries": []any{map[string]any{}, map[string]any{"startedDateTime": at,
		"request": map[string]any{"method": "POST", "url": "https://api.example.com:443/orders?x=1", "headers": har,
			"postData": map[string]any{"text": base64.StdEncoding.EncodeToString([]byte("a=1&b=2")), "encoding": "base64"}}}}}})
	verbose := "*   Trying 127.0.0.1\n> " + strings.ReplaceAll(strings.TrimSuffix(strings.SplitN(raw, "\n\n", 2)[0], "\n"), "\n", "\n> ") + "\n> \n< HTTP/1.1 200 OK\n"
	for _, tt := range []struct {
		name, in, format string
		args             []string
		code             int
		says             string
	}{
		{"raw", raw, "raw", []string{"-at", at}, 0, ""},
		{"raw with CR LF", strings.ReplaceAll(raw, "\n", "\r\n"), "raw", []string{"-at", at}, 0, ""},
		{"raw of HTTP/2", strings.Replace(raw, "HTTP/1.1", "HTTP/2", 1), "raw", []string{"-at", at}, 0, ""},
		{"raw with a line break at its end", raw + "\n", "raw", []string{"-at", at}, 0, "ignored"},
		{"raw without its length", strings.Replace(raw, "Content-Length: 7\n", "", 1), "raw", []string{"-at", at}, 1, "no Content-Length"},
		{"raw without its length, with advice", strings.Replace(raw, "Content-Length: 7\n", "", 1), "raw", []string{"-at", at}, 1, "add the header Content-Length: 7"},
		{"raw without its length, before an answer", strings.Replace(raw, "Content-Length: 7\n", "", 1) + "\nHTTP/1.1 401 Unauthorized\n\n", "raw", []string{"-at", at}, 1, "add the header Content-Length: 7"},
		{"raw, chunked", strings.Replace(strings.Replace(raw, "Content-Length: 7", "Transfer-Encoding: chunked", 1), "a=1&b=2", "7\r\na=1&b=2\r\n0\r\n\r\n", 1), "raw", []string{"-at", at}, 0, ""},
		{"raw, chunks joined", strings.Replace(raw, "Content-Length: 7", "Transfer-Encoding: chunked", 1) + "\n\nHTTP/1.1 401 Unauthorized\n\n", "raw", []string{"-at", at}, 1, "add the header Content-Length: 7"},
		{"raw, truncated", strings.TrimSuffix(raw, "2"), "raw", []string{"-at", at}, 2, "incomplete"},
		{"of curl -v, without the body", verbose, "raw", []string{"-at", at}, 1, "incomplete"},
		{"curl", curl, "curl", []string{"-at", "captured"}, 0, "the signed date"},
		{"curl in a script", "set -e\nexport A=1\n" + strings.TrimSpace(curl) + " > out.json 2>&1 | less # as sent\n", "curl", []string{"-at", at}, 0, "the text has 2 commands"},
		{"curl for cmd.exe", "C:\\>" + cmdQuoted(curl), "curl", []string{"-at", at}, 0, ""},
		{"curl with a prompt", "$ " + strings.ReplaceAll(curl, " --header", " \\\n  --header"), "curl", []string{"-at", at}, 0, ""},
		{"HAR", string(archive), "har", []string{"-at", "captured", "-entry", "1"}, 0, ""},
		{"forced", raw, "raw", []string{"-at", at, "-format", "raw"}, 0, ""},
		{"expired, with advice", raw, "raw", nil, 1, "--at " + at},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := runExplain(t, dir, tt.in, tt.code, tt.args...)
			if x.Format != tt.format || !strings.Contains(strings.Join(append(x.Notes, x.Advice...), "\n"), tt.says) {
				t.Errorf("read as %s; got notes %q and advice %q, want %q", x.Format, x.Notes, x.Advice, tt.says)
			}
		})
	}
}

// TestExplainClientCanonical: the two canonical requests side by side.
func TestExplainClientCanonical(t *testing.T) {
	dir := folder(t)
	headers := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-at", "2026-01-15T12:00:00Z", "http://api.example.com/shop/orders").out
	write(t, dir, "canonical.txt", "GET\n/shop/orders/\n\nhost:api.example.com\nx-sdk-date:20260115T120000Z\n\nhost;x-sdk-date\n"+emptyHash)
	raw := "GET /orders HTTP/1.1\nHost: api.example.com\n" + headers + "\n"
	x := runExplain(t, dir, raw, 1, "-at", "captured", "-client-canonical", "canonical.txt")
	if len(x.Explanation.Causes) != 1 || x.Explanation.Causes[0].Cause != explain.CausePrefix || len(x.Explanation.Lines) < 5 {
		t.Errorf("%+v", x.Explanation)
	}
	r := cli(t, dir, raw, "explain", "-config", "environments.yaml", "-env", "dev", "-at", "captured", "-client-canonical", "canonical.txt")
	if !strings.Contains(r.out, "! path             /shop/orders/ ") || !strings.Contains(r.out, "  host:            api.example.com") {
		t.Errorf("no comparison:\n%s", r.out)
	}
}

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestExplainEvent: a record of the log has the verdict, and not what was changed.
func TestExplainEvent(t *testing.T) {
	dir := folder(t)
	x := runExplain(t, dir, record, 1)
	facts := strings.Join(x.Event.Facts, "\n")
	if x.Event.Code != "signature_expired" || !strings.Contains(facts, "20m behind") || !strings.Contains(facts, "report mode") || !strings.Contains(x.Event.Unknown, "no headers") {
		t.Errorf("%+v", x)
	}
	x = runExplain(t, dir, strings.ReplaceAll(record, "signature_expired", "signature_mismatch"), 2)
	if !strings.Contains(strings.Join(x.Event.Facts, "\n"), "RELEASE (orders_key)") {
		t.Errorf("%+v", x)
	}
	for _, in := range []string{"", "{}", `{"a":1}`, "{", `{"msg":"x","code":"made up","mode":"report"}`, "nonsense", "curl", "curl $(id)", `{"log":{"entries":[]}}`} {
		if r := cli(t, dir, in, "explain", "-config", "environments.yaml", "-env", "dev"); r.code != 3 {
			t.Errorf("%q: exit %d %s", in, r.code, r.out)
		}
	}
}

// TestExplainIsBounded: an input that is too large is refused.
func TestExplainIsBounded(t *testing.T) {
	dir := folder(t)
	if r := cli(t, dir, strings.Repeat("x", 16<<20+1), "explain", "-config", "environments.yaml", "-env", "dev"); r.code != 3 || !strings.Contains(r.err, "16 MiB") {
		t.Errorf("exit %d %s", r.code, r.err)
	}
}

// cmdQuoted quotes a command for cmd.exe, as browsers do.
func cmdQuoted(command string) string {
	var b strings.Builder
	for _, c := range strings.TrimSpace(command) {
		switch {
		case c == '\'':
			b.WriteString(`^"`)
		case strings.ContainsRune(`&|<>^%"`, c):
			b.WriteString("^" + string(c))
		default:
			b.WriteRune(c)
		}
	}
	return b.String() + "\r\n"
}

// TestExplainOpensFilesOnly_T187: explain opens the regular files that a command names, and
// neither devices nor its own standard input.
func TestExplainOpensFilesOnly_T187(t *testing.T) {
	dir := folder(t)
	for name, want := range map[string]string{".": "not a regular file", "/dev/null": "not a regular file", "absent": "absent", "/dev/stdin": "standard input", "-": "standard input"} {
		r := cli(t, dir, "curl -d @"+name+" http://x/", "explain", "-config", "environments.yaml", "-env", "dev")
		if r.code != 3 || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit code %d, %q, want %q", name, r.code, r.err, want)
		}
	}
}

// TestExplainRecords_T231: a record of the log, as slog writes it, tells its code, what is
// wrong and what to do, and how to keep the request. It states its environment.
func TestExplainRecords_T231(t *testing.T) {
	dir := folder(t)
	attrs := func(code core.Code, header string) []any {
		return []any{"code", string(code), "error", "gatewayauth: " + string(code) + ": text", "environment", "dev", "mode", "enforce", "scheme", "hmac",
			"key", "orders_key", "method", "GET", "host", "10.0.0.7:8080", "path", "/orders/7", "remote", "192.0.2.1:4711", "header", header,
			"hint", code.Hint(), "doc", "https://docs.example.com/troubleshooting.md#" + string(code)}
	}
	for _, tt := range []struct {
		code   core.Code
		header string
		exit   int
		says   []string
	}{
		{core.CodeHeaderNotSigned, "X-Sdk-Trace", 1, []string{"header: X-Sdk-Trace", "try: sign the header that is named;"}},
		{core.CodeSignatureMismatch, "", 2, []string{"try: the host is what proxies change most often: compare 10.0.0.7:8080, as it arrived, with the host that the gateway calls",
			"try: keep the request, with capture: {dir: FOLDER} in the environment dev"}},
	} {
		for name, handler := range map[string]func(io.Writer) slog.Handler{
			"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
			"JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			var line bytes.Buffer
			slog.New(handler(&line)).Warn("request refused", attrs(tt.code, tt.header)...)
			r := cli(t, dir, line.String(), "explain", "-config", "environments.yaml")
			if strings.Contains(r.out, "captured request") {
				t.Errorf("%s %s: what is said to be explained is not there:\n%s", name, tt.code, r.out)
			}
			if r.code != tt.exit {
				t.Errorf("%s %s: exit %d, want %d: %s", name, tt.code, r.code, tt.exit, r.err)
			}
			for _, want := range append(tt.says, string(tt.code)+": ", "request: GET 10.0.0.7:8080/orders/7", "remote: 192.0.2.1:4711",
				"more about the code: https://docs.example.com/troubleshooting.md#"+string(tt.code), "capture: {dir: FOLDER}", "gatewayauth explain FOLDER") {
				if !strings.Contains(r.out, want) {
					t.Errorf("%s %s: the output does not contain %q:\n%s", name, tt.code, want, r.out)
				}
			}
		}
	}
}
