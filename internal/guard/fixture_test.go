package guard_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// patience is the timeout of every wait. It is far longer than a passing test takes.
const patience = time.Minute

// service is a server that keeps the bytes of the requests that it gets.
type service struct {
	address string
	got     chan string // each request as it was received, up to where its body ended
	answer  string
}

// serveRaw starts a service that answers every request with answer, or an empty 200.
func serveRaw(t *testing.T, answer string) *service {
	t.Helper()
	l := listen(t)
	if answer == "" {
		answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	}
	s := &service{address: l.Addr().String(), got: make(chan string, 16), answer: answer}
	accept(t, l, s.serve)
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// accept serves connections until the test ends.
func accept(t *testing.T, l net.Listener, serve func(net.Conn)) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(patience))
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			all.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
}

func (s *service) serve(conn net.Conn) {
	for {
		var raw bytes.Buffer
		in := bufio.NewReader(io.TeeReader(conn, &raw))
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, err = io.Copy(io.Discard, r.Body)
		s.got <- raw.String()
		if err != nil {
			return
		}
		io.WriteString(conn, s.answer)
	}
}

// request returns the next request that the service got, or "" if there was none.
func (s *service) request() string {
	select {
	case text := <-s.got:
		return text
	default:
		return ""
	}
}

// proxy is a guard in front of a service.
type proxy struct {
	*httptest.Server
	address string
	codes   *testkit.Codes
	log     *lockedBuffer
}

// start starts a guard in front of to.
func start(t *testing.T, to string, change func(*core.Config), more ...func(*guard.Config)) *proxy {
	t.Helper()
	p := &proxy{codes: new(testkit.Codes), log: new(lockedBuffer)}
	target, err := guard.ParseTarget(to)
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(p.log, nil))
	c := guard.Config{To: target, Logger: logger, Verifier: testkit.Verifier(t, func(c *core.Config) {
		c.Observers, c.Logger = []core.Observer{p.codes}, logger
		if change != nil {
			change(c)
		}
	})}
	transport := guard.NewTransport(target)
	c.Transport = transport
	for _, f := range more {
		f(&c)
	}
	p.Server = httptest.NewUnstartedServer(guard.New(c))
	p.Config.Protocols = new(http.Protocols)
	p.Config.Protocols.SetHTTP1(true)
	p.Config.Protocols.SetUnencryptedHTTP2(true)
	p.Start()
	p.address = p.Listener.Addr().String()
	t.Cleanup(func() {
		p.Close()
		transport.CloseIdleConnections()
	})
	return p
}

// lockedBuffer is a log.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

// take returns what was written since the last call.
func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.buffer.Reset()
	return b.buffer.String()
}

// dial returns a connection to the guard.
func (p *proxy) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return conn
}

// response is what a caller got.
type response struct {
	status int // 0: the connection was closed
	header http.Header
	body   string
}

// exchange writes text to the guard, and returns the final response.
func (p *proxy) exchange(t *testing.T, text string) response {
	t.Helper()
	conn := p.dial(t)
	defer conn.Close()
	io.WriteString(conn, text)
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	for err == nil && res.StatusCode == http.StatusContinue {
		res, err = http.ReadResponse(in, nil)
	}
	if err != nil {
		return response{}
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return response{res.StatusCode, res.Header, string(body)}
}

// send is exchange without the header.
func (p *proxy) send(t *testing.T, text string) (status int, body string) {
	t.Helper()
	r := p.exchange(t, text)
	return r.status, r.body
}

// text returns r as it is sent, with further header lines.
func text(r *http.Request, target, body string, lines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, target, r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	if body != "" && !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "Transfer-Encoding") }) {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	return b.String() + "\r\n" + body
}

// signed returns a signed request as it is sent, with further header lines that are not
// signed.
func signed(method, target, body string, lines ...string) string {
	return text(testkit.Signed(testkit.Orders, method, target, body), target, body, lines...)
}

// unsigned returns a request without a credential.
func unsigned(method, target string, lines ...string) string {
	return text(&http.Request{Method: method, Host: "example.com", URL: new(url.URL)}, target, "", lines...)
}

// values returns the values of a header in a request as it was received.
func values(raw, name string) (found []string) {
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if n, value, ok := strings.Cut(line, ": "); ok && strings.EqualFold(n, name) {
			found = append(found, value)
		}
	}
	return found
}

func off(c *core.Config) { c.Mode = core.Off }

// pathParameters is for a service to which semicolons are characters as any other.
func pathParameters(c *guard.Config) { c.PathParameters = true }
