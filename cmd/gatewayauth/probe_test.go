package main_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/gatewayauth/gatewayauth/nethttp"
)

const probed = `environments:
  dev:
    hosts: [api.example.com]
    replay: {store: memory}
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: ORDERS_SECRET}}
      - {name: payments_key, type: hmac, key: PAYMENTSPAYMENTS, secret: {env: ORDERS_SECRET}}
      - {name: temporary_key, type: hmac, key: TEMPORARYTEMPORA, secret: {env: ORDERS_SECRET}, session_token: of-temporary-use}
      - {name: partner_key, type: basic, key: partner, secret: {env: PARTNER_PASSWORD}}
      - {name: aksk_key, type: aksk, key: AKSKTESTAKSKTEST, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: v11_key, type: v11, key: V11TESTV11TEST11, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: ecdsa_key, type: ecdsa-p256, key: ECDSATESTECDSATE, secret: {env: ORDERS_SECRET}}
      - {name: sm3_key, type: hmac-sm3, key: SM3TESTSM3TEST11, secret: {env: ORDERS_SECRET}}
      - {name: sm2_key, type: sm2, key: SM2TESTSM2TEST11, secret: {env: ORDERS_SECRET}}
      - {name: sigv4_key, type: sigv4, key: SIGV4TESTSIGV4TE, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: s3_key, type: sigv4, key: S3TESTS3TESTS3TE, secret: {env: ORDERS_SECRET}, region: r1, service: s3, paths: s3}
      - {name: sigv4a_key, type: sigv4a, key: SIGV4ATESTSIGV4A, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: aes_key, type: aes, key: {env: AES_KEY}, secret: {env: AES_VECTOR}}
    apis: &apis
      - {match: "/payments/", key: payments_key}
      - {match: "/temporary/", key: temporary_key}
      - {match: "/partner/", key: partner_key}
      - {match: "/aksk/", key: aksk_key}
      - {match: "/v11/", key: v11_key}
      - {match: "/ecdsa/", key: ecdsa_key}
      - {match: "/sm3/", key: sm3_key}
      - {match: "/sm2/", key: sm2_key}
      - {match: "/sigv4/", key: sigv4_key}
      - {match: "/s3/", key: s3_key}
      - {match: "/sigv4a/", key: sigv4a_key}
      - {match: "/aes/", key: aes_key}
      - {match: "/streams/", key: orders_key, stream: true}
      - {match: "/healthz", open: true}
      - {match: "/nowhere/", key: orders_key}
    default: orders_key
  RELEASE:
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: RELEASE_SECRET}}
      - {name: payments_key, type: hmac, key: PAYMENTSPAYMENTS, secret: {env: RELEASE_SECRET}}
    default: orders_key
`

// probeJSON runs the probe for the host api.example.com.
func probeJSON(t *testing.T, dir string, code int, args ...string) *probeResult {
	t.Helper()
	args = append([]string{"probe", "-config", "environments.yaml", "-env", "dev", "-json", "-timeout", "1m", "-H", "Host: api.example.com"}, args...)
	r := cli(t, dir, "", args...)
	result := new(probeResult)
	d := json.NewDecoder(strings.NewReader(r.out))
	d.DisallowUnknownFields()
	if err := d.Decode(result); err != nil || r.code != code || r.err != "" {
		t.Fatalf("exit %d, want %d; %v\n%s%s", r.code, code, err, r.out, r.err)
	}
	return result
}

// probeResult is the JSON of a probe.
type probeResult struct {
	URL, Environment, Key, Type, Verdict, Reason, Advice string
	Requests                                             []struct {
		Name, Sent, Result, Code, Reason, Means, Advice string
		Status                                          int
		GRPC                                            *int `json:"grpc_status"`
	}
}

// with returns the names of the requests with a result.
func (r *probeResult) with(result string) (names []string) {
	for _, x := range r.Requests {
		if x.Result == result {
			names = append(names, x.Name)
		}
	}
	return names
}

// received records the requests of a service.
type received struct {
	*httptest.Server
	mu    sync.Mutex
	lines []string // method, host and target of each
}

// receiving starts a service with this handler.
func receiving(t *testing.T, h http.Handler) *received {
	t.Helper()
	s := new(received)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.lines = append(s.lines, fmt.Sprintf("%s %s %s %s%s", r.Method, r.Host, r.RequestURI, r.Header.Get("X-Http-Method-Override"), body))
		s.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *received) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

func responds(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://api.example.com/")
		w.WriteHeader(status)
	})
}

// protecting returns a handler behind the middleware with the policy dev of the file.
func protecting(t *testing.T, dir string, h http.Handler) http.Handler {
	t.Helper()
	v, _ := devVerifier(t, dir)
	return nethttp.Middleware(v)(h)
}

// TestProbeUnprotected_T211: everything gets in where nothing verifies, or in report mode.
func TestProbeUnprotected_T211(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	report := t.TempDir()
	write(t, report, "environments.yaml", strings.Replace(probed, "  dev:\n", "  dev:\n    mode: report\n", 1))
	for name, tt := range map[string]struct {
		dir, advice string
		h           http.Handler
	}{
		"200":    {dir, "Put the middleware", responds(200)},
		"204":    {dir, "Put the middleware", responds(204)},
		"report": {report, "mode: enforce", protecting(t, report, responds(200))},
	} {
		t.Run(name, func(t *testing.T) {
			s := receiving(t, tt.h)
			r := probeJSON(t, tt.dir, 1, s.URL+"/orders/7")
			if r.Verdict != "not protected" || !strings.Contains(r.Advice, tt.advice) {
				t.Errorf("got %q, %q", r.Verdict, r.Advice)
			}
			for _, x := range r.Requests {
				if x.Result != "accepted" {
					t.Errorf("%s: %s %s", x.Name, x.Result, x.Reason)
				}
				if x.Name != "honest" && (x.Code == "" || x.Means == "") {
					t.Errorf("%s: code %q, means %q", x.Name, x.Code, x.Means)
				}
			}
			if n := len(s.all()); n != len(r.Requests) || n < 29 {
				t.Errorf("%d requests were received, and %d are in the report", n, len(r.Requests))
			}
		})
	}
}

// TestProbeAnswers_T211: a service that verifies is protected whatever its handler
// responds, and one whose handler gets some of the tampered requests is not.
func TestProbeAnswers_T211(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	for _, status := range []int{200, 204, 404, 405, 500} {
		s := receiving(t, protecting(t, dir, responds(status)))
		if r := probeJSON(t, dir, 0, s.URL+"/orders/7"); r.Verdict != "protected" || r.Requests[0].Status != status {
			t.Errorf("%d: got %+v", status, r)
		}
	}
	verified := protecting(t, dir, responds(200))
	s := receiving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.WriteHeader(201) // any status of success
			return
		}
		verified.ServeHTTP(w, r)
	}))
	if got := probeJSON(t, dir, 1, s.URL+"/orders/7").with("accepted"); !slices.Equal(got, []string{"honest", "no credential", "credential in the URL"}) {
		t.Errorf("got %q", got)
	}
}

// TestProbeEndlessResponse_T211: the probe does not wait for the end of a response.
func TestProbeEndlessResponse_T211(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	s := receiving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	if r := probeJSON(t, dir, 1, s.URL+"/orders/7"); r.Verdict != "not protected" {
		t.Errorf("got %q, %q", r.Verdict, r.Reason)
	}
}

// TestProbeGRPC_T211: a gRPC server without interceptors is not protected, and one that
// does not know the method, which it says before any interceptor runs, shows nothing.
func TestProbeGRPC_T211(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, health.NewServer())
	go s.Serve(l)
	defer s.Stop()
	r := probeJSON(t, dir, 1, "grpc://"+l.Addr().String())
	if got := r.with("accepted"); r.Verdict != "not protected" || len(got) < 26 || len(got)+len(r.with("not sent")) != len(r.Requests) {
		t.Errorf("got %q: %+v", r.Verdict, r.Requests)
	}
	r = probeJSON(t, dir, 2, "-X", "POST", "grpc://"+l.Addr().String()+"/orders.v1.Orders/Delete")
	if r.Verdict != "unknown" || !strings.HasSuffix(r.Reason, "got the response grpc 12") {
		t.Errorf("got %q, %q", r.Verdict, r.Reason)
	}
	web := receiving(t, responds(200)) // not a gRPC server
	if r = probeJSON(t, dir, 2, "grpc://"+strings.TrimPrefix(web.URL, "http://")); r.Verdict != "unknown" {
		t.Errorf("got %q, %q", r.Verdict, r.Reason)
	}
}

// TestProbeOversized_T213: nothing of the large body is sent, whatever the service does.
func TestProbeOversized_T213(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	verified := protecting(t, dir, responds(200))
	large := func(h http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > 0 {
				h(w, r)
				return
			}
			verified.ServeHTTP(w, r)
		})
	}
	hung := make(chan struct{})
	var read atomic.Int64
	for name, tt := range map[string]struct {
		h      http.HandlerFunc
		result string
		code   int
		args   []string
	}{
		"refuses":  {verified.ServeHTTP, "refused", 0, nil},
		"accepts":  {func(http.ResponseWriter, *http.Request) {}, "accepted", 1, nil},
		"reads it": {func(_ http.ResponseWriter, r *http.Request) { n, _ := io.Copy(io.Discard, r.Body); read.Add(n) }, "accepted", 1, nil},
		"hangs":    {func(_ http.ResponseWriter, r *http.Request) { <-hung }, "unclear", 2, []string{"-timeout", "5s"}},
	} {
		s := httptest.NewServer(large(tt.h))
		r := probeJSON(t, dir, tt.code, append(tt.args, "-oversized", s.URL+"/orders/7")...)
		if last := r.Requests[len(r.Requests)-1]; last.Name != "oversized body" || last.Result != tt.result {
			t.Errorf("%s: got %+v", name, last)
		}
		if name == "hangs" {
			close(hung)
		}
		s.Close()
	}
	if n := read.Load(); n > 0 {
		t.Errorf("%d bytes were sent", n)
	}
}

// TestProbeSendsWhatIsAsked_T213: nothing but the URL is called, and nothing in a dry run.
func TestProbeSendsWhatIsAsked_T213(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	allowed := func(method, target, spelled, body string) []string {
		return []string{
			method + " api.example.com " + target + " " + body,
			method + " api.example.com " + target + " " + method + body, // a method override with the same method
			method + " gatewayauth-probe.example " + target + " " + body,
			method + " api.example.com " + spelled + " " + body,
			method + " api.example.com " + target + "&gatewayauth-probe=1; " + body,
		}
	}
	for _, tt := range []struct {
		path string
		args []string
		want []string
	}{
		{"/orders/7?a=1", nil, allowed("GET", "/orders/7?a=1", "/orders/%37?a=1", "")},
		{"/sigv4/7?a=1", nil, allowed("GET", "/sigv4/7?a=1", "/./sigv4/7?a=1", "")},
		{"/orders/7?a=1", []string{"-X", "PUT", "-d", "text"}, allowed("PUT", "/orders/7?a=1", "/orders/%37?a=1", "text")},
	} {
		s := receiving(t, responds(200))
		args := append(tt.args, s.URL+tt.path)
		dry := cli(t, dir, "", append([]string{"probe", "-config", "environments.yaml", "-env", "dev", "-H", "Host: api.example.com", "-dry-run"}, args...)...)
		if n := strings.Count(dry.out, "# the file refuses it: "); dry.code != 0 || n < 28 || len(s.all()) > 0 {
			t.Errorf("the dry run: exit %d, %d refusals, %d requests were sent\n%s", dry.code, n, len(s.all()), dry.out)
		}
		probeJSON(t, dir, 1, args...)
		for _, line := range s.all() {
			line, presigned, _ := strings.Cut(line, "&X-Sdk-Algorithm=")
			if aws, p, found := strings.Cut(line, "&X-Amz-Algorithm="); found {
				line, presigned = aws, p
			}
			if presigned != "" {
				line += " " + presigned[strings.LastIndexByte(presigned, ' ')+1:]
			}
			if !slices.Contains(tt.want, line) {
				t.Errorf("sent %q", line)
			}
		}
	}
}

// TestProbeUnknown_T214: where the responses do not tell, the exit code is 2.
func TestProbeUnknown_T214(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	hangs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	aborts := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	verified := protecting(t, dir, responds(200))
	// tampered requests get another response
	tampered := func(other http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen := httptest.NewRecorder()
			if verified.ServeHTTP(seen, r); seen.Code != 200 {
				other.ServeHTTP(w, r)
			}
		})
	}
	for name, tt := range map[string]struct {
		h        http.Handler
		reason   string
		requests int
		args     []string
	}{
		"another file":      {responds(401), "was refused with 401", 1, nil},
		"handler refuses":   {protecting(t, dir, responds(403)), "was refused with 403", 1, nil},
		"redirect":          {responds(308), "was redirected with 308", 1, nil},
		"no route":          {responds(404), "also the honest one, got the response 404", 30, nil},
		"no method":         {responds(405), "also the honest one, got the response 405", 30, nil},
		"handler fails":     {responds(500), "also the honest one, got the response 500", 30, nil},
		"unavailable":       {responds(503), "unavailable (503)", 1, nil},
		"no response":       {hangs, "no response within", 1, []string{"-timeout", "100ms"}},
		"aborted":           {aborts, "got no response", 1, nil},
		"tampered: 404":     {tampered(responds(404)), "neither that of the honest request nor a refusal", 30, nil},
		"tampered: 429":     {tampered(responds(429)), "neither", 30, nil},
		"tampered: 503":     {tampered(responds(503)), "neither", 30, nil},
		"tampered: aborted": {tampered(aborts), "neither", 30, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := receiving(t, tt.h)
			r := probeJSON(t, dir, 2, append(tt.args, s.URL+"/orders/7")...)
			if r.Verdict != "unknown" || !strings.Contains(r.Reason, tt.reason) || r.Advice == "" || len(r.Requests) != tt.requests {
				t.Errorf("got %q, %q, %q; %d requests", r.Verdict, r.Reason, r.Advice, len(r.Requests))
			}
		})
	}
}

// TestProbeInterrupted_T214: a probe that does not end shows nothing.
func TestProbeInterrupted_T214(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	started := make(chan *os.Process, 1)
	n := 0
	s := receiving(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 3 {
			(<-started).Signal(os.Interrupt)
			<-r.Context().Done()
		}
	}))
	c := exec.Command(binary, "probe", "-config", "environments.yaml", "-env", "dev", "-H", "Host: api.example.com", "-timeout", "1m", s.URL+"/orders/7")
	var out, stderr bytes.Buffer
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, environment(), &out, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	started <- c.Process
	c.Wait()
	if code := c.ProcessState.ExitCode(); code != 2 || !strings.Contains(stderr.String(), "interrupted") || out.Len() > 0 {
		t.Errorf("exit %d\n%s%s", code, &out, &stderr)
	}
}

// TestProbeTLS_T210: over TLS in HTTP/2, if the certificate is trusted.
func TestProbeTLS_T210(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	verified := protecting(t, dir, responds(200))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("got %s", r.Proto)
		}
		verified.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	for want, ca := range map[int]string{0: "ca.pem", 2: "/dev/null"} {
		c := exec.Command("env", "SSL_CERT_FILE="+ca, binary, "probe", "-config", "environments.yaml", "-env", "dev", "-oversized", "-H", "Host: api.example.com", s.URL+"/orders/7")
		if r := finish(t, c, dir, ""); r.code != want {
			t.Errorf("with %s: exit %d\n%s%s", ca, r.code, r.out, r.err)
		}
	}
}

// TestProbeText prints lines of at most 80 characters, and the verdict last.
func TestProbeText(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	for name, tt := range map[string]struct {
		h    http.Handler
		path string
		want []string // lines
	}{
		"protected": {protecting(t, dir, responds(200)), "/orders/7", []string{"no credential          401     refused   without Authorization",
			"protected: all 29 requests that the file refuses were refused"}},
		"not protected": {responds(200), "/orders/7", []string{"no credential          200     GOT IN    without Authorization",
			"not protected: all 29 requests that the file refuses got in, so nothing verifies"}},
		"allowed": {protecting(t, dir, responds(200)), "/partner/7", []string{"protected: all 10 requests that the file refuses were refused"}},
		"unknown": {responds(401), "/orders/7", []string{"unknown: the honest request was refused with 401"}},
		"partly": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				w.WriteHeader(401)
			}
		}), "/orders/7", []string{"GOT IN, wrong secret: whoever knows the id of a key can sign. The file refuses"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := receiving(t, tt.h)
			r := cli(t, dir, "", "probe", "-config", "environments.yaml", "-env", "dev", "-H", "Host: api.example.com", s.URL+tt.path)
			lines := strings.Split(strings.TrimSpace(r.out), "\n")
			for _, line := range lines {
				if len(line) > 80 {
					t.Errorf("%d characters: %s", len(line), line)
				}
			}
			for _, want := range tt.want {
				if !slices.Contains(lines, want) {
					t.Errorf("%q is not in\n%s", want, r.out)
				}
			}
		})
	}
}
