package guard_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/guard"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// lacking returns which of the fields a record does not have.
func lacking(record string, fields ...string) (missing []string) {
	for _, field := range fields {
		if !strings.Contains(record, " "+field) {
			missing = append(missing, field)
		}
	}
	return missing
}

// TestRefusals_T195: what the guard refuses itself is logged, observed and counted as the refusals of
// the verifier are, once, and as refused in every mode.
func TestRefusals_T195(t *testing.T) {
	s := serveRaw(t, "")
	lookalike := text(testkit.Signed(testkit.Orders, "GET", "/a", "", "X-Role: user"), "/a", "", "X.Role: admin")
	for _, mode := range []core.Mode{core.Enforce, core.Report, core.Off} {
		for _, x := range []struct{ name, request, path, header string }{
			{"semicolon", unsigned("GET", "/a;b?secret=1"), "/a;b", ""},
			{"backslash", unsigned("GET", `/a\b`), `/a\b`, ""},
			{"fragment", unsigned("GET", "/a#b"), "/a#b", ""},
			{"two user agents", unsigned("GET", "/a", "User-Agent: 1", "User-Agent: 2"), "/a", ""},
			{"length", unsigned("GET", "/a", "Content_length: 1", "Transfer.encoding: chunked"), "/a", `"Content_length, Transfer.encoding"`},
			{"script name", unsigned("GET", "/orders/partner", "SCRIPT_NAME: /orders"), "/orders/partner", "Script_name"},
			{"signed header", lookalike, "/a", "X.role"},
		} {
			if mode == core.Off && x.name == "signed header" { // nothing is known to be signed
				continue
			}
			var v *core.Verifier
			p := start(t, "http://"+s.address, func(c *core.Config) { c.Mode = mode }, func(c *guard.Config) { v = c.Verifier })
			p.log.take()
			status, _ := p.send(t, x.request)
			log, codes, name := p.log.take(), p.codes.Text(), fmt.Sprintf("%v, %s", mode, x.name)
			if raw := s.request(); status != 400 || raw != "" {
				t.Errorf("%s: got %d, the service got %q", name, status, raw)
			}
			fields := []string{`level=WARN msg="request refused"`, "code=request_ambiguous", "error=", "environment=RELEASE", "mode=" + mode.String(),
				"method=GET", "host=example.com", "path=" + x.path, "remote=127.0.0.1", "hint=", "doc="}
			if x.header != "" {
				fields = append(fields, "header="+x.header+" ")
			}
			if missing := lacking(log, fields...); strings.Count(log, "\n") != 1 || len(missing) > 0 || strings.Contains(log, "secret") {
				t.Errorf("%s: want one record of the request without its query; it lacks %q:\n%s", name, missing, log)
			}
			want := "request_ambiguous"
			if x.name == "signed header" { // which is known when the request is verified
				want = " " + want
			}
			if codes != want {
				t.Errorf("%s: observed %q, want %q", name, codes, want)
			}
			if status := v.Status(); len(status.APIs) != 1 || status.APIs[0].Refused[core.CodeRequestAmbiguous] != 1 || len(status.APIs[0].WouldRefuse) > 0 {
				t.Errorf("%s: counted as %+v", name, status.APIs)
			}
		}
	}
}

// TestManyRefusals_T195: the records of what the guard refuses itself are limited, and counted.
func TestManyRefusals_T195(t *testing.T) {
	const all = 2000
	log := new(lockedBuffer)
	v := testkit.Verifier(t, func(c *core.Config) { c.Logger, c.LogLimit = slog.New(slog.NewTextHandler(log, nil)), 1 })
	to, err := guard.ParseTarget("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	g := guard.New(guard.Config{Verifier: v, To: to, Logger: slog.New(slog.NewTextHandler(log, nil))})
	for range all {
		g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/a;b", nil))
	}
	suppressed := int(v.Status().Log.Suppressed)
	if n := strings.Count(log.take(), `msg="request refused" `); n+suppressed != all || n > all/2 {
		t.Errorf("%d records of %d requests, and %d suppressed", n, all, suppressed)
	}
}

// TestStalledBody_T195: a refused request whose body stalls is answered.
func TestStalledBody_T195(t *testing.T) {
	p := start(t, "http://127.0.0.1:1", func(c *core.Config) { c.BodyTimeout = 50 * time.Millisecond })
	if status, _ := p.send(t, "POST /a;b HTTP/1.1\r\nHost: example.com\r\nContent-Length: 10\r\n\r\n"); status != 400 {
		t.Errorf("got %d, want 400 before the body has arrived", status)
	}
}

// TestTooLargeToSign_T195: a body that is too large for --sign-with is refused as by the verifier,
// with what to do.
func TestTooLargeToSign_T195(t *testing.T) {
	p := start(t, "http://"+serveRaw(t, "").address, nil, func(c *guard.Config) {
		c.Signer = func() signer.Signer { return apig.NewSigner(testkit.Partner, apig.SignOptions{}) }
	})
	conn := p.dial(t)
	const size = 12<<20 + 1
	go func() {
		fmt.Fprintf(conn, "GET /health HTTP/1.1\r\nHost: example.com\r\nContent-Length: %d\r\n\r\n", size)
		io.WriteString(conn, strings.Repeat("x", size))
	}()
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 413 {
		t.Errorf("got %v, %v; want 413", res, err)
	}
	log := p.log.take()
	if missing := lacking(log, "code=body_too_large", `error="gatewayauth: body_too_large: the body is larger than the 12 MiB that --sign-with signs: use --sign-payload unsigned, or send less"`,
		"method=GET", "path=/health", "environment=RELEASE", "hint="); strings.Count(log, "\n") != 1 || len(missing) > 0 || strings.Contains(log, " limit=") {
		t.Errorf("the record lacks %q, or has the limit of the API:\n%s", missing, log)
	}
	if codes := p.codes.Text(); !strings.HasSuffix(codes, "body_too_large") {
		t.Errorf("observed %q", codes)
	}
}

// TestFailures_T196: the record of a request that the service did not answer has the request and the
// reason, records are limited and counted, and each request is counted.
func TestFailures_T196(t *testing.T) {
	l := listen(t)
	accept(t, l, func(conn net.Conn) { conn.Read(make([]byte, 4096)) })
	var failed atomic.Int64
	p := start(t, "http://"+l.Addr().String(), nil, func(c *guard.Config) { c.Failed = func(context.Context) { failed.Add(1) } })
	status, _ := p.send(t, signed("POST", "/orders/7?secret=1", "text"))
	log := p.log.take()
	if missing := lacking(log, "level=ERROR", `error="the service closed the connection before it answered"`, "to=http://127.0.0.1:", "environment=RELEASE",
		"method=POST", "host=example.com", "path=/orders/7 ", "remote=127.0.0.1", `hint="See in the service's own log`, "doc=https://github.com/gatewayauth/gatewayauth/blob/main/docs/runbook.md#gatewayauthguardfailures"); status != 502 || strings.Count(log, "\n") != 1 || len(missing) > 0 || strings.Contains(log, "secret") {
		t.Errorf("got %d; the record lacks %q, or has the query:\n%s", status, missing, log)
	}
	if n := failed.Load(); n != 1 {
		t.Errorf("counted %d times", n)
	}

	to, err := guard.ParseTarget("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	const all = 2000
	many := new(lockedBuffer)
	g := guard.New(guard.Config{Verifier: testkit.Verifier(t, off), To: to, Logger: slog.New(slog.NewTextHandler(many, nil)), Transport: broken{}})
	for range all {
		g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/"+strings.Repeat("\u00e9", 500), nil))
	}
	var text string
	total := func() (records, suppressed int) {
		text += many.take()
		for _, m := range regexp.MustCompile(` suppressed=(\d+)\n`).FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(m[1])
			suppressed += n
		}
		return strings.Count(text, " path="), suppressed
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		records, suppressed := total()
		if records+suppressed == all && suppressed > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d records, and %d suppressed, of %d requests", records, suppressed, all)
		}
	}
	if !strings.Contains(text, `hint="Start the service, or correct --to."`) {
		t.Errorf("no hint in the records: %.1000s", text)
	}
	for line := range strings.Lines(text) {
		if len(line) > 800 {
			t.Fatalf("a record is not bounded: %s", line)
		}
	}
}

// broken is a transport to a service that is down.
type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }

// TestSpaces_T291: a space in the target is answered as docs/deployment.md says: by net/http over
// HTTP/1.1, without a record, and by the proxy over HTTP/2, with one.
func TestSpaces_T291(t *testing.T) {
	p := start(t, "http://"+serveRaw(t, "").address, off)
	p.log.take() // that the mode is off
	res := p.exchange(t, "GET /a b HTTP/1.1\r\nHost: example.com\r\n\r\n")
	if log := p.log.take(); res.status != 400 || !strings.HasPrefix(res.header.Get("Content-Type"), "text/plain") || log != "" || p.codes.Text() != "" {
		t.Errorf("over HTTP/1.1: got %+v, codes %q, log %q", res, p.codes.Text(), log)
	}
	r := httptest.NewRequest("GET", "/a", nil)
	r.RequestURI, r.URL.Opaque, r.ProtoMajor, r.ProtoMinor = "/a b", "/a b", 2, 0
	w := httptest.NewRecorder()
	p.Config.Handler.ServeHTTP(w, r)
	if log := p.log.take(); w.Code != 400 || !strings.Contains(log, "code=request_ambiguous") {
		t.Errorf("over HTTP/2: got %d, log %q", w.Code, log)
	}
}
