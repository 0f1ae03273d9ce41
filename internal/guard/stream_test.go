package guard_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

func streams(c *core.Config) {
	c.APIs = append(c.APIs, core.API{Match: "/streams/", Key: testkit.Orders.Name, Stream: true, MaxBody: 1 << 20},
		core.API{Match: "/unsigned/", Key: testkit.Orders.Name, Stream: true, AllowUnsignedPayload: true, MaxBody: 100})
}

// declared signs a request whose body has the digest of the text.
func declared(t *testing.T, target, body string) *http.Request {
	t.Helper()
	return testkit.SignedBy(t, testkit.Orders, "POST", target, body, apig.SignOptions{Payload: core.PayloadDeclared})
}

// arrival is what a service has read of a body.
type arrival struct {
	body   string
	err    error
	length int64
}

// serveHandler starts a service over HTTP/1.1 or unencrypted HTTP/2, and returns the value of
// --to for it.
func serveHandler(t *testing.T, scheme string, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(scheme == "http")
	s.Config.Protocols.SetUnencryptedHTTP2(scheme == "h2c")
	s.Start()
	t.Cleanup(s.Close)
	return scheme + "://" + s.Listener.Addr().String()
}

// TestLateRefusals_T203: if a body that is forwarded as it arrives turns out to be another one,
// the service never gets its end, and the caller gets the refusal.
func TestLateRefusals_T203(t *testing.T) {
	const right = "the body that was signed"
	wrong := strings.ToUpper(right)
	for _, outbound := range []string{"http", "h2c"} {
		arrived := make(chan arrival, 1)
		p := start(t, serveHandler(t, outbound, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			arrived <- arrival{string(body), err, r.ContentLength}
		})), streams)
		for _, inbound := range []string{"HTTP/1.1", "HTTP/2"} {
			for _, length := range []int64{int64(len(right)), -1} {
				for _, sent := range []string{right, wrong, right[:10]} {
					name := fmt.Sprintf("%s to %s, length %d, %q", inbound, outbound, length, sent)
					if len(sent) < len(right) && length > 0 {
						continue // net/http's client does not send that
					}
					transport := &http.Transport{Protocols: new(http.Protocols)}
					transport.Protocols.SetHTTP1(inbound == "HTTP/1.1")
					transport.Protocols.SetUnencryptedHTTP2(inbound == "HTTP/2")
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					r := declared(t, "/streams/x", right)
					out, err := http.NewRequestWithContext(ctx, "POST", p.URL+"/streams/x", io.NopCloser(strings.NewReader(sent)))
					if err != nil {
						t.Fatal(err)
					}
					out.Host, out.Header, out.ContentLength = r.Host, r.Header, length
					p.codes.Take()
					status := 0
					res, err := transport.RoundTrip(out)
					if err == nil {
						io.Copy(io.Discard, res.Body)
						res.Body.Close()
						status = res.StatusCode
					}
					transport.CloseIdleConnections()
					cancel()
					got := <-arrived
					switch codes := p.codes.Text(); {
					case sent == right:
						if status != 200 || got.body != right || got.err != nil || got.length != length {
							t.Errorf("%s: got status %d (%v), service read %+v", name, status, err, got)
						}
					case status != 401 || got.err == nil || len(got.body) >= len(right) || !strings.HasSuffix(codes, "body_mismatch"):
						t.Errorf("%s: got status %d (%v), service read %+v, codes %s; want 401 and a body that breaks off", name, status, err, got, codes)
					}
				}
			}
		}
		if log := p.log.take(); strings.Count(log, "request refused") != 6 || strings.Contains(log, "service failed") {
			t.Errorf("%s: want one record for each of 6 refusals:\n%s", outbound, log)
		}
	}
}

// TestLateRefusalPython_T203: the same for Python's http.server, which reads the announced
// length.
func TestLateRefusalPython_T203(t *testing.T) {
	p := start(t, "http://"+servePython(t, `
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    read = 0
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        Handler.read = len(self.rfile.read(length)) - length
        self.send_response(200)
        self.end_headers()
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d" % Handler.read)
server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
`), streams)
	const right = "the body that was signed"
	r := declared(t, "/streams/x", right)
	for sent, want := range map[string]string{right: "200 0", strings.ToUpper(right): "401 -1"} {
		// In two pieces, so that the service has a part of it.
		head, body, _ := strings.Cut(text(r, "/streams/x", sent), "\r\n\r\n")
		conn := p.dial(t)
		io.WriteString(conn, head+"\r\n\r\n"+body[:5])
		io.WriteString(conn, body[5:])
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		_, missing := p.send(t, unsigned("GET", "/health"))
		if got := fmt.Sprint(res.StatusCode, " ", missing); !strings.HasPrefix(want, got) && !(want == "401 -1" && strings.HasPrefix(got, "401 -")) {
			t.Errorf("%q: got %s, want %s", sent, got, want)
		}
	}
}

// TestStreams_T203: bodies and responses pass as they arrive, in both directions at once, also
// if the client waits for 100 Continue.
func TestStreams_T203(t *testing.T) {
	const body = "first second"
	p := start(t, serveHandler(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		c.EnableFullDuplex()
		c.Flush()
		part := make([]byte, 6)
		for {
			n, err := io.ReadAtLeast(r.Body, part, 1)
			fmt.Fprintf(w, "%s", part[:n])
			c.Flush()
			if err != nil {
				return
			}
		}
	})), streams)
	for _, waits := range []bool{false, true} {
		r := testkit.SignedBy(t, testkit.Orders, "POST", "/unsigned/x", body, apig.SignOptions{Payload: core.PayloadUnsigned})
		lines := []string{"Transfer-Encoding: chunked"}
		if waits {
			lines = append(lines, "Expect: 100-continue")
		}
		conn := p.dial(t)
		in := bufio.NewReader(conn)
		io.WriteString(conn, text(r, "/unsigned/x", "", lines...))
		res, err := http.ReadResponse(in, nil)
		if err == nil && res.StatusCode == http.StatusContinue { // unless the service answered first
			res, err = http.ReadResponse(in, nil)
		}
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("got %v, %v; want 200", res, err)
		}
		got := make([]byte, 6)
		io.WriteString(conn, "6\r\nfirst \r\n")
		if _, err := io.ReadFull(res.Body, got); string(got) != "first " {
			t.Errorf("got %q, %v before the end was sent", got, err)
		}
		io.WriteString(conn, "6\r\nsecond\r\n0\r\n\r\n")
		rest, err := io.ReadAll(res.Body)
		if string(rest) != "second" || err != nil {
			t.Errorf("got %q, %v at the end", rest, err)
		}
		conn.Close()
	}
}

// TestLateRefusalAfterAnswer_T203: if the service has begun to answer, the caller's connection
// is broken off.
func TestLateRefusalAfterAnswer_T203(t *testing.T) {
	ended := make(chan error, 1)
	p := start(t, serveHandler(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		io.WriteString(w, "begun")
		http.NewResponseController(w).Flush()
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
		<-r.Context().Done()
	})), streams)
	conn := p.dial(t)
	io.WriteString(conn, text(declared(t, "/streams/x", "12345"), "/streams/x", "", "Transfer-Encoding: chunked"))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(res.Body, make([]byte, 5))
	io.WriteString(conn, "5\r\n54321\r\n0\r\n\r\n")
	if rest, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("the caller got a whole response that goes on with %q", rest)
	}
	if err := <-ended; err == nil {
		t.Error("the service got the end of the body")
	}
}

// TestTooLarge_T203: a body that is larger than allowed is refused while it is forwarded, with
// one record.
func TestTooLarge_T203(t *testing.T) {
	arrived := make(chan error, 1)
	p := start(t, serveHandler(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		arrived <- err
	})), streams)
	body := strings.Repeat("x", 101)
	r := testkit.SignedBy(t, testkit.Orders, "POST", "/unsigned/x", body, apig.SignOptions{Payload: core.PayloadUnsigned})
	status, _ := p.send(t, text(r, "/unsigned/x", "65\r\n"+body+"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"))
	if err := <-arrived; status != 413 || err == nil {
		t.Errorf("got status %d, service read to %v; want 413 and a body that breaks off", status, err)
	}
	if log := p.log.take(); strings.Count(log, "code=body_too_large") != 1 {
		t.Errorf("want one record of the refusal:\n%s", log)
	}
}

// TestCallerGone_T203: if the caller goes away, the request to the service is cancelled.
func TestCallerGone_T203(t *testing.T) {
	arrived, cancelled := make(chan struct{}), make(chan error, 1)
	p := start(t, serveHandler(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		select {
		case <-r.Context().Done():
			cancelled <- nil
		case <-time.After(patience):
			cancelled <- errors.New("the request goes on")
		}
	})), nil)
	conn := p.dial(t)
	io.WriteString(conn, signed("GET", "/", ""))
	<-arrived
	conn.Close()
	if err := <-cancelled; err != nil {
		t.Error(err)
	}
	p.Close() // the handler has ended
	if log := p.log.take(); log != "" {
		t.Errorf("got log %q, want none", log)
	}
}

// TestBrokenOff_T203: a body that the caller breaks off is not the fault of the service, and
// the service does not get its end.
func TestBrokenOff_T203(t *testing.T) {
	arrived, ended := make(chan struct{}), make(chan error, 1)
	p := start(t, serveHandler(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.ReadFull(r.Body, make([]byte, 3))
		close(arrived)
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})), off)
	p.log.take() // that nothing is verified
	conn := p.dial(t)
	io.WriteString(conn, unsigned("POST", "/", "Content-Length: 10")+"12345")
	<-arrived
	conn.(*net.TCPConn).CloseWrite()
	if err := <-ended; err == nil {
		t.Error("the service got the end of the body")
	}
	if rest, _ := io.ReadAll(conn); len(rest) > 0 {
		t.Errorf("got response %q, want a closed connection", rest)
	}
	if log := p.log.take(); log != "" {
		t.Errorf("got log %q, want none", log)
	}
}
