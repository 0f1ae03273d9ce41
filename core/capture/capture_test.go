package capture_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/capture"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

func recorder(t *testing.T, change func(*capture.Config)) (*capture.Recorder, string) {
	t.Helper()
	c := capture.Config{Dir: filepath.Join(t.TempDir(), "refused"), Now: testkit.Now, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	r, err := capture.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Wait)
	return r, c.Dir
}

// serve returns the address of a backend that keeps refused requests, and its policy.
func serve(t *testing.T, r *capture.Recorder, change func(*core.Config)) (addr string, policy core.Config) {
	t.Helper()
	policy = testkit.Policy(func(c *core.Config) {
		c.Observers = []core.Observer{r}
		if change != nil {
			change(c)
		}
	})
	v := testkit.New(t, policy)
	s := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), policy
}

// send sends bytes as they are, and returns the status of the answer.
func send(t *testing.T, addr, raw string) int {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, w.Body)
	w.Body.Close()
	return w.StatusCode
}

// raw is the text of a signed request.
func raw(t *testing.T, r *http.Request, body string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.RequestURI, r.Host)
	r.Header.Write(&b)
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

// only returns the text of the one file.
func only(t *testing.T, r *capture.Recorder, dir string) string {
	t.Helper()
	r.Wait()
	files, err := capture.Files(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v, want one file (%+v)", files, err, r.Stats())
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parse reads the request of a file, as a server does.
func parse(t *testing.T, text string) *http.Request {
	t.Helper()
	_, request, ok := strings.Cut(text, "\n\n")
	if !ok {
		t.Fatalf("no request in %s", text)
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return r
}

// TestExplained_T226: what is kept of a request that a proxy has changed explains itself.
func TestExplained_T226(t *testing.T) {
	r, dir := recorder(t, nil)
	addr, policy := serve(t, r, nil)
	const body = `{"amount":100}`
	signed := testkit.SignedBy(t, testkit.K1, "POST", "/v1/items?b=2&a=1&a=%20", body, apig.SignOptions{})
	received := strings.Replace(raw(t, signed, body), "Host: api.example.com", "Host: 10.0.0.1:8080", 1)
	if status := send(t, addr, received); status != http.StatusUnauthorized {
		t.Fatalf("got %d", status)
	}
	text := only(t, r, dir)
	for _, want := range []string{"# refused: signature_mismatch in environment prod, mode enforce, at 2026-01-15T12:00:00Z\n",
		"# what to do: " + core.CodeSignatureMismatch.Hint(), "# key: k1\n", "until 2026-01-15T12:15:00Z"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	kept := parse(t, text)
	policy.Observers = nil
	x, err := explain.Explain(kept, policy, explain.Hints{Hosts: []string{"api.example.com"}})
	if err != nil || x.Code != core.CodeSignatureMismatch || len(x.Causes) != 1 || x.Causes[0].Cause != explain.CauseHost {
		t.Errorf("got %v, %v", x, err)
	}
}

// TestSame_T226: a server reads the file as it read the request.
func TestSame_T226(t *testing.T) {
	long := strings.Repeat("0123456789", 1000)
	for name, request := range map[string]string{
		"repeated headers":  "GET /a//b/%2e?x&x=&y=%zz&;q HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\nX-B: \r\n\r\n",
		"HTTP/1.0":          "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
		"absolute":          "GET http://other/x HTTP/1.1\r\nHost: other\r\n\r\n",
		"empty query":       "GET /x? HTTP/1.1\r\nHost: h\r\n\r\n",
		"latin":             "GET / HTTP/1.1\r\nHost: h\r\nX-A: \xfc\r\n\r\n",
		"with a body":       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd",
		"length of nothing": "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
		"in chunks":         "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
		"large":             "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n" + long,
	} {
		t.Run(name, func(t *testing.T) {
			r, dir := recorder(t, nil)
			// Signed by nobody, with a body that is read: only the signature is wrong.
			addr, _ := serve(t, r, nil)
			auth := "Authorization: SDK-HMAC-SHA256 Access=" + testkit.K1.ID + ", SignedHeaders=host;x-sdk-date, Signature=" + strings.Repeat("0", 64) +
				"\r\nX-Sdk-Date: 20260115T120000Z\r\n"
			request := strings.Replace(request, "\r\n", "\r\n"+auth, 1)
			send(t, addr, request)
			kept := parse(t, only(t, r, dir))
			sent, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request)))
			if err != nil {
				t.Fatal(err)
			}
			if kept.Method != sent.Method || kept.RequestURI != sent.RequestURI || kept.Host != sent.Host || kept.Proto != sent.Proto {
				t.Errorf("got %s %s %s %s, want %s %s %s %s", kept.Method, kept.RequestURI, kept.Host, kept.Proto, sent.Method, sent.RequestURI, sent.Host, sent.Proto)
			}
			if fmt.Sprint(kept.Header) != fmt.Sprint(sent.Header) || kept.ContentLength != sent.ContentLength {
				t.Errorf("got %v and %d bytes, want %v and %d", kept.Header, kept.ContentLength, sent.Header, sent.ContentLength)
			}
			if name == "repeated headers" || name == "absolute" || name == "HTTP/1.0" {
				return // refused before the body would be read, or without one
			}
			got, err := io.ReadAll(kept.Body)
			want, _ := io.ReadAll(sent.Body)
			if err != nil || string(got) != string(want) {
				t.Errorf("got the body %q, %v, want %q", got, err, want)
			}
		})
	}
}

// TestSecrets_T226: no password, token or cookie is written.
func TestSecrets_T226(t *testing.T) {
	const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ"
	for _, line := range []string{
		"Authorization: Basic " + secret, "authorization: bAsIc " + secret, "Authorization: Bearer " + secret, "Authorization: Bearer\t" + secret,
		"Authorization: " + secret, "Authorization: sdk-hmac-sha256 " + secret, "Cookie: session=" + secret, "Cookie: a=b\r\nCookie: c=" + secret, "X-Auth-Token: " + secret, "X_Auth_Token: " + secret,
		"X-Security-Token: " + secret, "X-Amz-Security-Token: " + secret, "Proxy-Authorization: Basic " + secret, "X-Backend-Sign: Basic " + secret,
		"X-Api-Key: " + secret, "X-Own-Secret: " + secret,
	} {
		r, dir := recorder(t, func(c *capture.Config) { c.Withhold = []string{"x-own-secret"} })
		addr, _ := serve(t, r, nil)
		for _, target := range []string{"/", "/?X-Amz-Security-Token=" + secret + "&a=1&access%5Ftoken=" + secret} {
			if status := send(t, addr, "GET "+target+" HTTP/1.1\r\nHost: h\r\n"+line+"\r\n\r\n"); status/100 != 4 {
				t.Errorf("%s: got %d", line, status)
			}
		}
		r.Wait()
		files, err := capture.Files(dir)
		if err != nil || len(files) != 2 {
			t.Fatalf("%s: %v, %v", line, files, err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil || strings.Contains(string(text), secret) || !strings.Contains(string(text), "[withheld]") || !strings.Contains(string(text), "# withheld, since they are secrets: ") {
				t.Errorf("%s: %v: %s", line, err, text)
			}
		}
	}
}

// TestFiles_T226: files are for their owner alone, the newest are kept, and those of others
// are left alone.
func TestFiles_T226(t *testing.T) {
	now := testkit.Now()
	r, dir := recorder(t, func(c *capture.Config) {
		c.Max, c.PerMinute = 3, 100
		c.Now = func() time.Time { return now }
	})
	others := []string{"notes.txt", "20260115-x.http", "x-000001-replayed.http"}
	for _, name := range others {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	observe := func() {
		r.Observe(context.Background(), core.Event{Code: core.CodeReplayed, Err: errors.New("x"), Time: now, Request: testkit.Unsigned("GET", "/n"+fmt.Sprint(now.Unix()))})
		r.Wait()
	}
	for range 10 {
		now = now.Add(time.Second)
		observe()
	}
	files, err := capture.Files(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("got %v, %v", files, err)
	}
	for i, path := range files {
		text, err := os.ReadFile(path)
		if want := fmt.Sprintf("/n%d ", testkit.Now().Unix()+8+int64(i)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("file %d is not of %s: %s", i, want, text)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got %v, %v", info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	// Another process goes on with the same folder.
	again, err := capture.New(capture.Config{Dir: dir, Max: 2, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := capture.Files(dir); err != nil || !slices.Equal(left, files[1:]) {
		t.Errorf("got %v, %v, want %v", left, err, files[1:])
	}
	again.Wait()
}

// TestLimits_T226: a flood writes what a minute allows, and bodies are cut.
func TestLimits_T226(t *testing.T) {
	now := testkit.Now()
	r, _ := recorder(t, func(c *capture.Config) { c.PerMinute, c.Now = 2, func() time.Time { return now } })
	flood := func() {
		for range 50 {
			r.Observe(context.Background(), core.Event{Code: core.CodeReplayed, Err: errors.New("x"), Request: testkit.Unsigned("GET", "/")})
			r.Wait()
		}
	}
	flood()
	if got := r.Stats(); got.Written != 2 || got.Skipped != 48 || got.Failed != 0 {
		t.Errorf("got %+v", got)
	}
	now = now.Add(time.Minute)
	flood()
	if got := r.Stats(); got.Written != 4 || got.Skipped != 96 {
		t.Errorf("got %+v", got)
	}

	r, dir := recorder(t, func(c *capture.Config) { c.Bodies = 10 })
	addr, _ := serve(t, r, nil)
	const body = "0123456789abcdef"
	send(t, addr, strings.Replace(raw(t, testkit.SignedBy(t, testkit.K1, "POST", "/v1/items", body, apig.SignOptions{}), body), "abcdef", "ABCDEF", 1))
	if text := only(t, r, dir); !strings.HasSuffix(text, "\r\n\r\n0123456789") || !strings.Contains(text, "first 10 bytes. The verifier read 16.") {
		t.Errorf("got %s", text)
	}
}

// TestUnread_T226: a capture reads nothing of a body, and says so.
func TestUnread_T226(t *testing.T) {
	r, dir := recorder(t, nil)
	addr, _ := serve(t, r, func(c *core.Config) { c.BodyTimeout = 100 * time.Millisecond })
	if status := send(t, addr, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"); status != http.StatusUnauthorized {
		t.Errorf("got %d", status)
	}
	if text := only(t, r, dir); !strings.Contains(text, "# The body is not here") {
		t.Errorf("got %s", text)
	}
}

// TestAccepted: requests that are accepted, in whatever mode, are not written; those
// that report mode lets in are, and the handler gets their bodies.
func TestAccepted(t *testing.T) {
	r, dir := recorder(t, nil)
	addr, _ := serve(t, r, func(c *core.Config) { c.Mode = core.Report })
	const body = "abc"
	good := raw(t, testkit.SignedBy(t, testkit.K1, "POST", "/v1/items", body, apig.SignOptions{}), body)
	if status := send(t, addr, good); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	if status := send(t, addr, strings.Replace(good, "\r\n\r\nabc", "\r\n\r\nabd", 1)); status != http.StatusOK {
		t.Errorf("got %d", status)
	}
	if text := only(t, r, dir); !strings.Contains(text, "# would be refused: signature_mismatch") || !strings.HasSuffix(text, "\r\n\r\nabd") {
		t.Errorf("got %s", text)
	}
}

// TestConfig: what is wrong is said with the field, and all of it.
func TestConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		config capture.Config
		want   []string
	}{
		{capture.Config{}, []string{"Dir"}},
		{capture.Config{Dir: "x", Max: -1, PerMinute: 1 << 30, Bodies: 1 << 40}, []string{"Max", "PerMinute", "Bodies"}},
		{capture.Config{Dir: file}, []string{"Dir"}},
		{capture.Config{Dir: filepath.Join(file, "sub")}, []string{"Dir"}},
	} {
		_, err := capture.New(tt.config)
		if err == nil {
			t.Fatalf("%+v was taken", tt.config)
		}
		for _, field := range tt.want {
			if !strings.Contains(err.Error(), field) {
				t.Errorf("got %v, which does not name %s", err, field)
			}
		}
	}
}
