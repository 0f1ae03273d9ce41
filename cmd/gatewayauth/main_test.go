package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// binary is the built command. server is the one for commands that serve; it has the race
// detector if the tests have.
var binary, server string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "gatewayauth")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "gatewayauth")
		server = binary
		build := func(args ...string) bool {
			out, err := exec.Command("go", append(append([]string{"build"}, args...), ".")...).CombinedOutput()
			if err != nil {
				fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			}
			return err == nil
		}
		ok := build("-o", binary)
		if info, known := debug.ReadBuildInfo(); known && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
			server += ".race"
			ok = ok && build("-race", "-o", server)
		}
		if !ok {
			return 1
		}
		return m.Run()
	}())
}

// secrets are the environment variables of the commands. No command may print their values.
var secrets = map[string]string{
	"ORDERS_SECRET":    "Zq8vLr2nXw4tKp6yZq8vLr2n",
	"RELEASE_SECRET":   "Rm3bTc7fHd9sJg5kRm3bTc7f",
	"PARTNER_PASSWORD": "Wu6eQi4oBv8zNa2cWu6eQi4o",
	"AES_KEY":          "Fy5pMs9xGk3hUd7r",
	"AES_VECTOR":       "Ln4jEb8wVq2tYz6c",
}

const environments = `environments:
  dev:
    allow_presigned: true
    allow_unsigned_payload: true
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: ORDERS_SECRET}}
      - {name: partner_key, type: basic, key: partner, secret: {env: PARTNER_PASSWORD}}
      - {name: aksk_key, type: aksk, key: AKSKTESTAKSKTEST, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: v11_key, type: v11, key: V11TESTV11TEST11, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: ecdsa_key, type: ecdsa-p256, key: ECDSATESTECDSATE, secret: {env: ORDERS_SECRET}}
      - {name: sm3_key, type: hmac-sm3, key: SM3TESTSM3TEST11, secret: {env: ORDERS_SECRET}}
      - {name: sm2_key, type: sm2, key: SM2TESTSM2TEST11, secret: {env: ORDERS_SECRET}}
      - {name: sigv4_key, type: sigv4, key: SIGV4TESTSIGV4TE, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: sigv4a_key, type: sigv4a, key: SIGV4ATESTSIGV4A, secret: {env: ORDERS_SECRET}, region: r1, service: s1}
      - {name: aes_key, type: aes, key: {env: AES_KEY}, secret: {env: AES_VECTOR}}
    apis:
      - {match: "/partner/", key: partner_key}
      - {match: "/aksk/", key: aksk_key}
      - {match: "/v11/", key: v11_key}
      - {match: "/ecdsa/", key: ecdsa_key}
      - {match: "/sm3/", key: sm3_key}
      - {match: "/sm2/", key: sm2_key}
      - {match: "/sigv4/", key: sigv4_key}
      - {match: "/sigv4a/", key: sigv4a_key}
      - {match: "/aes/", key: aes_key}
      - {match: "GET /healthz", open: true}
    default: orders_key
  RELEASE:
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: RELEASE_SECRET}}
    default: orders_key
`

// folder returns a folder with an environments file.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "environments.yaml", environments)
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func environment() []string {
	all := os.Environ()
	for name, value := range secrets {
		all = append(all, name+"="+value)
	}
	return append(all, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
}

type result struct {
	out, err string
	code     int
}

// cli runs the command, and fails the test if it prints a secret or panics.
func cli(t *testing.T, dir, in string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, binary, args...)
	return finish(t, c, dir, in)
}

func finish(t *testing.T, c *exec.Cmd, dir, in string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	c.Dir, c.Env, c.Stdin, c.Stdout, c.Stderr = dir, environment(), strings.NewReader(in), &out, &stderr
	err := c.Run()
	r := result{out: out.String(), err: stderr.String()}
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = e.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	quiet(t, r.out+r.err)
	return r
}

// quiet fails the test if a text contains a secret or the message of a panic.
func quiet(t *testing.T, text string) {
	t.Helper()
	for name, value := range secrets {
		if strings.Contains(text, value) {
			t.Errorf("the value of %s was printed", name)
		}
	}
	if strings.Contains(text, "panic:") || strings.Contains(text, "goroutine ") {
		t.Errorf("it panicked:\n%s", text)
	}
}

// background starts a command that serves, and returns its address and its standard error.
func background(t *testing.T, dir string, args ...string) (address string, stderr func() string) {
	t.Helper()
	address, _, stderr = serving(t, dir, args...)
	return address, stderr
}

// serving is like background, and also returns the command's standard output.
func serving(t *testing.T, dir string, args ...string) (address string, stdout, stderr func() string) {
	t.Helper()
	l := launch(t, dir, args...)
	return l.address, l.stdout, l.stderr
}

// launched is a command that serves.
type launched struct {
	address        string
	stdout, stderr func() string
	process        *os.Process
	ended          chan struct{} // closed when it has exited
}

// launch starts a command that serves. When the test ends, it must exit without an error.
func launch(t *testing.T, dir string, args ...string) *launched {
	t.Helper()
	c := exec.Command(server, args...)
	c.Dir, c.Env = dir, environment()
	var mu sync.Mutex
	var out, text bytes.Buffer
	ready, told := make(chan struct{}), false
	c.Stderr = writerFunc(func(p []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return text.Write(p) })
	c.Stdout = writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if !told && bytes.IndexByte(p, '\n') >= 0 {
			told = true
			defer close(ready)
		}
		return out.Write(p)
	})
	l := &launched{
		stderr: func() string { mu.Lock(); defer mu.Unlock(); return text.String() },
		stdout: func() string { mu.Lock(); defer mu.Unlock(); return out.String() },
		ended:  make(chan struct{}),
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	l.process = c.Process
	var err error
	go func() {
		defer close(l.ended)
		err = c.Wait()
	}()
	t.Cleanup(func() {
		c.Process.Signal(os.Interrupt)
		<-l.ended
		if err != nil {
			t.Errorf("%v: got exit error %v\n%s", args, err, l.stderr())
		}
		quiet(t, l.stdout()+l.stderr())
	})
	select {
	case <-ready:
	case <-l.ended:
		t.Fatalf("%v exited: %v\n%s", args, err, l.stderr())
	}
	found := regexp.MustCompile(`^ready http://([^/]+)/`).FindStringSubmatch(l.stdout())
	if found == nil {
		t.Fatalf("%v is not ready: %q %s", args, l.stdout(), l.stderr())
	}
	l.address = found[1]
	return l
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// service is a backend of the dev environment that records the codes of its verdicts, and
// responds with the identity and the request.
type service struct {
	*httptest.Server
	codes *testkit.Codes
}

// loadFile is config.Load with all that the command links.
func loadFile(path string, opts ...config.LoadOption) (*config.File, error) {
	return config.Load(path, append(opts, redisstore.Option(), smkeys.Option())...)
}

// devVerifier returns a verifier of the environment dev of the folder's file.
func devVerifier(t *testing.T, dir string) (*core.Verifier, *testkit.Codes) {
	t.Helper()
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	file, err := loadFile(filepath.Join(dir, "environments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	observed := new(testkit.Codes)
	v, err := file.Verifier("dev", config.WithLogger(silent), config.WithObservers(observed))
	if err != nil {
		t.Fatal(err)
	}
	return v, observed
}

func backend(t *testing.T, dir string) *service {
	t.Helper()
	v, observed := devVerifier(t, dir)
	s := &service{codes: observed}
	s.Server = httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key := "-"
		if id, ok := core.FromContext(r.Context()); ok {
			key = fmt.Sprintf("%s %s %v", id.Key(), id.Payload(), id.SignedHeaders())
		}
		fmt.Fprintf(w, "%s %s %s %s", key, r.Method, r.RequestURI, body)
	})))
	t.Cleanup(s.Close)
	return s
}

// TestExamplesOfHelp: every example of every --help runs, with other addresses.
func TestExamplesOfHelp(t *testing.T) {
	dir := folder(t)
	write(t, dir, "body.json", `{"n":1}`)
	write(t, dir, "request.txt", cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-as", "curl", "http://127.0.0.1:8080/orders/7").out)
	write(t, dir, "canonical.txt", "GET\n/v1/orders/7/\n\nhost:x\n\nhost\ne3b0")
	write(t, dir, "capture.har", `{"log":{"entries":[{"startedDateTime":"2026-01-15T12:00:00Z","request":{"method":"GET","url":"https://api.example.com/orders/7","headers":[]}}]}}`)
	keep(t, dir, hostRefusal)
	write(t, dir, "record.json", record)
	write(t, dir, "service.log", record+"\n")
	examples := 0
	for _, command := range []string{"sign", "explain", "check", "gateway", "guard", "probe"} {
		help := cli(t, dir, "", command, "--help")
		if help.code != 0 || len(help.out) < 500 {
			t.Errorf("%s --help: exit %d\n%s", command, help.code, help.out)
		}
		text, _, _ := strings.Cut(help.out, "\nUsage:")
		for _, line := range strings.Split(text, "\n") {
			if len(line) > 90 && !strings.HasPrefix(line, " ") {
				t.Errorf("%s --help: a line has more than 90 characters: %s", command, line)
			}
		}
		for _, line := range strings.Split(help.out, "\n") {
			line, ok := strings.CutPrefix(line, "  gatewayauth "+command+" ")
			if !ok || strings.Contains(line, "[flags]") {
				continue
			}
			examples++
			t.Run(command+" "+line, func(t *testing.T) {
				if command == "gateway" || command == "guard" || strings.Contains(line, "-http ") {
					line = regexp.MustCompile(`-(http|listen|admin) \S+`).ReplaceAllString(line, "-$1 127.0.0.1:0")
					if command == "gateway" && !strings.Contains(line, "-listen") {
						line += " -listen 127.0.0.1:0"
					}
					background(t, dir, append([]string{command}, strings.Fields(line)...)...)
					return
				}
				if command == "probe" { // where nothing listens
					line = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(line, "127.0.0.1:1")
				}
				r := finish(t, exec.Command("sh", "-c", "gatewayauth "+command+" "+line), dir, "")
				if r.code == 3 || r.err != "" || r.out == "" {
					t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
				}
			})
		}
	}
	if examples < 19 {
		t.Errorf("only %d examples were found", examples)
	}
}

const record = `{"time":"2026-01-15T12:00:00Z","level":"WARN","msg":"request would be refused","code":"signature_expired","error":"gatewayauth: signature_expired: the signed date is too far in the past","environment":"dev","mode":"report","scheme":"hmac","key":"orders_key","key_id":"071fe2459cf64d75","method":"GET","host":"api.example.com","path":"/orders/7","remote":"10.0.0.1:5","skew":1200000000000}`

// TestUsage: invalid arguments and files are exit code 3, with an error that says why.
func TestUsage(t *testing.T) {
	dir := folder(t)
	write(t, dir, "request.txt", "GET / HTTP/1.1\nHost: api.example.com\n\n")
	keep(t, dir, hostRefusal, hostRefusal)
	for _, tt := range []struct {
		args string
		want string
	}{
		{"nonsense", "unknown command"},
		{"sign", "the URL is missing: give one such as https://api.example.com/orders/7"},
		{"sign http://x/a http://x/b", `give one URL, such as https://api.example.com/orders/7, and not also "http://x/b"`},
		{"sign -nonsense http://x/", "unknown"},
		{"sign --nonsense http://x/", "unknown flag: --nonsense; gatewayauth sign --help lists the flags"},
		{"sign -config", "--config needs a value: environments file with the key"},
		{"sign -expires soon http://x/", `--expires: "soon" is not a duration such as 10s`},
		{"explain -config environments.yaml -entry one request.txt", `--entry: "one" is not a whole number`},
		{"explain -config environments.yaml request.txt other.txt", `give one file or folder, and not also "other.txt"`},
		{"check environments.yaml other.yaml", `give one environments file, and not also "other.yaml"`},
		{"probe", "the URL is missing: give one such as http://127.0.0.1:8080/orders/7"},
		{"gateway http://127.0.0.1:1", `gateway takes no argument such as "http://127.0.0.1:1": the URL of the service is given with --to`},
		{"guard http://127.0.0.1:1", `guard takes no argument such as "http://127.0.0.1:1": the URL of the service is given with --to`},
		{"schema environments.yaml", "schema takes no argument"},
		{"version now", "version takes no argument"},
		{"man", "give one folder, such as ~/.local/share/man/man1"},
		{"sign http://x/", "no key"},
		{"sign -type hmac http://x/", "--key-id"},
		{"sign -type hmac -key-id a http://x/", "--secret-env"},
		{"sign -type hmac -key-id a -secret-env NOT_SET http://x/", "NOT_SET is not set"},
		{"sign -type hmac -key-id a -secret-env ORDERS_SECRET -secret-file x http://x/", "only one of"},
		{"sign -type aksk -key-id a -secret-env ORDERS_SECRET http://x/", "--region"},
		{"sign -type nonsense -key-id a -secret-env ORDERS_SECRET http://x/", "write one of aes, aksk"},
		{"sign -type AWS4-HMAC-SHA256 -key-id a -secret-env ORDERS_SECRET http://x/", "did you mean sigv4?"},
		{"sign -type basic -key-id a -secret-env ORDERS_SECRET -expires 1m http://x/", "query"},
		{"sign -config environments.yaml http://x/", "--env is missing; environments of environments.yaml: dev, RELEASE"},
		{"sign -config environments.yaml -env dev http://x/healthz", "GET /healthz is open and needs no signature; to sign anyway, name a key with --key: orders_key, "},
		{"sign -config environments.yaml -env dev -header X-T http://x/", "--header X-T: the request has no such header; give 'X-T: value' with -H as well"},
		{"sign -config environments.yaml -env dev -H x-t: -H x-t http://x/", "--header x-t: the request has no such header; give 'x-t: value' with -H as well"},
		{"probe -config environments.yaml -env dev -H X-T http://127.0.0.1:1/", "--header X-T: the request has no such header"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -H X-A:b", "--header: give a name, such as X-A"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -H (:b", "--header: give a name, such as X-Tenant"},
		{"guard -config environments.yaml -env dev -listen 127.0.0.1:0 -to http://127.0.0.1:1 -sign-with orders_key -H X-A:b", "--header: give a name, such as X-A"},
		{"sign -type hmac 127.0.0.1:18180/orders/7", "write http:// or https:// in front, such as http://127.0.0.1:18180/orders/7"},
		{"sign -type hmac localhost:18180/orders/7", "http://localhost:18180/orders/7"},
		{"sign -type hmac -send grpc://127.0.0.1:1", "gatewayauth probe"},
		{"sign -type hmac ftp://127.0.0.1:1", "http or https URL"},
		{"sign -config environments.yaml -env dev -key nobody http://x/", "no key"},
		{"sign -config environments.yaml -env nowhere -key nobody http://x/", "no environment"},
		{"sign -config absent.yaml -env dev -key a http://x/", "no such file"},
		{"sign -config environments.yaml -env dev -key orders_key nonsense", "URL"},
		{"sign -config environments.yaml -env dev -key orders_key -at yesterday http://x/", "date"},
		{"sign -config environments.yaml -env dev -key orders_key -payload none http://x/", "--payload"},
		{"sign -config environments.yaml -env dev -key orders_key http://x/a/../b", "dot segment"},
		{"explain request.txt", "--config"},
		{"explain -config environments.yaml -env nowhere refused", `there is no environment "nowhere"; there are: dev, RELEASE`},
		{"explain -config environments.yaml -env dev -other-env nowhere refused", `there is no environment "nowhere"; there are: dev, RELEASE`},
		{"explain -config environments.yaml -at yesterday refused", "not a date"},
		{"explain -config environments.yaml -header nothing refused", "not a header"},
		{"explain -config environments.yaml -env nowhere -http 127.0.0.1:0 refused", "no environment"},
		{"explain -config environments.yaml -env dev -http 28080", "--http: 28080 is a port alone: write 127.0.0.1:28080"},
		{"explain -config environments.yaml -env dev -http nonsense", `"nonsense" is not an address such as 127.0.0.1:8080`},
		{"explain -config environments.yaml request.txt", "--env is missing: name the environment that refused the request (dev, RELEASE)"},
		{"explain -config environments.yaml -env dev absent.txt", "no such file"},
		{"explain -config environments.yaml -env dev -format nonsense", "use one of auto"},
		{"explain -config environments.yaml -env dev -http 127.0.0.1:0 request.txt", "folder of kept requests"},
		{"explain -config environments.yaml -env dev -http 0.0.0.0:0", "--http-anywhere"},
		{"explain -config environments.yaml -env dev -http :0", "--http-anywhere"},
		{"explain -config environments.yaml -env dev -http api.example.com:80", "--http-anywhere"},
		{"gateway -config environments.yaml -env dev", "--to is missing: give the service's address, such as http://127.0.0.1:8080"},
		{"gateway -to http://127.0.0.1:1", "--config"},
		{"gateway -config environments.yaml -to http://127.0.0.1:1", "--env is missing; environments of environments.yaml: dev, RELEASE"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -listen 28080", "--listen: 28080 is a port alone: write 127.0.0.1:28080"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -listen 0.0.0.0:0", "--listen-anywhere"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -fault flood", "not a known fault"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -fault skew=soon", "duration"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -fault drop", "write it as drop=X-Sdk-Date"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -fault path=other", "path=/other"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -fault query=#", "query=a=1"},
		{"gateway -config environments.yaml -env dev -to http://127.0.0.1:1 -fault add-header=X-Other", "add-header=X-Sdk-Other:1"},
		{"probe http://127.0.0.1:1/", "--config"},
		{"probe -config environments.yaml http://127.0.0.1:1/", "--env is missing; environments of environments.yaml: dev, RELEASE"},
		{"probe -config environments.yaml -env nowhere http://127.0.0.1:1/", "no environment"},
		{"probe -config environments.yaml -env dev nonsense", "URL"},
		{"probe -config environments.yaml -env dev grpc://", "grpc://127.0.0.1:8081"},
		{"probe -config environments.yaml -env dev grpc://127.0.0.1:1/orders.v1.Orders/Delete", "-X POST"},
		{"probe -config environments.yaml -env dev -X GET grpc://127.0.0.1:1", "POST"},
		{"probe -config environments.yaml -env dev http://127.0.0.1:1/healthz", "open"},
		{"probe -config environments.yaml -env dev -key nobody http://127.0.0.1:1/", "no key"},
		{"probe -config environments.yaml -env dev -key partner_key http://127.0.0.1:1/", "key_not_bound"},
		{"probe -config environments.yaml -env dev -timeout 0s http://127.0.0.1:1/", "--timeout"},
		{"probe -config environments.yaml -env dev http://127.0.0.1:1/a/../b", "dot segment"},
		{"guard -config environments.yaml -env dev -listen 127.0.0.1:0", "--to is missing: give the service's address, such as http://127.0.0.1:8000"},
		{"guard -config environments.yaml -env dev -listen 127.0.0.1:0 -to http://127.0.0.1:1/v1", "more than scheme, host and port"},
		{"guard -config environments.yaml -env dev -listen 127.0.0.1:0 -to grpc://127.0.0.1:1", "h2c://"},
		{"guard -config environments.yaml -env dev -to http://127.0.0.1:1", "--listen"},
		{"guard -config environments.yaml -listen 127.0.0.1:0 -to http://127.0.0.1:1", "--env is missing; environments of environments.yaml: dev, RELEASE"},
		{"guard -config environments.yaml -env dev -to http://127.0.0.1:1 -listen 28080", "--listen: 28080 is a port alone: write :28080"},
		{"guard -config environments.yaml -env dev -to http://127.0.0.1:1 -listen :0 -admin 9464", "--admin: 9464 is a port alone: write :9464"},
		{"guard -config absent.yaml -env dev -listen 127.0.0.1:0 -to http://127.0.0.1:1", "no such file"},
		{"guard -config environments.yaml -env nowhere -listen 127.0.0.1:0 -to http://127.0.0.1:1", "no environment"},
		{"guard -config environments.yaml -env dev -listen 127.0.0.1:0 -to http://127.0.0.1:1 -sign-with nobody", "--sign-with: environment dev has no key"},
		{"guard -config environments.yaml -env dev -listen 127.0.0.1:0 -to http://127.0.0.1:1 -sign-with orders_key -sign-payload none", "--sign-payload"},
		{"check", "missing"},
		{"check -config environments.yaml other.yaml", "given twice"},
		{"check -report absent.log", "no such file"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			r := cli(t, dir, "x", strings.Fields(tt.args)...)
			if r.code != 3 || !strings.Contains(r.err, tt.want) || r.out != "" {
				t.Errorf("exit %d, want 3; got standard error %q, want %q\n%s", r.code, r.err, tt.want, r.out)
			}
		})
	}
}
