package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

const policy = `environments:
  prod:
    mode: MODE
    allow_unsigned_payload: true
    keys:
      - {name: k1, type: hmac, key: AKTESTAKTEST0001, secret: SECRET}
    apis:
      - {match: "GET /healthz", open: true}
    default: k1
`

const secret = "sktest-0123456789abcdef0123456789abcdef"

func write(t *testing.T, path, mode, secret string) {
	t.Helper()
	text := strings.NewReplacer("MODE", mode, "SECRET", secret).Replace(policy)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start runs the program until the test ends and returns the address of each
// adapter.
func start(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append(args, "-nethttp", "127.0.0.1:0"), writer)
		writer.CloseWithError(io.ErrUnexpectedEOF)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		t.Fatalf("got %q, %v", line, err)
	}
	addresses := map[string]string{}
	for _, field := range strings.Fields(line)[1:] {
		name, address, _ := strings.Cut(field, "=")
		addresses[name] = address
	}
	return addresses
}

func call(t *testing.T, client *http.Client, method, url, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

func signing(protocols *http.Protocols, payload core.Payload) *http.Client {
	key := core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret(secret)}
	return &http.Client{Transport: &signer.Transport{
		Signer: apig.NewSigner(key, apig.SignOptions{Payload: payload}), Base: &http.Transport{Protocols: protocols}}}
}

// TestBackend: the backend responds over HTTP/1.1 and unencrypted HTTP/2.
func TestBackend(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	write(t, file, "enforce", secret)
	base := "http://" + start(t, "-config", file, "-env", "prod")["nethttp"]
	var http1, http2 http.Protocols
	http1.SetHTTP1(true)
	http2.SetUnencryptedHTTP2(true)
	for name, protocols := range map[string]*http.Protocols{"HTTP/1.1": &http1, "HTTP/2": &http2} {
		t.Run(name, func(t *testing.T) {
			want := map[string]any{"verified": true, "key": "k1", "scheme": "hmac", "environment": "prod",
				"signed_headers": []any{"host", "x-sdk-date"}, "payload": "hashed", "body_bytes": 4.0,
				"body_sha256": "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}
			if status, got := call(t, signing(protocols, core.PayloadHashed), "PATCH", base+"/any/path?q", "text"); status != 200 || !reflect.DeepEqual(got, want) {
				t.Errorf("got %d %v, want %v", status, got, want)
			}
			want["payload"], want["signed_headers"] = "unsigned", []any{"host", "x-sdk-content-sha256", "x-sdk-date"}
			if status, got := call(t, signing(protocols, core.PayloadUnsigned), "POST", base+"/", "text"); status != 200 || !reflect.DeepEqual(got, want) {
				t.Errorf("unsigned payload: got %d %v, want %v", status, got, want)
			}
			plain := &http.Client{Transport: &http.Transport{Protocols: protocols}}
			if status, got := call(t, plain, "GET", base+"/", ""); status != 401 || got["status"] != 401.0 {
				t.Errorf("unsigned: got %d %v", status, got)
			}
			if status, got := call(t, plain, "GET", base+"/healthz", ""); status != 200 || got["verified"] != false || got["key"] != "" {
				t.Errorf("open: got %d %v", status, got)
			}
		})
	}
}

// TestBackendFollowsTheFile: changed modes and keys take effect without a restart.
func TestBackendFollowsTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	write(t, file, "enforce", secret)
	base := "http://" + start(t, "-config", file, "-env", "prod")["nethttp"]
	client := signing(nil, core.PayloadHashed)
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !done(); {
			if time.Now().After(deadline) {
				t.Fatalf("waited 30 s for %s", what)
			}
		}
	}
	write(t, file, "enforce", "another-secret-0123")
	until("the new secret", func() bool { status, _ := call(t, client, "GET", base+"/", ""); return status == 401 })
	write(t, file, "report", "another-secret-0123")
	until("report mode", func() bool {
		status, got := call(t, client, "GET", base+"/", "")
		return status == 200 && got["verified"] == false
	})
	write(t, file, "report", secret)
	until("the old secret", func() bool { _, got := call(t, client, "GET", base+"/", ""); return got["verified"] == true })
}

// TestBackendAt: the recorded request P1 is accepted at its instant.
func TestBackendAt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	write(t, file, "enforce", secret)
	address := start(t, "-config", file, "-env", "prod", "-at", "2026-01-15T12:00:00Z")["nethttp"]
	r, err := http.NewRequest("GET", "http://"+address+"/v1/items", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "api.example.com"
	r.Header.Set("X-Sdk-Date", "20260115T120000Z")
	r.Header.Set("Authorization", "SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("got %d", response.StatusCode)
	}
}

// TestBackendDoesNotStart: each invalid flag or file is an error that says what is wrong.
func TestBackendDoesNotStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	write(t, file, "enforce", secret)
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, bad, "enforced", secret)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "-config and -env"},
		{[]string{"-config", file, "-env", "prod"}, "no address"},
		{[]string{"-config", file, "-env", "prod", "extra"}, "extra"},
		{[]string{"-config", file, "-env", "test"}, `no environment "test"`},
		{[]string{"-config", file + ".gone", "-env", "prod"}, ".gone"},
		{[]string{"-config", bad, "-env", "prod"}, "bad.yaml:3:5: environments.prod.mode"},
		{[]string{"-config", file, "-env", "prod", "-at", "now"}, "-at"},
		{[]string{"-config", file, "-env", "prod", "-nethttp", "256.0.0.1:0"}, "256.0.0.1"},
	} {
		var out strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		err := run(ctx, tt.args, &out)
		cancel()
		if err == nil || !strings.Contains(err.Error(), tt.want) || out.Len() > 0 {
			t.Errorf("%v: got %v and output %q, want an error that contains %q", tt.args, err, &out, tt.want)
		}
	}
}

// TestBackendReplay: a captured request is refused behind every adapter, because they
// share one verifier, also after the file has changed.
func TestBackendReplay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	put := func(more string) {
		t.Helper()
		text := strings.NewReplacer("MODE", "enforce", "SECRET", secret).Replace(policy) + more
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const section = "    replay: {store: memory, exempt_methods: [GET]}\n"
	put(section)
	addresses := start(t, "-config", file, "-env", "prod", "-echo", "127.0.0.1:0", "-gin", "127.0.0.1:0")
	captured, err := http.NewRequest("POST", "http://api.example.com/captured", nil)
	if err != nil {
		t.Fatal(err)
	}
	key := core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret(secret)}
	testkit.Sign(apig.NewSigner(key, apig.SignOptions{}), captured, "", time.Now())
	send := func(address string) int {
		t.Helper()
		r := captured.Clone(t.Context())
		r.Host, r.URL.Host = "api.example.com", address
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if got := send(addresses["nethttp"]); got != 200 {
		t.Errorf("at first: got %d", got)
	}
	again := func(when string) {
		t.Helper()
		for adapter, address := range addresses {
			if got := send(address); got != 401 {
				t.Errorf("%s, %s: got %d", when, adapter, got)
			}
		}
	}
	again("captured")
	put(strings.Replace(section, "[GET]", "[GET, HEAD]", 1) + "    expose_reason: true\n")
	for deadline := time.Now().Add(30 * time.Second); ; {
		if _, got := call(t, http.DefaultClient, "POST", "http://"+addresses["nethttp"]+"/", ""); got["code"] != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("waited 30 s for the change")
		}
	}
	again("after a change of the file")
}

// TestBackendStream: the handler of a streamed API gets the verdict at the end of the body.
func TestBackendStream(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	text := strings.NewReplacer("MODE", "enforce", "SECRET", secret).Replace(policy)
	text = strings.Replace(text, "    apis:\n", "    max_body: 1KiB\n    apis:\n      - {match: /film, key: k1, stream: true, max_body: 5GiB}\n", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for adapter, address := range start(t, "-config", file, "-env", "prod", "-echo", "127.0.0.1:0", "-gin", "127.0.0.1:0") {
		base := "http://" + address
		large := strings.Repeat("x", 100<<10)
		if status, got := call(t, signing(nil, core.PayloadDeclared), "PUT", base+"/film", large); status != 200 || got["body_bytes"] != 102400.0 || got["payload"] != "declared" {
			t.Errorf("%s: got %d %v", adapter, status, got)
		}
		if status, got := call(t, signing(nil, core.PayloadDeclared), "PUT", base+"/other", large); status != 413 {
			t.Errorf("%s, another API: got %d %v", adapter, status, got)
		}
		client := signing(nil, core.PayloadDeclared)
		client.Transport.(*signer.Transport).Base = changing{}
		if status, got := call(t, client, "PUT", base+"/film", large); status != 401 || got["status"] != 401.0 {
			t.Errorf("%s, another body: got %d %v", adapter, status, got)
		}
	}
}

// changing is a RoundTripper that sends another body than the signed one.
type changing struct{}

func (changing) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body[len(body)/2]++
	r.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(r)
}

// TestBackendMetrics: the metrics count accepted and refused requests.
func TestBackendMetrics(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	write(t, file, "enforce", secret)
	addresses := start(t, "-config", file, "-env", "prod", "-metrics", "127.0.0.1:0")
	if status, _ := call(t, http.DefaultClient, "GET", "http://"+addresses["nethttp"]+"/items", ""); status != 401 {
		t.Fatalf("got status %d", status)
	}
	answer, err := http.Get("http://" + addresses["metrics"] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), `code="credential_missing"`) || !strings.Contains(string(text), "gatewayauth_verifications_total") {
		t.Errorf("got %v\n%s", err, text)
	}
}
