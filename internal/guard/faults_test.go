package guard_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

func public(c *core.Config) { c.APIs = append(c.APIs, core.API{Match: "/public/", Open: true}) }

// TestEmptiedStream_T203: the body of a captured request is taken away.
func TestEmptiedStream_T203(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, streams)
	r := declared(t, "/streams/x", "12345")
	for name, lines := range map[string][]string{"length 0": {"Content-Length: 0"}, "no length": nil} {
		p.codes.Take()
		status, _ := p.send(t, text(r, "/streams/x", "", lines...))
		if raw, codes := s.request(), p.codes.Text(); status != 401 || raw != "" || !strings.HasSuffix(codes, "body_mismatch") {
			t.Errorf("%s: got %d, codes %s, the service got the whole request %q", name, status, codes, raw)
		}
	}
	r = declared(t, "/streams/x", "")
	if status, _ := p.send(t, text(r, "/streams/x", "", "Content-Length: 0")); status != 200 || s.request() == "" {
		t.Errorf("a body that is signed as empty: got %d", status)
	}
}

// TestChangedTargets_T200: a fragment in the place of the %23 that was signed cuts the target
// off for services that parse it as a URL.
func TestChangedTargets_T200(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, nil)
	for signed, sent := range map[string]string{"/orders?q=%23&limit=1": "/orders?q=#&limit=1", "/orders/a%23/b": "/orders/a#/b"} {
		status, _ := p.send(t, text(testkit.Signed(testkit.Orders, "GET", signed, ""), sent, ""))
		if raw := s.request(); status != 400 || raw != "" {
			t.Errorf("signed %s, sent %s: got %d, the service got %.60q", signed, sent, status, raw)
		}
	}
}

// TestTraversal_T200: targets that leave an open API for services that resolve more than the
// verifier: servlet containers (..;), and the URL class of Node and browsers (\).
func TestTraversal_T200(t *testing.T) {
	s := serveRaw(t, "")
	for _, more := range [][]func(*guard.Config){nil, {pathParameters}} {
		p := start(t, "http://"+s.address, public, more...)
		for _, target := range []string{"/public/..;/orders", "/public/..;x=y/orders", "/public/%2e%2e;/orders", "/public/..%3b/orders", `/public/..\orders`, "/public/..%5corders", "/public/.;/..;/orders"} {
			status, _ := p.send(t, unsigned("GET", target))
			if raw := s.request(); status != 400 || raw != "" {
				t.Errorf("%s: got %d, the service got %.60q", target, status, raw)
			}
		}
		if status, _ := p.send(t, unsigned("GET", "/public/%5c")); status != 200 || s.request() == "" {
			t.Errorf("an encoded backslash: got %d, want it forwarded", status)
		}
		// Servlet containers drop what follows a semicolon, so that /public;/a is /public/a.
		want := 400
		if more != nil {
			want = 200
		}
		for _, target := range []string{"/public/a;b/c", "/public/a..;b", "/public/;"} {
			status, _ := p.send(t, unsigned("GET", target))
			if raw := s.request(); status != want || (raw != "") != (want == 200) {
				t.Errorf("%s: got %d, want %d; the service got %.60q", target, status, want, raw)
			}
		}
	}
}

// TestTargetsOverHTTP2_T200: HTTP/2 lets through what HTTP/1.1 cannot carry.
func TestTargetsOverHTTP2_T200(t *testing.T) {
	arrived := make(chan string, 16)
	l := listen(t)
	accept(t, l, func(conn net.Conn) {
		b := make([]byte, 4096)
		n, _ := conn.Read(b)
		arrived <- string(b[:n])
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	p := start(t, "http://"+l.Addr().String(), public)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	spaced := testkit.Signed(testkit.Orders, "GET", "/orders/a%20HTTP/1.1", "")
	for _, x := range []struct {
		target, host string
		header       http.Header
	}{
		{"/public/ HTTP/1.1", "example.com", http.Header{}},
		{"/public/?a HTTP/1.1", "example.com", http.Header{}},
		{"/orders/a HTTP/1.1", spaced.Host, spaced.Header},
	} {
		out := (&http.Request{Method: "GET", URL: &url.URL{Scheme: "http", Host: p.address, Opaque: x.target}, Host: x.host, Header: x.header}).WithContext(t.Context())
		res, err := transport.RoundTrip(out)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		raw := ""
		select {
		case raw = <-arrived:
		default:
		}
		if res.StatusCode != 400 || raw != "" {
			t.Errorf("%q: got %d, the service got %.60q", x.target, res.StatusCode, raw)
		}
	}
}

// TestFraming_T201: a service that knows headers by their variables of CGI could take another
// header for that of the length (Puma before 6.4.3 did), and the body of a request to an open
// API for the next request.
func TestFraming_T201(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, nil)
	for _, line := range []string{"Transfer_Encoding: chunked", "Content_Length: 0", "transfer.encoding: chunked"} {
		smuggled := "0\r\n\r\nGET /orders HTTP/1.1\r\nHost: example.com\r\nX-Gatewayauth-Verified: true\r\n\r\n"
		status, _ := p.send(t, text(&http.Request{Method: "GET", Host: "example.com", URL: new(url.URL)}, "/health", smuggled, line))
		if raw := s.request(); status != 400 || raw != "" {
			t.Errorf("%s: got %d, the service got %q", line, status, raw)
		}
	}
}

// TestSignedLookalikes_T201: an unsigned header that a service could take for a signed one.
// The verifier refuses the one with an underscore.
func TestSignedLookalikes_T201(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, nil)
	for _, x := range []struct{ signed, line string }{
		{"X-Role: user", "X_Role: admin"}, {"X-Role: user", "X.Role: admin"}, {"X-Role: user", "X~Role: admin"},
		{"X.Role: user", "X-Role: admin"}, {"X.Role: user", "X~Role: admin"},
		{"X-Role: user", "X.HTTP.Method.Override: DELETE"}, {"X-Role: user", "X-Method.Override: DELETE"}, {"X-Role: user", "X~HTTP_Method: DELETE"},
	} {
		status, _ := p.send(t, text(testkit.Signed(testkit.Orders, "GET", "/", "", x.signed), "/", "", x.line))
		if raw := s.request(); status != 400 || raw != "" {
			t.Errorf("%s beside %s: got %d, the service got %q", x.line, x.signed, status, raw)
		}
	}
	for _, line := range []string{"X.Other: 1", "X-Other: 1"} {
		if status, _ := p.send(t, text(testkit.Signed(testkit.Orders, "GET", "/", "", "X-Role: user", "X.Thing: 1"), "/", "", line)); status != 200 || s.request() == "" {
			t.Errorf("%s: got %d, want it forwarded", line, status)
		}
	}
}

// TestSentOnce_T206: one verified request must not reach the service twice as the first of its
// kind. Methods that net/http repeats anyway are left out.
func TestSentOnce_T206(t *testing.T) {
	for _, x := range []struct{ method, body string }{{"POST", "money"}, {"POST", ""}, {"GET", "b"}} {
		for _, onward := range []bool{false, true} {
			got := make(chan struct{}, 16)
			l := listen(t)
			accept(t, l, func(conn net.Conn) {
				in := bufio.NewReader(conn)
				for i := range 2 { // the second request on a connection is read, and not answered
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					got <- struct{}{}
					if i == 0 {
						io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}
				}
			})
			store, err := replay.New(replay.Config{})
			if err != nil {
				t.Fatal(err)
			}
			p := start(t, "http://"+l.Addr().String(), func(c *core.Config) { c.Replay.Store = store }, func(c *guard.Config) {
				if onward {
					c.Signer = func() signer.Signer { return apig.NewSigner(testkit.Partner, apig.SignOptions{}) }
				}
			})
			p.send(t, signed("POST", "/warm", "x"))
			<-got
			status, _ := p.send(t, signed(x.method, "/pay", x.body, "Idempotency-Key: 1"))
			if n := len(got); status != 502 || n != 1 {
				t.Errorf("%s %q, onward %v: got %d, the service got it %d times; want 502 and once", x.method, x.body, onward, status, n)
			}
		}
	}
}

// TestReportedStream_T203: a body that report mode lets through is not verified.
func TestReportedStream_T203(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, func(c *core.Config) { streams(c); c.Mode = core.Report })
	p.send(t, text(declared(t, "/streams/x", "12345"), "/streams/x", "54321"))
	if raw := s.request(); !strings.HasSuffix(raw, "54321") || identityOf(raw)["Verified"] != "false" {
		t.Errorf("the service got another body, whole, as verified: %q", raw)
	}
}

// h2Request sends a request that net/http's client does not send, and returns the status.
func h2Request(t *testing.T, p *proxy, method, host string) string {
	t.Helper()
	conn := p.dial(t)
	defer conn.Close()
	io.WriteString(conn, http2.ClientPreface)
	f := http2.NewFramer(conn, conn)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.WriteSettings()
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", method}, {":scheme", "http"}, {":path", "/public/"}, {":authority", host}} {
		e.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return err.Error()
		}
		if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
			return headers.PseudoValue("status")
		}
	}
}

// TestCallersFaults_T206: what a caller alone does wrong is no fault of the service.
func TestCallersFaults_T206(t *testing.T) {
	s := serveHandler(t, "h2c", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	p := start(t, s, public)
	if status, _ := p.send(t, unsigned("GET", "/public/", "Connection: Upgrade", "Upgrade: websocket")); status != 200 {
		t.Errorf("an upgrade that HTTP/2 does not have: got %d, log %s", status, p.log.take())
	}
	for _, host := range []string{"[fe80::1%25en0]", "a b"} {
		frame := h2Request(t, p, "GET", host)
		if frame != "400" {
			t.Errorf("host %q: got %s, log %s", host, frame, p.log.take())
		}
	}
	if got := h2Request(t, p, "G(T", "example.com"); got != "400" {
		t.Errorf("a method that is no token: got %s, log %s", got, p.log.take())
	}
}

// TestOnwardAuthorization_T207: where the credential is in another header, Authorization
// belongs to the service.
func TestOnwardAuthorization_T207(t *testing.T) {
	const header = "X-Gateway-Credential"
	s := serveRaw(t, "")
	onward := signer.InHeader(apig.NewSigner(testkit.Partner, apig.SignOptions{}), header)
	p := start(t, "http://"+s.address, func(c *core.Config) { c.CredentialHeader = header },
		func(c *guard.Config) { c.Signer = func() signer.Signer { return onward } })
	r := testkit.Signed(testkit.Orders, "GET", "/", "")
	r.Header[header] = r.Header["Authorization"]
	r.Header["Authorization"] = []string{"Bearer user-token"}
	status, _ := p.send(t, text(r, "/", ""))
	if raw := s.request(); status != 200 || strings.Join(values(raw, "Authorization"), "|") != "Bearer user-token" {
		t.Errorf("got %d, the service got %q", status, raw)
	}
}

// TestOnwardMemory_T207: bodies of anonymous callers, which --sign-with reads into memory, are
// bounded in total.
func TestOnwardMemory_T207(t *testing.T) {
	s := serveRaw(t, "")
	p := start(t, "http://"+s.address, nil, func(c *guard.Config) {
		c.Signer, c.MaxHeld = func() signer.Signer { return apig.NewSigner(testkit.Partner, apig.SignOptions{}) }, 4<<20
	})
	refused := make(chan int, 8)
	for range cap(refused) { // one of two MiB each, and then nothing
		conn := p.dial(t)
		fmt.Fprintf(conn, "GET /health HTTP/1.1\r\nHost: example.com\r\nContent-Length: %d\r\n\r\n", 2<<20)
		io.WriteString(conn, strings.Repeat("x", 1<<20))
		go func() {
			if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
				refused <- res.StatusCode
			}
		}()
	}
	select {
	case status := <-refused:
		if status != 503 {
			t.Errorf("got %d, want 503", status)
		}
	case <-time.After(time.Minute):
		t.Error("8 anonymous callers make the guard hold 8 MiB, where 4 are allowed")
	}
}

// TestHeldBodies_T203: the memory of a body is given back when the service has it, and not when
// the caller has read the response.
func TestHeldBodies_T203(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	address := serveHandler(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.(http.Flusher).Flush()
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	var v *core.Verifier
	p := start(t, address, nil, func(c *guard.Config) { v = c.Verifier })
	conn := p.dial(t)
	io.WriteString(conn, signed("POST", "/", strings.Repeat("x", 1<<16)))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	for range 100 {
		if v.Buffered() == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := v.Buffered(); n != 0 {
		t.Errorf("%d bytes are held while the response is under way", n)
	}
	conn.Close()
}
