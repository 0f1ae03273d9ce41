package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestGateway: the requests of each API are signed with its key, and each fault is refused
// with its code.
func TestGateway(t *testing.T) {
	dir := folder(t)
	server := backend(t, dir)
	for _, tt := range []struct {
		name, method, path, body string
		faults                   []string
		status                   int
		codes, says, stderr      string
	}{
		{name: "default", path: "/orders/7?b=2&a=1", status: 200, says: "orders_key hashed [host x-sdk-date] GET /orders/7?b=2&a=1 "},
		{name: "body", method: "POST", path: "/orders", body: "text", status: 200, says: "orders_key hashed [host x-sdk-date] POST /orders text"},
		{name: "basic", path: "/partner/7", status: 200, says: "partner_key none"},
		{name: "scoped", path: "/aksk/7", status: 200, says: "aksk_key hashed"},
		{name: "SM2", path: "/sm2/7", status: 200, says: "sm2_key hashed"},
		{name: "SigV4", path: "/sigv4/7", status: 200, says: "sigv4_key hashed"},
		{name: "AES", path: "/aes/7", status: 200, says: "aes_key hashed"},
		{name: "open", path: "/healthz", status: 200, says: "- GET /healthz"},
		{name: "skew", path: "/", faults: []string{"skew=20m"}, status: 401, codes: "signature_expired", stderr: "dated"},
		{name: "skew ahead", path: "/", faults: []string{"skew=-20m"}, status: 401, codes: "signature_not_yet_valid", stderr: "dated"},
		{name: "drop", path: "/", faults: []string{"drop=X-Sdk-Date"}, status: 401, codes: "header_not_signed|credential_malformed", stderr: "without X-Sdk-Date"},
		{name: "drop the credential", path: "/", faults: []string{"drop=authorization"}, status: 401, codes: "credential_missing", stderr: "without authorization"},
		{name: "host", path: "/", faults: []string{"host=other.example"}, status: 401, codes: "signature_mismatch", stderr: "host other.example"},
		{name: "tamper", method: "POST", path: "/", body: "text", faults: []string{"tamper-body"}, status: 401, codes: "signature_mismatch", stderr: "another body"},
		{name: "tamper without a body", path: "/", faults: []string{"tamper-body"}, status: 401, codes: "signature_mismatch", stderr: "another body"},
		{name: "duplicate", method: "POST", path: "/", body: "text", faults: []string{"duplicate"}, status: 200, codes: " ", says: "orders_key", stderr: "twice, answered with 200 OK and 200 OK"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"gateway", "-config", "environments.yaml", "-env", "dev", "-to", server.URL, "-listen", "127.0.0.1:0"}
			for _, fault := range tt.faults {
				args = append(args, "-fault", fault)
			}
			address, stderr := background(t, dir, args...)
			server.codes.Text()
			r, err := http.NewRequest(tt.method, "http://"+address+tt.path, strings.NewReader(tt.body))
			if err == nil {
				r.Header.Set("Authorization", "Basic c3RhbGU6c3RhbGU=") // of the client; the gateway removes it
				r.Header.Set("X-Sdk-Forged", "1")
			}
			status, text, _ := ask(t, r, err)
			codes := server.codes.Text()
			if status != tt.status || tt.status == 200 && !strings.HasPrefix(text, tt.says) {
				t.Errorf("got %d %q, want %d %q; %s\n%s", status, text, tt.status, tt.says, codes, stderr())
			}
			if !strings.Contains("|"+tt.codes+"|", "|"+codes+"|") {
				t.Errorf("refused for %q, want %q", codes, tt.codes)
			}
			eventually(stderr, tt.stderr)
			if !strings.Contains(stderr(), tt.stderr) || len(tt.faults) == 0 && stderr() != "" {
				t.Errorf("got standard error %q, want %q", stderr(), tt.stderr)
			}
			for _, fault := range tt.faults {
				if !strings.Contains(stderr(), "fault in every request: "+fault) {
					t.Errorf("the fault %s is not announced: %q", fault, stderr())
				}
			}
		})
	}
}

// eventually waits until the text has arrived through the pipe.
func eventually(stderr func() string, text string) {
	for end := time.Now().Add(30 * time.Second); !strings.Contains(stderr(), text) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}

// TestGatewayRewrites: the gateway signs the request as it was before the rewrite.
func TestGatewayRewrites(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(environments, "    allow_presigned: true\n",
		"    rewrite: {add_prefix: /v1, host: api.example.com}\n", 1))
	server := backend(t, dir)
	address, _ := background(t, dir, "gateway", "-config", "environments.yaml", "-env", "dev", "-to", server.URL, "-listen", "127.0.0.1:0")
	r, err := http.NewRequest("GET", "http://"+address+"/orders/a%20b?x=1", nil)
	if status, text, _ := ask(t, r, err); status != 200 || !strings.HasPrefix(text, "orders_key hashed [host x-sdk-date] GET /orders/a%20b?x=1") {
		t.Errorf("got %d %q; %s", status, text, server.codes.Text())
	}
}

// TestGatewaySignsNot: a request that cannot be signed is answered by the gateway, which says so,
// and the service does not get it.
func TestGatewaySignsNot(t *testing.T) {
	dir := folder(t)
	server := backend(t, dir)
	address, _ := background(t, dir, "gateway", "-config", "environments.yaml", "-env", "dev", "-to", server.URL, "-listen", "127.0.0.1:0")
	r, err := http.NewRequest("POST", "http://"+address+"/orders", strings.NewReader("text"))
	if err == nil {
		r.Header.Set("X-Http-Method-Override", "DELETE")
	}
	status, text, header := ask(t, r, err)
	if status != 401 || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(text, "gatewayauth gateway did not sign this request") || server.codes.Text() != "" {
		t.Errorf("got %d %q, the service %q", status, text, server.codes.Text())
	}
}

// TestGatewayWithoutTarget: if the service cannot be reached, the gateway answers 502 and
// keeps serving.
func TestGatewayWithoutTarget(t *testing.T) {
	dir := folder(t)
	address, _ := background(t, dir, "gateway", "-config", "environments.yaml", "-env", "dev", "-to", "http://"+freePort(t), "-listen", "127.0.0.1:0")
	for _, path := range []string{"/orders", "/healthz"} {
		r, err := http.NewRequest("GET", "http://"+address+path, nil)
		if status, _, _ := ask(t, r, err); status != 502 {
			t.Errorf("%s: got %d", path, status)
		}
	}
}

// TestGatewayDuplicates: a service with a replay store refuses the second of two equal
// requests.
func TestGatewayDuplicates(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(environments, "  dev:\n", "  dev:\n    replay: {store: memory}\n", 1))
	server := backend(t, dir)
	address, stderr := background(t, dir, "gateway", "-config", "environments.yaml", "-env", "dev", "-to", server.URL, "-listen", "127.0.0.1:0", "-fault", "duplicate")
	r, err := http.NewRequest("POST", "http://"+address+"/orders", strings.NewReader("text"))
	status, _, _ := ask(t, r, err)
	eventually(stderr, "twice")
	if status != 200 || server.codes.Text() != " replayed" || !strings.Contains(stderr(), "200 OK and 401 Unauthorized") {
		t.Errorf("got %d; %s", status, stderr())
	}
}

// TestGatewayUnbound_T256: the gateway says of a request that no API binds why it is not
// signed, and of faults which of them were not applied. explain says that the request would be
// refused even if signed.
func TestGatewayUnbound_T256(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(environments, "    default: orders_key\n  RELEASE:", "  RELEASE:", 1))
	server := backend(t, dir)
	address, stdout, stderr := gatewayTo(t, dir, server.URL)
	for _, tt := range []struct{ path, fault, line, stderr string }{
		{"/nowhere", "", "GET /nowhere unsigned: no API of dev matches, and it has no default -> 401", ""},
		{"/nowhere/1", "wrong-secret", "GET /nowhere/1 unsigned: no API", "/nowhere/1: wrong-secret was not applied, since the request is not signed\n"},
		{"/nowhere/2", "skew=20m", "GET /nowhere/2 unsigned: no API", "/nowhere/2: skew was not applied, since the request is not signed\n"},
		{"/healthz", "skew=20m", "GET /healthz unsigned -> 200", "/healthz: skew was not applied, since the request is not signed\n"},
		{"/partner/3", "skew=20m", "GET /partner/3 key=partner_key", "/partner/3: skew was not applied, since a key of this type signs no date\n"},
		{"/partner/4", "wrong-secret", "GET /partner/4 key=partner_key", "/partner/4 sent signed with another secret\n"},
		{"/nowhere/5", "drop=X-Tenant", "GET /nowhere/5 unsigned: no API", "/nowhere/5: a fault was not applied, since the request does not have what it changes\n"},
		{"/nowhere/6", "host=other.example", "GET /nowhere/6 unsigned: no API", "/nowhere/6 sent for the host other.example\n"},
	} {
		r, err := http.NewRequest("GET", "http://"+address+tt.path, nil)
		if tt.fault != "" {
			r.Header.Set("Gatewayauth-Fault", tt.fault)
		}
		ask(t, r, err)
		eventually(stdout, tt.line)
		eventually(stderr, tt.stderr)
		if !strings.Contains(stdout(), tt.line) || !strings.Contains(stderr(), tt.stderr) {
			t.Errorf("%s %s: got\n%s%s\nwant %q and %q", tt.path, tt.fault, stdout(), stderr(), tt.line, tt.stderr)
		}
	}
	if got := stderr(); strings.Contains(got, "0001-01-01") || strings.Contains(got, "sent \n") || strings.Count(got, "\n") != 7 {
		t.Errorf("got standard error\n%s", got)
	}
	const besides = "no pattern binds this route, and there is no default: it would be refused even if signed"
	for path, unbound := range map[string]bool{"/nowhere": true, "/partner/7": false} {
		for _, args := range [][]string{nil, {"-json"}} {
			r := cli(t, dir, "GET "+path+" HTTP/1.1\nHost: a\n\n", append([]string{"explain", "-config", "environments.yaml", "-env", "dev"}, args...)...)
			if strings.Contains(r.out, besides) != unbound || !strings.Contains(r.out, "credential_missing") || !strings.Contains(r.out, "did not come through the gateway") || r.code != 1 {
				t.Errorf("%s: exit %d\n%s%s", path, r.code, r.out, r.err)
			}
		}
	}
}
