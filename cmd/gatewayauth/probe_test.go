package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

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
