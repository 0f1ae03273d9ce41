package guard_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestTargets_T200: the service gets the target byte for byte, or nothing.
func TestTargets_T200(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, off, pathParameters)
	for sent, want := range map[string]string{
		"/":                           "",
		"/?":                          "",
		"/a%2Fb/%2e%2E/%41%c3%a4":     "",
		"/a/../b/./c":                 "",
		"//a//b":                      "",
		"//":                          "",
		"///a?b":                      "",
		"/a;b=c?d;e&f=%zz&&=g&h":      "",
		"/a?b?c=/d&e+f=%20":           "",
		"/a\"b<c>d{e}f|g^h`ij":        "",
		"/a?\"b<c>{d}":                "",
		"/\xc3\xa4?\xff":              "",
		"/a:b@c!d$e&f'(g)*h,i=j[k]":   "",
		"/a://b?c":                    "",
		"/?a=http://b/c":              "",
		"http://api.example.com/a%2f": "/a%2f",
		"http://api.example.com?a":    "/?a",
		"http://api.example.com":      "/",
		"https://other.example/a?b":   "/a?b",
		// What cannot be sent as it is.
		"//a\"b":        "refused",
		"/a#b":          "refused",
		"/a?b#c":        "refused",
		"/a\\b":         "refused",
		"/a/..;/b":      "refused",
		"/a/..%3bx=y/b": "refused",
		"/a/%2e%2e%5cb": "refused",
		"/a/.;x":        "refused",
	} {
		status, _ := p.send(t, unsigned("GET", sent))
		got := s.request()
		if want == "refused" {
			if status != http.StatusBadRequest || got != "" {
				t.Errorf("%q: got status %d, service got %q; want 400 and nothing", sent, status, got)
			}
			continue
		}
		if want == "" {
			want = sent
		}
		if line, _, _ := strings.Cut(got, "\r\n"); status != 200 || line != "GET "+want+" HTTP/1.1" {
			t.Errorf("%q: got status %d, service got %q", sent, status, line)
		}
	}
}

// TestSignedTargets_T200: the same for targets that are signed.
func TestSignedTargets_T200(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, nil)
	for _, target := range []string{"/", "/orders?", "/orders?b=2&a=1&a=0", "/a%20b/%C3%A4?x=%2F+y", "/a:b@c!$&'()*,=", "/orders?a=%e4&c"} {
		status, _ := p.send(t, signed("GET", target, ""))
		if line, _, _ := strings.Cut(s.request(), "\r\n"); status != 200 || line != "GET "+target+" HTTP/1.1" {
			t.Errorf("%q: got status %d, service got %q", target, status, line)
		}
	}
}

// TestMessages_T200: the service gets headers and body as they were sent.
func TestMessages_T200(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, nil)
	lines := []string{"X-Many: 1", "X-Many: 2", "x-lower: a  b\tc", "X_Under_Score: 1", "X-Empty:", "Accept-Encoding: br",
		"Cookie: a=1", "Cookie: b=2", "X-Forwarded-For: 192.0.2.1, 192.0.2.2", "X-Forwarded-Host: elsewhere.example",
		"X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1", "Via: 1.1 gateway", "X-Real-Ip: 192.0.2.3", "Te: trailers",
		"Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "X-Hop: 1", "Connection: X-Hop"}
	status, _ := p.send(t, signed("POST", "/orders?", `{"amount":100}`, lines...))
	raw := s.request()
	if status != 200 || !strings.HasSuffix(raw, "\r\n\r\n"+`{"amount":100}`) {
		t.Fatalf("got status %d, service got %q", status, raw)
	}
	for name, want := range map[string][]string{
		"Host": {"example.com"}, "Content-Length": {"14"}, "Transfer-Encoding": nil,
		"X-Many": {"1", "2"}, "X-Lower": {"a  b\tc"}, "X_under_score": {"1"}, "X-Empty": {""}, "Accept-Encoding": {"br"},
		"Cookie": {"a=1", "b=2"}, "X-Forwarded-For": {"192.0.2.1, 192.0.2.2"}, "X-Forwarded-Host": {"elsewhere.example"},
		"X-Forwarded-Proto": {"https"}, "Forwarded": {"for=192.0.2.1"}, "Via": {"1.1 gateway"}, "X-Real-Ip": {"192.0.2.3"},
		"User-Agent": nil, "Te": {"trailers"}, "Keep-Alive": nil, "Proxy-Connection": nil, "X-Hop": nil, "Connection": nil,
		"X-Sdk-Date": {"20260115T120000Z"},
	} {
		if got := values(raw, name); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := values(raw, "Authorization"); len(got) != 1 || !strings.Contains(got[0], "Signature=") {
		t.Errorf("Authorization: got %q, want the caller's", got)
	}

	chunked := "5\r\n{\"amo\r\n9\r\nunt\":100}\r\n0\r\n\r\n"
	r := testkit.Signed(testkit.Orders, "POST", "/orders", `{"amount":100}`)
	status, _ = p.send(t, text(r, "/orders", chunked, "Transfer-Encoding: chunked", "Expect: 100-continue"))
	raw = s.request()
	if _, body, _ := strings.Cut(raw, "\r\n\r\n"); !slices.Equal(values(raw, "Transfer-Encoding"), []string{"chunked"}) ||
		values(raw, "Content-Length") != nil || values(raw, "Expect") != nil || !strings.HasSuffix(body, "\r\n0\r\n\r\n") {
		t.Errorf("chunked: got status %d, service got %q", status, raw)
	}

	for _, agents := range []string{"", "a/1"} {
		lines := []string{"User-Agent: " + agents}
		p.send(t, signed("GET", "/", "", lines...))
		if got := values(s.request(), "User-Agent"); strings.Join(got, "|") != agents {
			t.Errorf("User-Agent %q: the service got %q", agents, got)
		}
	}
	p.log.take()
	status, _ = p.send(t, signed("GET", "/", "", "User-Agent: a", "User-Agent: b"))
	if log := p.log.take(); status != 400 || s.request() != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, "User-Agent") {
		t.Errorf("two User-Agents: got status %d, log %q; want 400 and one record", status, log)
	}
}

// TestTrailers_T200: trailers of requests, which nothing signs, are not forwarded.
func TestTrailers_T200(t *testing.T) {
	s := serveRaw(t, "")
	for name, change := range map[string]func(*core.Config){"off": off, "report": func(c *core.Config) { c.Mode = core.Report }, "enforce": nil} {
		p := start(t, "http://"+s.address, change)
		r := testkit.Signed(testkit.Orders, "POST", "/orders", "12345")
		status, _ := p.send(t, text(r, "/orders", "5\r\n12345\r\n0\r\nX-Gatewayauth-Key: mallory\r\nX-Sum: 1\r\n\r\n",
			"Transfer-Encoding: chunked", "Trailer: X-Gatewayauth-Key, X-Sum"))
		raw := s.request()
		if status != 200 || raw == "" || strings.Contains(raw, "X-Sum") || strings.Contains(raw, "mallory") {
			t.Errorf("%s: got status %d, service got %q; want no trailers", name, status, raw)
		}
	}
}
