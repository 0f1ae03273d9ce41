package guard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestServiceDown_T206: without a response of the service the caller gets 502 as problem+json,
// and the log one record.
func TestServiceDown_T206(t *testing.T) {
	l := listen(t)
	accept(t, l, func(conn net.Conn) { http.ReadRequest(bufio.NewReader(conn)) })
	closed := listen(t)
	closed.Close()
	for name, to := range map[string]string{"refuses": "http://" + closed.Addr().String(), "breaks off": "http://" + l.Addr().String(),
		"speaks another protocol": "h2c://" + serveRaw(t, "").address, "no socket": "unix:" + filepath.Join(t.TempDir(), "none")} {
		p := start(t, to, nil)
		res := p.exchange(t, signed("POST", "/", "text"))
		var problem core.Problem
		if err := json.Unmarshal([]byte(res.body), &problem); err != nil || res.status != 502 || problem.Status != 502 || problem.Title != "Bad Gateway" || res.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %+v", name, res)
		}
		if log := p.log.take(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "the service failed") {
			t.Errorf("%s: got log %q, want one record", name, log)
		}
	}
}

// TestBrokenResponse_T206: a response that the service breaks off is not whole for the caller.
func TestBrokenResponse_T206(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"} {
		l := listen(t)
		accept(t, l, func(conn net.Conn) {
			http.ReadRequest(bufio.NewReader(conn))
			io.WriteString(conn, answer)
		})
		p := start(t, "http://"+l.Addr().String(), nil)
		conn := p.dial(t)
		io.WriteString(conn, signed("GET", "/", ""))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err == nil {
			t.Errorf("%q: the caller got a whole response %q", answer, body)
		}
	}
}

// TestBrokenAnswers_T288: an answer that the service breaks off is logged once with its reason,
// and counted. A caller who goes away within an answer, or whose body is refused within it, is
// neither.
func TestBrokenAnswers_T288(t *testing.T) {
	begin := func(conn net.Conn, answer string) {
		http.ReadRequest(bufio.NewReader(conn))
		io.WriteString(conn, answer)
	}
	const (
		part   = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1234"
		within = `error="the service closed the connection within its answer"`
	)
	h2 := serveHandler(t, "h2c", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "1234")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	for name, tt := range map[string]struct {
		serve func(net.Conn)
		to    string
		want  []string // in the record; nil: there is none
		leave bool     // the caller leaves
	}{
		"length":      {serve: func(c net.Conn) { begin(c, part) }, want: []string{within}},
		"chunked":     {serve: func(c net.Conn) { begin(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n") }, want: []string{within}},
		"wrong chunk": {serve: func(c net.Conn) { begin(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n") }, want: []string{"cannot be read to its end: "}},
		"HTTP/2":      {to: h2, want: []string{"cannot be read to its end: ", "stream"}},
		"whole":       {serve: func(c net.Conn) { begin(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234") }},
		"up to EOF":   {serve: func(c net.Conn) { begin(c, "HTTP/1.1 200 OK\r\n\r\n1234") }},
		"caller leaves": {serve: func(c net.Conn) {
			begin(c, part)
			io.Copy(io.Discard, c) // until the proxy closes it
		}, leave: true},
	} {
		to := tt.to
		if to == "" {
			l := listen(t)
			accept(t, l, tt.serve)
			to = "http://" + l.Addr().String()
		}
		var failed atomic.Int64
		p := start(t, to, nil, func(c *guard.Config) { c.Failed = func(context.Context) { failed.Add(1) } })
		conn := p.dial(t)
		io.WriteString(conn, signed("GET", "/orders/7?secret=1", ""))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		switch {
		case err != nil && tt.want != nil: // it was closed before the first byte of the body
		case err != nil || res.StatusCode != 200:
			t.Fatalf("%s: got %+v, %v", name, res, err)
		case !tt.leave:
			io.Copy(io.Discard, res.Body)
		}
		conn.Close()
		p.Close() // waits for the handler
		log := p.log.take()
		if tt.want == nil {
			if log != "" || failed.Load() != 0 {
				t.Errorf("%s: counted %d, log %q; want none", name, failed.Load(), log)
			}
			continue
		}
		want := append(tt.want, "level=ERROR", `msg="gatewayauth: the service failed"`, "method=GET", "host=example.com", "path=/orders/7 ", `hint="See in the service's own log`, "doc=https://github.com/gatewayauth/gatewayauth/blob/main/docs/runbook.md#gatewayauthguardfailures")
		if missing := lacking(log, want...); len(missing) > 0 || strings.Count(log, "\n") != 1 || failed.Load() != 1 || strings.Contains(log, "secret") {
			t.Errorf("%s: counted %d; the record lacks %q, or has the query:\n%s", name, failed.Load(), missing, log)
		}
	}

	var failed atomic.Int64
	p := start(t, serveHandler(t, "http", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.Write([]byte("begin"))
		http.NewResponseController(w).Flush()
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})), streams, func(c *guard.Config) { c.Failed = func(context.Context) { failed.Add(1) } })
	conn := p.dial(t)
	const right = "the body that was signed"
	whole := text(declared(t, "/streams/x", right), "/streams/x", strings.ToUpper(right))
	head := whole[:len(whole)-len(right)]
	io.WriteString(conn, head+strings.ToUpper(right[:5]))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("got %+v, %v", res, err)
	}
	io.WriteString(conn, strings.ToUpper(right[5:]))
	io.Copy(io.Discard, res.Body)
	conn.Close()
	p.Close()
	if log := p.log.take(); failed.Load() != 0 || strings.Contains(log, "the service failed") || !strings.Contains(log, "code=body_mismatch") {
		t.Errorf("a wrong body within the answer: counted %d, log %q", failed.Load(), log)
	}
}

// TestRetries_T206: if the service has not answered, the permitted retry of the request is
// accepted.
func TestRetries_T206(t *testing.T) {
	var fails atomic.Bool
	var runs atomic.Int32
	l := listen(t)
	accept(t, l, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			if fails.Load() {
				return
			}
			runs.Add(1)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "http://"+l.Addr().String(), func(c *core.Config) {
		c.Replay.Store, c.Replay.Retries = store, core.Retries{Methods: []string{"PUT"}, Within: time.Minute}
	})
	send := func(want int, path string) {
		t.Helper()
		if status, _ := p.send(t, signed("PUT", path, "text")); status != want {
			t.Errorf("%s: got %d, want %d", path, status, want)
		}
	}
	fails.Store(true)
	send(502, "/first")
	fails.Store(false)
	send(200, "/first")
	send(401, "/first")
	send(200, "/second")
	send(401, "/second")
	if n := runs.Load(); n != 2 {
		t.Errorf("the service answered %d requests, want 2", n)
	}
}

// TestUnixSocket_T206: the service can listen on a Unix socket.
func TestUnixSocket_T206(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	s := &service{got: make(chan string, 4), answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}
	accept(t, l, s.serve)
	p := start(t, "unix:"+path, nil)
	status, body := p.send(t, signed("GET", "/a?", ""))
	if raw := s.request(); status != 200 || body != "ok" || !strings.HasPrefix(raw, "GET /a? HTTP/1.1\r\nHost: example.com\r\n") {
		t.Errorf("got %d %q, service got %q", status, body, raw)
	}
}

// TestOnward_T207: what the service gets is signed with the other key, the identity included,
// without the credential of the caller.
func TestOnward_T207(t *testing.T) {
	s := serveRaw(t, "")
	onward := apig.NewSigner(testkit.Partner, apig.SignOptions{Headers: guard.Headers()})
	p := start(t, "http://"+s.address, nil, func(c *guard.Config) { c.Signer = func() signer.Signer { return onward } })
	status, _ := p.send(t, signed("POST", "/orders/7?b=2&a=1", `{"amount":100}`, "X-Auth-Token: caller", "X-Amz-Meta-Color: blue", "X-Amz-Date: 1", "X_Sdk-Forged_: 1"))
	if status != 400 { // X_Sdk- is refused by the verifier
		t.Errorf("a protocol header with underscores: got %d", status)
	}
	status, _ = p.send(t, signed("POST", "/orders/7?b=2&a=1", `{"amount":100}`, "X-Auth-Token: caller", "X-Amz-Meta-Color: blue", "X-Amz-Date: 1"))
	raw := s.request()
	credential := strings.Join(values(raw, "Authorization"), "|")
	if status != 200 || !strings.Contains(credential, "Access="+testkit.Partner.ID) || strings.Contains(raw, testkit.Orders.ID+",") || strings.Contains(raw, "caller") ||
		values(raw, "X-Amz-Date") != nil || len(values(raw, "X-Amz-Meta-Color")) != 1 {
		t.Errorf("got %d, service got %q", status, raw)
	}
	// A second verifier accepts it, and knows the identity as signed.
	second := testkit.New(t, core.Config{Environment: "inner", Schemes: []core.Scheme{testkit.HMAC(testkit.Partner)}, Default: testkit.Partner.Name})
	received := testkit.Received(t, raw)
	id, err := second.Verify(received)
	core.Release(received)
	if err != nil {
		t.Fatalf("the service's verifier: %v", err)
	}
	for _, name := range guard.Headers() {
		if !strings.Contains(strings.Join(id.SignedHeaders(), ";"), strings.ToLower(name)) {
			t.Errorf("%s is not signed", name)
		}
	}
	changed := testkit.Received(t, strings.Replace(raw, "orders_key", "mallory_ke", 1))
	defer core.Release(changed)
	if _, err := second.Verify(changed); core.CodeOf(err) != core.CodeSignatureMismatch {
		t.Errorf("with another identity: got %v", err)
	}
	// What cannot be signed is the caller's fault, and is logged once.
	p.log.take()
	status, _ = p.send(t, unsigned("GET", "/health?a;b"))
	if log := p.log.take(); status != 400 || strings.Count(log, "\n") != 1 || s.request() != "" {
		t.Errorf("a query that cannot be signed: got %d, log %q", status, log)
	}
}
