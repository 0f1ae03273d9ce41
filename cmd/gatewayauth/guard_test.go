package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// guarded is a service without any verification, which responds with what it got.
func guarded(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q %s", r.Header.Get("X-Gatewayauth-Verified"), r.Header.Get("X-Gatewayauth-Key"), r.RequestURI, r.Header["Authorization"], body)
	}))
	t.Cleanup(s.Close)
	return s
}

// signedBy sends a request that is signed with a key of dev.
func signedBy(t *testing.T, dir, key, method, url, body string) (int, string, http.Header) {
	t.Helper()
	file, err := loadFile(filepath.Join(dir, "environments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := file.SigningKey("dev", key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.Signer(config.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&signer.Transport{Signer: s}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text), res.Header
}

// backendBehind is a service that verifies, and responds with the identity, the key that the
// guard verified, and the body.
func backendBehind(t *testing.T, v *core.Verifier) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, _ := core.FromContext(r.Context())
		fmt.Fprintf(w, "%s %v %s %s", id.Key(), id.SignedHeaders(), r.Header.Get("X-Gatewayauth-Key"), body)
	})))
	t.Cleanup(s.Close)
	return s
}

// guardTo starts a guard in front of a service, with an address for the operator.
func guardTo(t *testing.T, dir, target string, more ...string) (l *launched, admin string) {
	t.Helper()
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	l = launch(t, dir, append([]string{"guard", "-config", "environments.yaml", "-env", "dev", "-to", target, "-listen", "127.0.0.1:0", "-admin", "127.0.0.1:0"}, more...)...)
	found := regexp.MustCompile(`admin http://([^/]+)/`).FindStringSubmatch(l.stdout())
	if found == nil {
		t.Fatalf("no address of the operator in %q", l.stdout())
	}
	return l, "http://" + found[1]
}

// within waits until the condition holds.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s: not within a minute", what)
}

// TestGuard_T208: the command verifies, follows its file, keeps the last good policy, and
// has a page for the operator.
func TestGuard_T208(t *testing.T) {
	dir := folder(t)
	l, admin := guardTo(t, dir, guarded(t).URL)
	page := func(path string) (int, string) {
		r, err := http.NewRequest("GET", admin+path, nil)
		status, text, _ := ask(t, r, err)
		return status, text
	}
	url := "http://" + l.address
	if status, text, _ := signedBy(t, dir, "orders_key", "POST", url+"/orders/7?a", "text"); status != 200 || !strings.HasPrefix(text, "true orders_key /orders/7?a [\"SDK-HMAC-SHA256 ") || !strings.HasSuffix(text, " text") {
		t.Errorf("signed: got %d %q", status, text)
	}
	status, text, header := signedBy(t, dir, "partner_key", "GET", url+"/orders/7", "")
	var problem core.Problem
	if err := json.Unmarshal([]byte(text), &problem); err != nil || status != 403 || problem.Status != 403 || header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("with another key: got %d %q", status, text)
	}
	within(t, "the record of the refusal", func() bool { return strings.Contains(l.stderr(), "code=key_not_bound") })
	if n := strings.Count(l.stderr(), "request refused"); n != 1 {
		t.Errorf("got %d records of one refusal:\n%s", n, l.stderr())
	}
	r, err := http.NewRequest("GET", url+"/healthz", nil) // the service's, an open API
	if status, text, _ := ask(t, r, err); status != 200 || text != "false  /healthz [] " {
		t.Errorf("the service's /healthz: got %d %q", status, text)
	}
	if status, text := page("/healthz"); status != 200 || text != "ok\n" {
		t.Errorf("/healthz: got %d %q", status, text)
	}
	if _, text := page("/metrics"); !strings.Contains(text, `key="orders_key"`) || !strings.Contains(text, `code="key_not_bound"`) {
		t.Errorf("/metrics has no verdicts:\n%.2000s", text)
	}

	write(t, dir, "environments.yaml", environments+"nonsense: [")
	within(t, "the record of the bad file", func() bool { return strings.Contains(l.stderr(), "level=ERROR") })
	if err := os.Mkdir(filepath.Join(dir, "good"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "good/environments.yaml", environments)
	if status, _, _ := signedBy(t, filepath.Join(dir, "good"), "orders_key", "GET", url+"/orders/7", ""); status != 200 {
		t.Errorf("after a bad file: got %d, want the last good policy", status)
	}
	write(t, dir, "environments.yaml", strings.ReplaceAll(environments, "  dev:\n", "  dev:\n    mode: report\n"))
	within(t, "report mode", func() bool {
		r, err := http.NewRequest("GET", url+"/orders", nil)
		status, text, _ := ask(t, r, err)
		return status == 200 && strings.HasPrefix(text, "false ")
	})
}

// TestGuardSignsOnward_T207: --sign-with signs with the key of the file as it is now.
func TestGuardSignsOnward_T207(t *testing.T) {
	dir := folder(t)
	inner := t.TempDir() // the environments file of the service
	write(t, inner, "environments.yaml", strings.Replace(environments, "    default: orders_key\n  RELEASE", "    default: sigv4_key\n  RELEASE", 1))
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	v, err := config.Watch(t.Context(), filepath.Join(inner, "environments.yaml"), "dev", config.WithLogger(silent), smkeys.Option())
	if err != nil {
		t.Fatal(err)
	}
	verified := backendBehind(t, v)
	l, _ := guardTo(t, dir, verified.URL, "-sign-with", "sigv4_key", "-H", "X-Tenant")
	url := "http://" + l.address
	want := "sigv4_key [host x-amz-date x-gatewayauth-covers x-gatewayauth-environment x-gatewayauth-key x-gatewayauth-key-id x-gatewayauth-payload x-gatewayauth-remote x-gatewayauth-replay-checked x-gatewayauth-retry x-gatewayauth-scheme x-gatewayauth-signed-headers x-gatewayauth-verified] orders_key text"
	if status, text, _ := signedBy(t, dir, "orders_key", "POST", url+"/orders/7?a=1", "text"); status != 200 || text != want {
		t.Errorf("got %d %q, want %q", status, text, want)
	}
	if status, _, _ := signedBy(t, dir, "partner_key", "POST", url+"/orders/7?a=1", "text"); status != 403 {
		t.Errorf("with another key: got %d, want 403", status)
	}
	asks := func() (int, string) {
		status, text, _ := signedBy(t, dir, "orders_key", "POST", url+"/orders/7?a=1", "text")
		return status, text
	}
	newSecret := func(dir string) {
		text, err := os.ReadFile(filepath.Join(dir, "environments.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "environments.yaml", strings.Replace(string(text), "SIGV4TESTSIGV4TE, secret: {env: ORDERS_SECRET}", "SIGV4TESTSIGV4TE, secret: {env: PARTNER_PASSWORD}", 1))
	}
	newSecret(inner)
	within(t, "the service has the new secret", func() bool { status, _ := asks(); return status == 401 })
	newSecret(dir)
	within(t, "the guard has the new secret", func() bool { status, text := asks(); return status == 200 && text == want })
}

// TestGuardShutsDown_T208: after SIGTERM the requests in progress are finished, the health
// page says so, and new connections are not accepted.
func TestGuardShutsDown_T208(t *testing.T) {
	dir := folder(t)
	arrived, finish := make(chan struct{}), make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun ")
		w.(http.Flusher).Flush()
		close(arrived)
		<-finish
		io.WriteString(w, "finished")
	}))
	defer service.Close()
	l, admin := guardTo(t, dir, service.URL, "-grace", "5m")
	type response struct {
		status int
		text   string
	}
	responded := make(chan response, 1)
	go func() {
		status, text, _ := signedBy(t, dir, "orders_key", "GET", "http://"+l.address+"/", "")
		responded <- response{status, text}
	}()
	<-arrived
	if err := l.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	within(t, "503 of the health page", func() bool {
		r, err := http.NewRequest("GET", admin+"/healthz", nil)
		status, _, _ := ask(t, r, err)
		return status == 503
	})
	within(t, "no new connections", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", "http://"+l.address+"/healthz", nil)
		res, err := new(http.Transport).RoundTrip(r)
		if err == nil {
			res.Body.Close()
		}
		return err != nil
	})
	close(finish)
	if got := <-responded; got.status != 200 || got.text != "begun finished" {
		t.Errorf("the request in progress: got %d %q", got.status, got.text)
	}
	<-l.ended
}

// TestGuardSignsNothing_T207: flags of --sign-with without it are an error, not a guard that
// signs nothing.
func TestGuardSignsNothing_T207(t *testing.T) {
	for _, flags := range [][]string{{"-sign-payload", "unsigned"}, {"-H", "X-Tenant"}} {
		// An address on which it cannot listen: it must not get that far.
		r := cli(t, folder(t), "", append([]string{"guard", "-config", "environments.yaml", "-env", "dev", "-to", "http://127.0.0.1:1", "-listen", "none:none"}, flags...)...)
		if r.code != 3 || !strings.Contains(r.err, "--sign-with") {
			t.Errorf("%q: got %+v", flags, r)
		}
	}
}

// TestGuardItself_T208: a guard in front of itself is an error at start: one request would use up
// all its connections.
func TestGuardItself_T208(t *testing.T) {
	for listen, to := range map[string]string{"127.0.0.1": "http://127.0.0.1", "0.0.0.0": "http://localhost", "": "h2c://127.0.0.1"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		l.Close()
		r := cli(t, folder(t), "", "guard", "-config", "environments.yaml", "-env", "dev", "-to", to+":"+port, "-listen", listen+":"+port)
		if r.code != 3 || !strings.Contains(r.err, "itself") {
			t.Errorf("%s to %s: got %+v", listen, to, r)
		}
	}
}

// TestGuardRefusesInReportMode_T197: a request that guard refuses itself in report mode is no sign of
// enforce mode to check and explain, and is in the metrics, as is a service that does not answer.
func TestGuardRefusesInReportMode_T197(t *testing.T) {
	dir := folder(t)
	write(t, dir, "environments.yaml", strings.ReplaceAll(environments, "  dev:\n", "  dev:\n    mode: report\n    capture: {dir: refused}\n"))
	service := guarded(t)
	l, admin := guardTo(t, dir, service.URL, "-debug")
	url := "http://" + l.address
	if status, text, _ := signedBy(t, dir, "orders_key", "GET", url+"/orders/7", ""); status != 200 {
		t.Fatalf("signed: got %d %q", status, text)
	}
	r, err := http.NewRequest("GET", url+"/orders/7;x", nil)
	if status, _, _ := ask(t, r, err); status != 400 {
		t.Errorf("a semicolon: got %d, want 400 in report mode too", status)
	}
	service.Close()
	if status, _, _ := signedBy(t, dir, "orders_key", "GET", url+"/orders/8", ""); status != 502 {
		t.Errorf("without a service: got %d", status)
	}
	within(t, "the records", func() bool {
		return strings.Contains(l.stderr(), `msg="request refused"`) && strings.Contains(l.stderr(), "the service failed")
	})
	report := cli(t, dir, l.stderr(), "check", "-report", "-")
	if report.code != 1 || !strings.Contains(report.out, "1 request would have been refused") || !strings.Contains(report.out, "the path has a semicolon") || strings.Contains(report.out, "enforce mode") {
		t.Errorf("check --report: %+v", report)
	}
	for line := range strings.Lines(l.stderr()) {
		if !strings.Contains(line, `msg="request refused"`) {
			continue
		}
		x := runExplain(t, dir, line, 1)
		if facts := strings.Join(x.Event.Facts, "\n"); !strings.Contains(facts, "guard itself refused the request") || strings.Contains(facts, "reached the handler") {
			t.Errorf("explain: %+v", x)
		}
	}
	var kept []string
	within(t, "the file of the request", func() bool {
		kept, err = filepath.Glob(filepath.Join(dir, "refused", "*.http"))
		return err != nil || len(kept) > 0
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := cli(t, dir, "", "explain", "-config", "environments.yaml", "-env", "dev", kept[0]); !strings.Contains(text.out, "the adapter or the proxy, and not the verifier, refused the request") {
		t.Errorf("explain of the file: %+v", text)
	}
	r, err = http.NewRequest("GET", admin+"/metrics", nil)
	_, page, _ := ask(t, r, err)
	for _, want := range []string{`gatewayauth_verifications_total{code="request_ambiguous",environment="dev",mode="report",scheme="none"} 1`,
		`gatewayauth_guard_failures_total{environment="dev"} 1`} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics has no %s:\n%.3000s", want, page)
		}
	}
}
