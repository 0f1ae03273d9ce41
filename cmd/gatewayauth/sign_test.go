package main_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var silent = slog.New(slog.DiscardHandler)

// TestSignSends: a service accepts the requests that sign sends, for every type of key and
// every way to describe the request.
func TestSignSends(t *testing.T) {
	dir := folder(t)
	server := backend(t, dir)
	write(t, dir, "body.bin", "a\x00b\r\n'")
	write(t, dir, "text.txt", "a\nb\n")
	for _, tt := range []struct {
		name, key, target string
		args              []string
		in, want          string
	}{
		{"GET", "orders_key", "/orders/7?b=2&a=1", nil, "", "orders_key hashed [host x-sdk-date] GET /orders/7?b=2&a=1 "},
		{"data", "orders_key", "/", []string{"-d", `{"n":1}`}, "", `orders_key hashed [host x-sdk-date] POST / {"n":1}`},
		{"data of a file", "orders_key", "/", []string{"-d", "@text.txt"}, "", "orders_key hashed [host x-sdk-date] POST / ab"},
		{"binary data of a file", "orders_key", "/", []string{"--data-binary", "@body.bin"}, "", "orders_key hashed [host x-sdk-date] POST / a\x00b\r\n'"},
		{"data of standard input", "orders_key", "/", []string{"-data-binary", "@-", "-X", "PUT"}, "x\n", "orders_key hashed [host x-sdk-date] PUT / x\n"},
		{"method without a space", "orders_key", "/", []string{"-XDELETE"}, "", "orders_key hashed [host x-sdk-date] DELETE / "},
		{"further headers", "orders_key", "/", []string{"-H", "X-Tenant: blue", "-header", "X-Tenant"}, "", "orders_key hashed [host x-sdk-date x-tenant] GET / "},
		{"declared", "orders_key", "/", []string{"-d", "x", "-payload", "declared"}, "", "orders_key declared [host x-sdk-content-sha256 x-sdk-date] POST / x"},
		{"unsigned", "orders_key", "/", []string{"-d", "x", "-payload=unsigned"}, "", "orders_key unsigned [host x-sdk-content-sha256 x-sdk-date] POST / x"},
		{"basic", "partner_key", "/partner/", nil, "", "partner_key none [] GET /partner/ "},
		{"aksk", "aksk_key", "/aksk/", nil, "", "aksk_key hashed"},
		{"v11", "v11_key", "/v11/", nil, "", "v11_key hashed"},
		{"ecdsa-p256", "ecdsa_key", "/ecdsa/", nil, "", "ecdsa_key hashed"},
		{"hmac-sm3", "sm3_key", "/sm3/", nil, "", "sm3_key hashed"},
		{"sm2", "sm2_key", "/sm2/", nil, "", "sm2_key hashed"},
		{"sigv4", "sigv4_key", "/sigv4/", []string{"-d", "x"}, "", "sigv4_key hashed"},
		{"sigv4a", "sigv4a_key", "/sigv4a/", nil, "", "sigv4a_key hashed"},
		{"aes", "aes_key", "/aes/", nil, "", "aes_key hashed"},
		{"in the query", "orders_key", "/orders/7?x=1", []string{"-expires", "1m"}, "", "orders_key hashed [host] GET /orders/7?x=1&X-Sdk-Algorithm="},
		{"sigv4 in the query", "sigv4_key", "/sigv4/", []string{"-expires", "1m"}, "", "sigv4_key hashed [host] GET /sigv4/?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"sign", "-config", "environments.yaml", "-env", "dev", "-key", tt.key}, tt.args...)
			r := cli(t, dir, tt.in, append(args, "-send", server.URL+tt.target)...)
			if r.code != 0 || !strings.HasPrefix(r.out, tt.want) || r.err != "" {
				t.Errorf("exit %d, got %q, want %q\n%s", r.code, r.out, tt.want, r.err)
			}
			if tt.name == "binary data of a file" || tt.in != "" {
				return
			}
			t.Run("by curl", func(t *testing.T) {
				needs.Program(t, "curl", "curl")
				r := cli(t, dir, tt.in, append(args, "-as", "curl", server.URL+tt.target)...)
				got := finish(t, exec.Command("sh", "-c", strings.Replace(r.out, "curl ", "curl --silent --noproxy '*' ", 1)), dir, "")
				if !strings.HasPrefix(got.out, tt.want) {
					t.Errorf("%s\ngot %q, want %q\n%s", r.out, got.out, tt.want, got.err)
				}
			})
		})
	}
}

// TestSignQuotes: the printed curl command is quoted correctly for any request.
func TestSignQuotes(t *testing.T) {
	dir := folder(t)
	server := backend(t, dir)
	body := "it's $HOME `id` \"x\" \\ \n; rm -rf *"
	args := []string{"sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-H", "X-Note: it's; $(id)", "-header", "X-Note",
		"-d", body, "-as", "curl", server.URL + "/a%20b/[x]?q={1,2}&r='"}
	r := cli(t, dir, "", args...)
	needs.Program(t, "curl", "curl")
	got := finish(t, exec.Command("sh", "-c", strings.Replace(r.out, "curl ", "curl --silent --noproxy '*' ", 1)), dir, "")
	if want := "orders_key hashed [host x-note x-sdk-date] POST /a%20b/[x]?q={1,2}&r=' " + body; got.out != want {
		t.Errorf("%s\ngot %q, want %q\n%s", r.out, got.out, want, got.err)
	}
}

// TestSignGolden: the known signature P1, signed with a key given by flags.
func TestSignGolden(t *testing.T) {
	dir := folder(t)
	write(t, dir, "secret", "sktest-0123456789abcdef0123456789abcdef\n")
	const want = "Authorization: SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868\nX-Sdk-Date: 20260115T120000Z\n"
	for _, secret := range [][]string{{"-secret-file", "secret"}, {"-secret-text", "sktest-0123456789abcdef0123456789abcdef"}} {
		r := cli(t, dir, "", append([]string{"sign", "-type", "hmac", "-key-id", "AKTESTAKTEST0001", "-at", "20260115T120000Z", "http://api.example.com/v1/items"}, secret...)...)
		if r.code != 0 || r.out != want {
			t.Errorf("exit %d, got %q, want %q\n%s", r.code, r.out, want, r.err)
		}
		if warned := strings.Contains(r.err, "warning"); warned != (secret[0] == "-secret-text") {
			t.Errorf("%s: %q", secret[0], r.err)
		}
	}
}

// TestSignFails: the exit code is 1 if the service refuses the request or cannot be
// reached.
func TestSignFails(t *testing.T) {
	dir := folder(t)
	server := backend(t, dir)
	r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "RELEASE", "-send", "-i", server.URL+"/")
	if r.code != 1 || !strings.HasPrefix(r.out, "HTTP/1.1 401") || !strings.Contains(r.err, "401 Unauthorized; the reason is in the service's log") {
		t.Errorf("refused: exit %d %q %q", r.code, r.out, r.err)
	}
	server.Close()
	if r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-send", server.URL+"/"); r.code != 1 {
		t.Errorf("unreachable: exit %d %q", r.code, r.err)
	}
}

// TestSignRefused: the log of the service is named for every status of a refusal in the form that
// the verifier answers in, and not for another answer with that status.
func TestSignRefused(t *testing.T) {
	dir := folder(t)
	for _, tt := range []struct {
		status int
		kind   string
		named  bool
	}{
		{400, "application/problem+json", true}, {401, "text/plain", true}, {403, "application/problem+json; charset=utf-8", true}, {413, "application/problem+json", true},
		{421, "application/problem+json", true}, {503, "application/problem+json", true}, {503, "text/html", false}, {400, "", false}, {404, "application/problem+json", false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{tt.kind}
			w.WriteHeader(tt.status)
		}))
		r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-send", server.URL+"/")
		server.Close()
		if named := strings.Contains(r.err, "; the reason is in the service's log"); r.code != 1 || named != tt.named {
			t.Errorf("%d %s: exit %d, %q", tt.status, tt.kind, r.code, r.err)
		}
	}
}

// TestSignOwnHeaders: headers that signing or sending sets are an error, and not ignored.
func TestSignOwnHeaders(t *testing.T) {
	dir := folder(t)
	for _, header := range []string{"X-Sdk-Date: 20200101T000000Z", "authorization: Bearer x", "Content-Length: 3", "Transfer-Encoding: chunked", "Trailer: X"} {
		name, _, _ := strings.Cut(header, ":")
		r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-H", header, "http://x/")
		if r.code != 3 || !strings.Contains(strings.ToLower(r.err), strings.ToLower(name)) {
			t.Errorf("%s: exit %d, %q", header, r.code, r.err)
		}
	}
}

// TestSignNeedsOneEnvironment: the secrets of other environments are not needed.
func TestSignNeedsOneEnvironment(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(environments, "RELEASE_SECRET", "NOT_SET", 1))
	if r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "http://x/"); r.code != 0 {
		t.Errorf("exit %d %s", r.code, r.err)
	}
	if r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "RELEASE", "http://x/"); r.code != 3 || !strings.Contains(r.err, "NOT_SET is not set") {
		t.Errorf("exit %d %s", r.code, r.err)
	}
}

// TestSignToken: a token is sent in its header.
func TestSignToken(t *testing.T) {
	dir := folder(t)
	t.Setenv("MY_TOKEN", "gAAAAAtoken")
	if r := cli(t, dir, "", "sign", "-type", "token", "-secret-env", "MY_TOKEN", "http://x/"); r.out != "X-Auth-Token: gAAAAAtoken\n" {
		t.Errorf("exit %d %q %s", r.code, r.out, r.err)
	}
}

// TestSignRedirect_T258: of a redirect, sign prints where to, and not its page.
func TestSignRedirect_T258(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("https://api.example.com/orders/", http.StatusMovedPermanently))
	t.Cleanup(server.Close)
	args := []string{"sign", "-config", "environments.yaml", "-env", "dev", "-send", server.URL + "/orders"}
	r := cli(t, folder(t), "", args...)
	if r.code != 0 || r.out != "301 Moved Permanently\nLocation: https://api.example.com/orders/\n" {
		t.Errorf("got %+v", r)
	}
	if r := cli(t, folder(t), "", append(args, "-i")...); r.code != 0 || strings.Count(r.out, "Location: ") != 1 || strings.Contains(r.out, "<a") {
		t.Errorf("got %+v", r)
	}
}

// TestSignKeyOfTheAPI_T257: without --key, sign takes the key that the gateway would take.
func TestSignKeyOfTheAPI_T257(t *testing.T) {
	dir := folder(t)
	server := backend(t, dir)
	for path, key := range map[string]string{"/orders/7": "orders_key", "/partner/7": "partner_key", "/sigv4/7": "sigv4_key"} {
		r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-send", server.URL+path)
		if r.code != 0 || !strings.HasPrefix(r.out, key+" ") {
			t.Errorf("%s: got %+v, want %s", path, r, key)
		}
	}
}

// TestOnlyEnvironment_T257: the only environment of a file need not be named. The file that is
// proposed for a service that has none is such a file, and does.
func TestOnlyEnvironment_T257(t *testing.T) {
	dir := folder(t)
	_, text, found := strings.Cut(cli(t, dir, "", "explain", "request.txt").err, "\n\n")
	if !found {
		t.Fatal("no file is proposed")
	}
	write(t, dir, "environments.yaml", strings.NewReplacer("ID-OF-THE-KEY", "071fe2459cf64d75", "NAME_OF_THE_VARIABLE", "ORDERS_SECRET").Replace(text))
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	guard, _ := background(t, dir, "guard", "-config", "environments.yaml", "-to", server.URL, "-listen", "127.0.0.1:0")
	gateway, _ := background(t, dir, "gateway", "-config", "environments.yaml", "-to", "http://"+guard, "-listen", "127.0.0.1:0")
	r, err := http.NewRequest("GET", "http://"+gateway+"/", nil)
	if status, text, _ := ask(t, r, err); status != 200 {
		t.Errorf("gateway: got %d %s", status, text)
	}
	for _, command := range [][]string{{"sign", "-send"}, {"probe"}} {
		if r := cli(t, dir, "", append(command, "-config", "environments.yaml", "http://"+guard+"/")...); r.code != 0 {
			t.Errorf("%v: got %+v", command, r)
		}
	}
	signed := "GET / HTTP/1.1\nHost: a\n" + cli(t, dir, "", "sign", "-config", "environments.yaml", "http://a/").out + "\n"
	if r := cli(t, dir, signed, "explain", "-config", "environments.yaml"); r.code != 0 {
		t.Errorf("explain: got %+v", r)
	}
}
