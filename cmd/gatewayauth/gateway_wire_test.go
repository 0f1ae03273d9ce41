package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/grpcauth"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

const gatewayEnvironments = `environments:
  dev:
    max_body: 64KiB
    require_signed: [host, x-tenant]
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: ORDERS_SECRET}}
      - {name: partner_key, type: basic, key: partner, secret: {env: PARTNER_PASSWORD}}
      - {name: sigv4_key, type: sigv4, key: SIGV4TESTSIGV4TE, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
    apis:
      - {match: "/small/", key: orders_key, max_body: 10B}
      - {match: "/large/", key: orders_key, max_body: 1MiB}
      - {match: "/streams/", key: orders_key, stream: true, max_body: 1MiB}
      - {match: "/unsigned/", key: orders_key, stream: true, allow_unsigned_payload: true, max_body: 1MiB}
      - {match: "/partner/", key: partner_key, max_body: 10B}
      - {match: "/sigv4/", key: sigv4_key}
      - {match: "/open/", open: true}
      - {match: "/grpc.health.v1.Health/", key: orders_key}
      - {match: "/grpc.reflection.v1.ServerReflection/", key: orders_key, allow_unsigned_payload: true}
    default: orders_key
`

// gatewayBackend verifies the requests of the gateway, and records the last one.
type gatewayBackend struct {
	*httptest.Server
	codes *testkit.Codes
	mu    sync.Mutex
	got   []byte      // the last request, as it was received
	head  http.Header // its headers
}

func newGatewayBackend(t *testing.T, dir string) *gatewayBackend {
	t.Helper()
	v, observed := devVerifier(t, dir)
	b := &gatewayBackend{codes: observed}
	verified := nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		first := make([]byte, 5)
		n, _ := io.ReadFull(r.Body, first)
		fmt.Fprintf(w, "%s", first[:n])
		http.NewResponseController(w).Flush()
		io.Copy(w, r.Body)
	}))
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/unsigned/") { // the body of /unsigned/ arrives slowly
			dump, err := httputil.DumpRequest(r, true)
			if err != nil {
				t.Error(err)
			}
			b.mu.Lock()
			b.got, b.head = dump, r.Header.Clone()
			b.mu.Unlock()
		}
		verified.ServeHTTP(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

// gatewayTo starts the gateway, which forwards to target.
func gatewayTo(t *testing.T, dir, target string, more ...string) (address string, stdout, stderr func() string) {
	t.Helper()
	return serving(t, dir, append([]string{"gateway", "-config", "environments.yaml", "-env", "dev", "-to", target, "-listen", "127.0.0.1:0"}, more...)...)
}

// TestGatewayBodies_T190: max_body of the API applies, and bodies are forwarded as they
// arrive if they are not signed.
func TestGatewayBodies_T190(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", gatewayEnvironments)
	server := newGatewayBackend(t, dir)
	address, stdout, _ := gatewayTo(t, dir, server.URL)
	for _, tt := range []struct {
		path    string
		size    int
		chunked bool
		status  int
		line    string
	}{
		{"/orders", 64 << 10, false, 200, "payload=hashed"},
		{"/orders", 64<<10 + 1, false, 413, ""},
		{"/orders", 64<<10 + 1, true, 413, ""},
		{"/small/", 10, false, 200, "payload=hashed"},
		{"/small/", 10, true, 200, "payload=hashed"},
		{"/small/", 11, true, 413, ""},
		{"/large/", 1 << 20, true, 200, "payload=hashed"},
		{"/large/", 1<<20 + 1, true, 413, ""},
		{"/streams/", 1 << 20, true, 200, "payload=declared"},
		{"/streams/", 0, true, 200, "payload=declared"},
		{"/streams/", 1<<20 + 1, true, 413, ""},
		{"/unsigned/", 1 << 20, true, 200, "payload=unsigned"},
		{"/unsigned/", 1<<20 + 1, false, 413, ""},
		{"/partner/", 10, true, 200, "signed=none"},
		{"/partner/", 11, false, 413, ""},
		{"/open/", 64 << 10, true, 200, "unsigned"},
		{"/open/", 64<<10 + 1, false, 413, ""},
	} {
		body := strings.Repeat("x", tt.size)
		r, err := http.NewRequest("POST", "http://"+address+tt.path, strings.NewReader(body))
		if tt.chunked {
			r, err = http.NewRequest("POST", "http://"+address+tt.path, io.MultiReader(strings.NewReader(body)))
		}
		before := stdout()
		status, text, _ := ask(t, r, err)
		if status != tt.status || status == 200 && text != body {
			t.Errorf("%s with %d bytes: got %d and %d bytes, want %d; %s", tt.path, tt.size, status, len(text), tt.status, server.codes.Text())
		}
		eventually(func() string { return strings.TrimPrefix(stdout(), before) }, "\n")
		want := regexp.MustCompile(fmt.Sprintf(`-> %d in [0-9.]+(µs|ms|s)\n$`, tt.status))
		if line := strings.TrimPrefix(stdout(), before); !want.MatchString(line) || !strings.Contains(line, tt.line) || strings.Count(line, "\n") != 1 {
			t.Errorf("%s with %d bytes: the gateway prints %q", tt.path, tt.size, line)
		}
	}

	// Client and service send in turns.
	in, out := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/unsigned/", in)
	if err != nil {
		t.Fatal(err)
	}
	go io.WriteString(out, "first")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "first" {
		t.Errorf("got %q, %v", first, err)
	}
	io.WriteString(out, " second")
	out.Close()
	if rest, err := io.ReadAll(answer.Body); string(rest) != " second" {
		t.Errorf("got %q, %v", rest, err)
	}
}

// TestGatewayPasses_T190: the headers that clients may not send are removed, and all others
// are forwarded.
func TestGatewayPasses_T190(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", gatewayEnvironments)
	server := newGatewayBackend(t, dir)
	address, stdout, _ := gatewayTo(t, dir, server.URL, "-header", "X-Request-Id")
	given := map[string]string{"Authorization": "Bearer mine", "X-Auth-Token": "token", "X-Amz-Meta-A": "1", "X-Security-Token": "t", "X-Tenant": "blue",
		"Cookie": "a=1;b=2", "X-Request-Id": "7", "X-Sdk-Forged": "1", "X_Sdk_Date": "1", "X-Apig-Identity": "root", "X_apig_identity": "root", "X-Stage": "TEST", "Gatewayauth-Fault": "duplicate"}
	passed := []string{"X-Auth-Token", "X-Amz-Meta-A", "X-Security-Token", "X-Tenant", "Cookie", "X-Request-Id"}
	taken := []string{"X-Sdk-Forged", "X_Sdk_Date", "X-Apig-Identity", "X_apig_identity", "X-Stage", "Gatewayauth-Fault"}
	for path, signed := range map[string]string{"/orders\x1b": "host;x-amz-meta-a;x-request-id;x-sdk-date;x-tenant", "/sigv4/": "host;x-amz-date;x-amz-meta-a;x-request-id;x-tenant", "/partner/": "signed=none", "/open/": "unsigned"} {
		r, err := http.NewRequest("GET", "http://"+address+strings.ReplaceAll(path, "\x1b", "%1b")+"?secret=1", nil)
		for name, value := range given {
			r.Header[name] = []string{value}
		}
		before := stdout()
		if status, _, _ := ask(t, r, err); status != 200 {
			t.Errorf("%q: got %d, %s", path, status, server.codes.Text())
		}
		for _, name := range passed {
			if server.head.Get(name) != given[name] {
				t.Errorf("%q: %s is %q", path, name, server.head.Get(name))
			}
		}
		for _, name := range taken {
			if value, there := server.head[name]; there {
				t.Errorf("%q: %s is %q", path, name, value)
			}
		}
		if own := server.head.Get("Authorization") == given["Authorization"]; own != (path == "/open/") {
			t.Errorf("%q: the client's Authorization: %v", path, own)
		}
		eventually(func() string { return strings.TrimPrefix(stdout(), before) }, "-> 200")
		if line := strings.TrimPrefix(stdout(), before); !strings.Contains(line, signed) || strings.ContainsAny(line, "\x1b?") || strings.Contains(line, "Signature") {
			t.Errorf("%q: the gateway prints %q", path, line)
		}
	}
	// The line of a request that cannot be signed has the reason.
	r, err := http.NewRequest("GET", "http://"+address+"/orders?a=1;b=2", nil)
	if status, _, _ := ask(t, r, err); status != 400 {
		t.Errorf("got %d", status)
	}
	eventually(stdout, "semicolon")
	if !strings.Contains(stdout(), "key=orders_key not signed: signer: gatewayauth: request_ambiguous: query has a semicolon") {
		t.Errorf("the gateway prints %q", stdout())
	}
	address, stdout, _ = gatewayTo(t, dir, server.URL, "-quiet")
	r, err = http.NewRequest("GET", "http://"+address+"/orders", nil)
	if status, _, _ := ask(t, r, err); status != 200 || strings.Count(stdout(), "\n") != 1 {
		t.Errorf("got %d; with --quiet the gateway prints %q", status, stdout())
	}
}

// TestGatewaySignsWithBody_T182: the gateway signs the headers of
// require_signed_with_body if there is a body.
func TestGatewaySignsWithBody_T182(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(gatewayEnvironments, "require_signed: [host, x-tenant]", "require_signed_with_body: [content-type]", 1))
	address, _, _ := gatewayTo(t, dir, newGatewayBackend(t, dir).URL)
	r, err := http.NewRequest("POST", "http://"+address+"/orders", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if status, answer, _ := ask(t, r, err); status != 200 {
		t.Errorf("got %d %s", status, answer)
	}
}

// TestGatewayFaults_T190: each fault is refused with its code, and explain finds it.
func TestGatewayFaults_T190(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", gatewayEnvironments)
	server := newGatewayBackend(t, dir)
	address, _, stderr := gatewayTo(t, dir, server.URL)
	cases := []struct{ fault, target, code, explained string }{
		{"skew=20m", "/orders", "signature_expired", "signature_expired"},
		{"skew=-20m", "/orders", "signature_not_yet_valid", "signature_not_yet_valid"},
		{"wrong-secret", "/orders", "signature_mismatch", "with a line break at its end"},
		{"drop=X-Tenant", "/orders", "header_not_signed", "the header x-tenant was signed"},
		{"change-header=Content-Type", "/orders", "signature_mismatch", "the signed header content-type was changed"},
		{"change-header=X-Tenant", "/orders", "signature_mismatch", "the signed header x-tenant was changed"},
		{"add-header=X-Sdk-Other:1", "/orders", "header_not_signed", "header_not_signed"},
		{"add-header=X-Sdk-Date:20260115T120000Z", "/orders", "request_ambiguous", "request_ambiguous"},
		{"method=PUT", "/orders", "signature_mismatch", "the method"},
		{"path=/other", "/orders", "signature_mismatch", "none was found"},
		{"query=b=2", "/orders?a=1", "signature_mismatch", "none was found"},
		{"host=127.0.0.1:1", "/orders", "signature_mismatch", "another host was signed"},
		{"proxy-host=10.0.0.1:8080", "/orders", "signature_mismatch", "from X-Forwarded-Host"},
		{"strip-prefix=/v1", "/v1/orders/7", "signature_mismatch", "/v1/orders/7"},
		{"rewrite-query", "/orders?a=1%2B1", "signature_mismatch", "a plus sign was signed as %2B"},
		{"rewrite-query", "/orders?a=1", "signature_mismatch", "the parameter utm_source=proxy was not signed"},
		{"tamper-body", "/orders", "signature_mismatch", "none was found"},
		{"tamper-body", "/streams/", "body_mismatch", "body_mismatch"},
		{"remove-body", "/orders", "signature_mismatch", "none was found"},
		{"duplicate", "/orders", "", "accepted"},
	}
	kinds := map[string]bool{}
	for _, tt := range cases {
		t.Run(tt.fault+" "+tt.target, func(t *testing.T) {
			name, _, _ := strings.Cut(tt.fault, "=")
			kinds[name] = true
			server.codes.Text()
			r, err := http.NewRequest("POST", "http://"+address+tt.target, strings.NewReader(`{"amount":100}`))
			r.Header.Set("Gatewayauth-Fault", tt.fault)
			r.Header.Set("X-Tenant", "blue")
			r.Header.Set("Content-Type", "application/json")
			if name == "change-header" && strings.HasSuffix(tt.fault, "Type") {
				address, _, _ := gatewayTo(t, dir, server.URL, "-header", "Content-Type", "-fault", tt.fault)
				r.URL.Host, r.Host = address, ""
				r.Header.Del("Gatewayauth-Fault")
			}
			ask(t, r, err)
			if code := strings.TrimSpace(server.codes.Text()); code != tt.code {
				t.Errorf("refused for %q, want %q\n%s", code, tt.code, stderr())
			}
			write(t, dir, "request.txt", string(server.got))
			args := []string{"explain", "-config", "environments.yaml", "-env", "dev", "request.txt", "-prefix", "/v1", "-header", "X-Tenant: blue"}
			if name == "host" {
				args = append(args, "-host", strings.TrimPrefix(server.URL, "http://"))
			}
			if text := cli(t, dir, "", args...); !strings.Contains(text.out, tt.explained) {
				t.Errorf("the output of explain does not contain %q:\n%s%s", tt.explained, text.out, text.err)
			}
		})
	}
	// The next request has no fault.
	server.codes.Text()
	r, err := http.NewRequest("POST", "http://"+address+"/orders", strings.NewReader("x"))
	if status, _, _ := ask(t, r, err); status != 200 || server.codes.Text() != "" {
		t.Errorf("a request without a fault: got %d", status)
	}
	r.Header.Set("Gatewayauth-Fault", "flood")
	r.Body = io.NopCloser(strings.NewReader("x"))
	if status, text, _ := ask(t, r, nil); status != 400 || !strings.Contains(text, "known are skew=20m") {
		t.Errorf("an unknown fault: got %d %q", status, text)
	}
	// The help and the documentation list all faults.
	docs := read(t, "../../docs/troubleshooting.md")
	help := cli(t, dir, "", "gateway", "--help").out
	listed := 0
	for line := range strings.SplitSeq(docs, "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.HasPrefix(cells[1], " `") {
			fault, _, _ := strings.Cut(strings.Trim(cells[1], " `"), "=")
			if kinds[fault] && strings.Contains(help, "  "+strings.Trim(cells[1], " `")) {
				listed++
			}
		}
	}
	if listed != len(kinds) || strings.Count(help[strings.Index(help, "To see how a service refuses"):strings.Index(help, "Use it for development")], "\n  ") != len(kinds) {
		t.Errorf("%d faults are tried, the documentation and the help have %d of them\n%s", len(kinds), listed, help)
	}
}

// TestGatewayGRPC_T190: gRPC calls are signed and forwarded with their trailers: unary
// calls and streams.
func TestGatewayGRPC_T190(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", gatewayEnvironments)
	v, observed := devVerifier(t, dir)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpcauth.ServerOptions(v)...)
	checks := health.NewServer()
	healthpb.RegisterHealthServer(server, checks)
	reflection.Register(server)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	address, stdout, _ := gatewayTo(t, dir, "http://"+l.Addr().String())
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer mine", "x-sdk-forged", "1", "x-tenant", "blue")

	var header, trailer metadata.MD
	if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		t.Errorf("unary: %v", err)
	}
	if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "nobody"}); status.Code(err) != codes.NotFound {
		t.Errorf("the status of a trailer: %v", err)
	}
	watch, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []healthpb.HealthCheckResponse_ServingStatus{healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING} {
		if got, err := watch.Recv(); err != nil || got.Status != want {
			t.Errorf("a stream from the server: %v, %v, want %v", got, err, want)
		}
		checks.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	}
	info, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // in turns
		if err := info.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
			t.Fatal(err)
		}
		if got, err := info.Recv(); err != nil || len(got.GetListServicesResponse().GetService()) == 0 {
			t.Fatalf("a stream in both directions: %v, %v", got, err)
		}
	}
	info.CloseSend()
	if _, err := info.Recv(); err != io.EOF {
		t.Errorf("its end: %v", err)
	}
	if got := observed.Take(); !slices.Equal(got, make([]core.Code, 4)) {
		t.Errorf("got verdicts %q, want four acceptances", got)
	}
	for _, want := range []string{"POST /grpc.health.v1.Health/Check key=orders_key signed=host;", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo key=orders_key signed=host;x-sdk-content-sha256;x-sdk-date;x-tenant payload=unsigned -> 200 grpc=0 in ", "payload=declared -> 200 grpc=5 in "} {
		eventually(stdout, want)
		if !strings.Contains(stdout(), want) {
			t.Errorf("the gateway does not print %q:\n%s", want, stdout())
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
