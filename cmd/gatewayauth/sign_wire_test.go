package main_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

const wireEnvironments = `environments:
  hmac: &one
    allow_presigned: true
    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: {env: ORDERS_SECRET}}]
    default: k
  v11:
    <<: *one
    keys: [{name: k, type: v11, key: V11TESTV11TEST11, secret: {env: ORDERS_SECRET}, region: r1, service: s1}]
  sigv4:
    <<: *one
    keys: [{name: k, type: sigv4, key: SIGV4TESTSIGV4TE, secret: {env: ORDERS_SECRET}, region: r1, service: s1}]
  s3:
    <<: *one
    keys: [{name: k, type: sigv4, key: SIGV4TESTSIGV4TE, secret: {env: ORDERS_SECRET}, region: r1, service: s3, paths: s3}]
  aes:
    <<: *one
    keys: [{name: k, type: aes, key: {env: AES_KEY}, secret: {env: AES_VECTOR}}]
  basic:
    <<: *one
    keys: [{name: k, type: basic, key: partner, secret: {env: PARTNER_PASSWORD}}]
`

// wireServer verifies requests for an environment, and counts them and the accepted ones.
type wireServer struct {
	*httptest.Server
	verdicts, accepted atomic.Int64
}

func newWireServer(t *testing.T, dir, env string, tls bool) *wireServer {
	t.Helper()
	file, err := loadFile(filepath.Join(dir, "environments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s := new(wireServer)
	v, err := file.Verifier(env, config.WithLogger(silent), config.WithObservers(core.ObserverFunc(func(context.Context, core.Event) { s.verdicts.Add(1) })))
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewUnstartedServer(nethttp.Middleware(v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.accepted.Add(1)
		io.Copy(io.Discard, r.Body)
	})))
	s.EnableHTTP2 = tls
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// proxy starts an HTTP proxy that forwards every host to the server. It forwards requests
// byte for byte, except that it removes the absolute form of the target.
func (s *wireServer) proxy(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				in := bufio.NewReader(client)
				line, _ := in.ReadString('\n')
				method, target, _ := strings.Cut(line, " http://")
				server, err := net.Dial("tcp", s.Listener.Addr().String())
				if err != nil {
					return
				}
				defer server.Close()
				at := strings.IndexAny(target, "/?") // start of the path
				if at < 0 {
					return
				}
				io.WriteString(server, method+" "+target[at:])
				go io.Copy(server, in)
				io.Copy(client, server)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// wireCases are arguments for sign: unusual URLs, and unusual options with a plain URL.
var wireCases = func() (all [][]string) {
	for _, target := range []string{
		"http://api.example.com", "http://api.example.com?x=1", "http://api.example.com/?", "http://api.example.com/a#top", "http://api.example.com:80/a", "http://api.example.com:443/a", "http://api.example.com:/a",
		"http://API.Example.com/a", "http://api.example.com./a", "http://bücher.example/", "http://xn--bcher-kva.example/", "http://b%C3%BCcher.example/", "http://a_b.example/", "http://a,b.example/", "http://a!b.example/",
		"http://[::1]:8080/", "http://[fe80::1%25eth0]/a", "http://[fe80::1%25eth0]:80/a", "http://user:secret@api.example.com/a",
		"http://api.example.com/a%20b", "http://api.example.com/a b", "http://api.example.com/é/%c3%a9", "http://api.example.com/a+b/%2B/%7E", "http://api.example.com/a//b", "http://api.example.com//", "http://api.example.com/a/./b",
		"http://api.example.com/a/../b", "http://api.example.com/..", "http://api.example.com/a/%2e%2E/b", "http://api.example.com/a/%2E", "http://api.example.com/a%2Fb", `http://api.example.com/a\b`, "http://api.example.com/[x]{y}|^\"<>`", "http://api.example.com/!$&'()*,;=:@", "http://api.example.com/%zz",
		"http://api.example.com/?a=1;b=2", "http://api.example.com/?=1", "http://api.example.com/?a=%zz", "http://api.example.com/?a=b c", "http://api.example.com/?a=é&中=文", "http://api.example.com/?a=+&b=%20", "http://api.example.com/?&&a&b=&b", "http://api.example.com/?a=[1-3]{x,y}|^\"<>`'\\", "http://api.example.com/?a=$HOME`id`!!",
		"http://api.example.com/?X-Amz-Signature=1", "http://api.example.com/?X-Sdk-Algorithm=1", "http://api.example.com/?a=\xff",
	} {
		all = append(all, []string{target})
	}
	for _, options := range [][]string{
		{"-X", "get"}, {"-X", "HEAD"}, {"-X", "head"}, {"-X", "HEAD", "-d", "x"}, {"-X", "POST"}, {"-X", "GET", "-d", "x"}, {"-X", "CONNECT"}, {"-X", "PURGE"}, {"-X", "A B"},
		{"-d", ""}, {"-d", "@"}, {"-d", "it's $HOME `id` \\ !! \n"}, {"--data-binary", "@body.bin"}, {"-d", "{\"é\":1}", "-H", "Content-Type: application/json", "-H", "Content-Type"}, {"-d", "x", "-H", "Content-Type;"}, {"-d", "x", "-H", "Content-Type:"},
		{"-d", "x", "-payload", "declared"}, {"-d", "x", "-H", "Content-Length: 7", "-H", "Content-Length"}, {"-d", "x", "-H", "Transfer-Encoding: chunked"}, {"-d", "x", "-H", "Expect: 100-continue"}, {"-H", "Expect: tea"},
		{"-H", "Host: other.example"}, {"-H", "Host: other.example:80"}, {"-H", "Host: bücher.example"}, {"-H", "Host: OTHER.example"}, {"-H", "Host:"}, {"-H", "Host: a/b"},
		{"-H", "X-Tenant:   blue  green  ", "-H", "X-Tenant"}, {"-H", "X-Tenant;", "-H", "X-Tenant"}, {"-H", "x-tenant: b", "-H", "X-TENANT: a", "-H", "X-Tenant"}, {"-H", "X-Tenant: é", "-H", "X-Tenant"}, {"-H", "X Tenant: a"}, {"-H", "X-Tenant: a\x01b"}, {"-H", "X_Tenant: a", "-H", "X-Tenant: b", "-H", "X-Tenant"},
		{"-H", "X-Sdk-Extra: 1"}, {"-H", "X-Amz-Meta-A: 1"}, {"-H", "X-Amz-Meta-A: 1", "-H", "X-Amz-Meta-A: 2"}, {"-H", "X_Sdk_Date: 1"}, {"-H", "Authorization: Bearer x"}, {"-H", "X-HTTP-Method-Override: DELETE"}, {"-H", "X-HTTP-Method-Override: DELETE", "-H", "X-HTTP-Method-Override"},
		{"-H", "Cookie: a=1;b=2", "-H", "Cookie: c=3", "-H", "Cookie"}, {"-H", "User-Agent: own", "-H", "User-Agent"}, {"-H", "User-Agent;", "-H", "User-Agent"}, {"-H", "User-Agent:"}, {"-H", "Accept: */*", "-H", "Accept"}, {"-H", "Accept;", "-H", "Accept"}, {"-H", "Accept-Encoding: gzip", "-H", "Accept-Encoding"},
		{"-H", "Connection: close"}, {"-H", "Connection: X-Tenant", "-H", "X-Tenant: a", "-H", "X-Tenant"}, {"-H", "TE: trailers"}, {"-H", "TE: gzip"}, {"-H", "Connection: close", "-H", "Connection"}, {"-H", "Referer: http://a/", "-H", "Referer"}, {"-H", "X-Note: it's; $(id) \"!!\" \\", "-H", "X-Note"},
		{"-expires", "1m"}, {"-expires", "1m", "-d", "x"}, {"-expires", "1m", "-H", "X-Tenant: a", "-H", "X-Tenant"}, {"-expires", "1m", "-H", "X-Amz-Meta-A: 1"}, {"-expires", "1m", "-X", "DELETE"},
	} {
		all = append(all, append(options, "http://api.example.com/orders/7?b=2&a=1"))
		all = append(all, append(options[:len(options):len(options)], "http://api.example.com:80/a%20b?x"))
	}
	return all
}()

// TestSignedIsSent_T190: the requests that sign sends, and those of the curl commands
// that it prints, are accepted. Otherwise nothing is sent, and the reason is printed.
// Each case starts up to five processes: a short run tries it with one environment only.
func TestSignedIsSent_T190(t *testing.T) {
	bash, curl := needs.Program(t, "bash", "bash"), needs.Program(t, "curl", "curl")
	_ = curl
	dir := t.TempDir()
	write(t, dir, "environments.yaml", wireEnvironments)
	write(t, dir, "body.bin", "a\x00b\r\n'\xff")
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	envs := []string{"hmac", "v11", "sigv4", "s3", "aes", "basic"}
	for part, env := range envs {
		t.Run(env, func(t *testing.T) {
			t.Parallel()
			cases := wireCases
			if !needs.WithLong() {
				cases = nil
				for i := part; i < len(wireCases); i += len(envs) {
					cases = append(cases, wireCases[i])
				}
			}
			server := newWireServer(t, dir, env, false)
			proxy := server.proxy(t)
			address := server.Listener.Addr().String()
			client := "curl -q --silent --show-error --noproxy '*' --max-time 30 --output /dev/null --connect-to ::" + address + " "
			accepted := 0
			for _, given := range cases {
				args := append([]string{"sign", "-config", "environments.yaml", "-env", env}, given...)
				judge := func(how string, r result, text string) {
					t.Helper()
					verdicts, ok := server.verdicts.Swap(0), server.accepted.Swap(0)
					switch {
					case ok == 1 && verdicts == 1:
						accepted++
					case ok != 0 || verdicts != 0 || strings.Contains(r.err, "answered with"):
						t.Errorf("%s of %q: sent and refused\n%s%s", how, given, text, r.err)
					case r.code == 0 || r.err == "":
						t.Errorf("%s of %q: neither sent nor refused: exit %d\n%s%s", how, given, r.code, text, r.err)
					}
				}
				send := exec.Command(binary, append(args, "-send")...)
				send.Env = append(environment(), "http_proxy="+proxy)
				judge("--send", finishIn(t, send, dir), "")
				for _, as := range []string{"curl", "url"} {
					r := cli(t, dir, "", append(args, "-as", as)...)
					command := r.out
					if r.code == 0 && as == "url" {
						command = "curl --globoff --path-as-is '" + strings.TrimSpace(strings.ReplaceAll(r.out, "'", `'\''`)) + "'"
					}
					if r.code == 0 {
						r = finish(t, exec.Command(bash, "-c", strings.Replace(command, "curl ", client, 1)), dir, "")
					}
					judge("--as "+as, r, command)
				}
			}
			if accepted < len(cases) {
				t.Errorf("only %d of %d were accepted", accepted, 3*len(cases))
			}
		})
	}
}

// finishIn is like finish, for a command with its own environment variables.
func finishIn(t *testing.T, c *exec.Cmd, dir string) result {
	t.Helper()
	var out, stderr strings.Builder
	c.Dir, c.Stdout, c.Stderr = dir, &out, &stderr
	c.Run()
	quiet(t, out.String()+stderr.String())
	return result{out.String(), stderr.String(), c.ProcessState.ExitCode()}
}

// TestSignedIsSentOverTLS_T190: the same over HTTP/2 and TLS, whose default port is 443.
func TestSignedIsSentOverTLS_T190(t *testing.T) {
	bash := needs.Program(t, "bash", "bash")
	needs.Program(t, "curl", "curl")
	dir := t.TempDir()
	write(t, dir, "environments.yaml", wireEnvironments)
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	server := newWireServer(t, dir, "hmac", true)
	client := "curl -q --silent --show-error --noproxy '*' --max-time 30 --insecure --output /dev/null --connect-to ::" + server.Listener.Addr().String() + " "
	for _, given := range [][]string{{"https://api.example.com/"}, {"https://api.example.com:443/"}, {"https://API.example.com:8443/a"}, {"https://api.example.com:80/"}, {"https://[fe80::1%25eth0]/"},
		{"-H", "Cookie: a=1;b=2", "-H", "Cookie: c=3", "-H", "Cookie", "-d", "x", "https://api.example.com/"}, {"-H", "TE: trailers", "-H", "Host: other.example", "https://api.example.com/"}} {
		r := cli(t, dir, "", append([]string{"sign", "-config", "environments.yaml", "-env", "hmac", "-as", "curl"}, given...)...)
		finish(t, exec.Command(bash, "-c", strings.Replace(r.out, "curl ", client, 1)), dir, "")
		if server.accepted.Swap(0) != 1 {
			t.Errorf("%q is not accepted\n%s%s", given, r.out, r.err)
		}
	}
}
