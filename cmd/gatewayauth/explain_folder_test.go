package main_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// A refusal is a request that a proxy changes after it was signed.
type refusal struct {
	key    core.Key
	signed string   // method and target
	arrive string   // target; "": as signed
	lines  []string // headers
	sign   []string // those that are signed
	late   time.Duration
	change func(r *http.Request)
}

// keep sends requests to a service of the environment dev in report mode, which keeps the
// refused ones in the folder "refused". The service's clock goes on by a minute with each.
func keep(t *testing.T, dir string, all ...refusal) {
	t.Helper()
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	file, err := loadFile(filepath.Join(dir, "environments.yaml"), config.WithSecretsOf("dev"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	c, err := file.Config("dev", config.WithNow(now), config.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	recorder, err := capture.New(capture.Config{Dir: filepath.Join(dir, "refused"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	c.Mode, c.Observers = core.Report, append(c.Observers, recorder)
	service := nethttp.Middleware(testkit.New(t, c))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	for _, f := range all {
		method, target, _ := strings.Cut(f.signed, " ")
		if f.arrive == "" {
			f.arrive = target
		}
		r := httptest.NewRequest(method, target, nil)
		r.Host = "api.example.com"
		for _, line := range f.lines {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		newSigner := apig.NewSigner
		if f.key.Region != "" {
			newSigner = apig.NewScopedSigner
		}
		testkit.Sign(newSigner(f.key, apig.SignOptions{Headers: f.sign}), r, "", at.Add(-f.late))
		arrived := httptest.NewRequest(method, f.arrive, nil)
		arrived.Host, arrived.Header = r.Host, r.Header
		if f.change != nil {
			f.change(arrived)
		}
		testkit.Serve(service, arrived)
		recorder.Wait()
		at = at.Add(time.Minute)
	}
	if n := recorder.Stats().Written; n != uint64(len(all)) {
		t.Fatalf("%d requests were kept, want %d", n, len(all))
	}
}

// behindBalancer replaces the host as a load balancer does.
func behindBalancer(r *http.Request) {
	r.Header.Set("X-Forwarded-Host", r.Host)
	r.Host = "10.0.0.7:8080"
}

func withSecret(key core.Key, secret string) core.Key {
	key.Secret = core.NewSecret(secret)
	return key
}

var (
	hostRefusal = refusal{key: orders, signed: "GET /orders/7?page=2", change: behindBalancer}
	stranger    = refusal{key: withSecret(orders, "nobody-knows-this-secret"), signed: "GET /orders/8"}
	withCookie  = refusal{key: orders, signed: "GET /orders/9", lines: []string{"Cookie: theme=dark"}, sign: []string{"Cookie"}, change: behindBalancer}
)

type keptList struct {
	Requests []struct {
		File, Code, Environment, Mode, Method, Host, Path, Verdict, Cause, Detail, Error string
		Signed                                                                           string `json:"as_signed"`
		Time                                                                             time.Time
		Explained                                                                        bool
	}
	Causes []struct {
		Cause    string
		Requests int
		Detail   string
	}
}

// explainFolder runs explain for the kept requests, as text and as JSON.
func explainFolder(t *testing.T, dir string, code int, args ...string) (*keptList, string) {
	t.Helper()
	args = append([]string{"explain", "-config", "environments.yaml"}, append(args, "refused")...)
	plain, r := cli(t, dir, "", args...), cli(t, dir, "", append(args, "-json")...)
	if plain.code != code || r.code != code || r.err != "" {
		t.Fatalf("exit %d and %d, want %d: %s\n%s", plain.code, r.code, code, r.err, plain.out)
	}
	var x keptList
	if err := json.Unmarshal([]byte(r.out), &x); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	return &x, plain.out
}

// TestFolder_T230: explain lists the kept requests of a folder, the newest first, each with
// the cause that it finds at the time when the request came, and counts the causes. The
// environment is the one that the files name.
func TestFolder_T230(t *testing.T) {
	dir := folder(t)
	keep(t, dir, hostRefusal,
		refusal{key: orders, signed: "GET /v1/orders/7", arrive: "/orders/7"},
		refusal{key: orders, signed: "GET /orders/7", late: 20 * time.Minute},
		refusal{key: orders, signed: "POST /partner/7"},
		refusal{key: withSecret(orders, secrets["RELEASE_SECRET"]), signed: "GET /orders/7"},
		refusal{key: core.Key{ID: "0123456789abcdef", Secret: core.NewSecret("nobody-knows-this-secret")}, signed: "GET /orders/7"},
		hostRefusal, withCookie)
	write(t, filepath.Join(dir, "refused"), "notes.txt", "not a request")

	x, text := explainFolder(t, dir, 2)
	var got []string
	for i, k := range x.Requests {
		got = append(got, k.Code+" "+k.Method+" "+k.Path+" "+k.Cause)
		if want := time.Date(2026, 1, 15, 12, 7-i, 0, 0, time.UTC); !k.Time.Equal(want) || k.Environment != "dev" || k.Mode != "report" {
			t.Errorf("%+v, want the time %v", k, want)
		}
		for _, part := range []string{k.Time.Format(time.RFC3339), k.Code, k.Host, k.Cause, k.File} {
			if !strings.Contains(text, part) {
				t.Errorf("the text does not contain %q:\n%s", part, text)
			}
		}
	}
	want := []string{"signature_mismatch GET /orders/9 none found", "signature_mismatch GET /orders/7 host", "key_unknown GET /orders/7 none found",
		"signature_mismatch GET /orders/7 other_environment", "key_not_bound POST /partner/7 key_binding", "signature_expired GET /orders/7 clock",
		"signature_mismatch GET /orders/7 path_prefix", "signature_mismatch GET /orders/7 host"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if x.Causes[0].Cause != "host" || x.Causes[0].Requests != 2 || !strings.Contains(x.Causes[0].Detail, "rewrite.host") {
		t.Errorf("got causes %+v", x.Causes)
	}
	for _, part := range []string{"\n8 requests, from 2026-01-15T12:00:00Z to 2026-01-15T12:07:00Z\n  2  host for signature_mismatch\n", "20m behind", "  1  none found for key_unknown\n", "--header 'Cookie: value'"} {
		if !strings.Contains(text, part) {
			t.Errorf("the text does not contain %q:\n%s", part, text)
		}
	}

	// With the value that is not in the file, the cause is found: of all, and of one.
	x, _ = explainFolder(t, dir, 2, "-header", "Cookie: theme=dark")
	if x.Requests[0].Cause != "host" || x.Causes[0].Requests != 3 {
		t.Errorf("got %+v", x.Requests[0])
	}
	file := filepath.Join("refused", x.Requests[0].File)
	if r := cli(t, dir, "", "explain", "-config", "environments.yaml", "-header", "Cookie: theme=dark", file); r.code != 1 || !strings.Contains(r.out, "as signed: host api.example.com instead of 10.0.0.7:8080") || strings.Contains(r.out, "theme=dark") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	// Another clock than that of the file.
	x, _ = explainFolder(t, dir, 2, "-at", "2026-01-16T12:00:00Z")
	if last := x.Requests[len(x.Requests)-1]; last.Cause != "host + clock" {
		t.Errorf("got %+v", last)
	}
}

// TestFolderSentences_T230: the texts of a request make sentences, whatever it was refused for.
func TestFolderSentences_T230(t *testing.T) {
	dir := folder(t)
	keep(t, dir, refusal{key: orders, signed: "GET /orders/1", change: func(r *http.Request) { r.Header.Del("Authorization") }},
		refusal{key: orders, signed: "GET /orders/2", change: func(r *http.Request) { r.Header.Set("Authorization", "SDK-HMAC-SHA256 x") }},
		refusal{key: orders, signed: "GET /orders/3", change: func(r *http.Request) { r.Header.Set("X-Sdk-Other", "1") }},
		refusal{key: orders, signed: "GET /orders/4", late: 20 * time.Minute, change: behindBalancer}, stranger)
	x, text := explainFolder(t, dir, 2)
	for _, k := range x.Requests {
		if small := regexp.MustCompile(`\. [a-z]+ `).FindString(k.Detail); k.Detail == "" || small != "" {
			t.Errorf("%s: a sentence starts with %q: %s", k.Code, small, k.Detail)
		}
	}
	if !strings.Contains(text, "If remote is the gateway") {
		t.Errorf("no hint in\n%s", text)
	}
}

// TestFolderExitCodes_T230: the exit code tells accepted, explained and not explained
// requests apart. A folder without kept requests shows nothing.
func TestFolderExitCodes_T230(t *testing.T) {
	dir := folder(t)
	keep(t, dir, hostRefusal)
	explainFolder(t, dir, 1)
	// The file is corrected, as the detail says.
	write(t, dir, "environments.yaml", strings.Replace(environments, "  dev:\n", "  dev:\n    rewrite: {host: api.example.com}\n", 1))
	x, _ := explainFolder(t, dir, 0)
	if k := x.Requests[0]; k.Verdict != "accepted" || k.Cause != "accepted now" || !strings.Contains(k.Detail, "have changed since") {
		t.Errorf("%+v", k)
	}
	write(t, dir, "environments.yaml", environments)

	refused := filepath.Join(dir, "refused")
	damaged := "20260115T130000.000Z-000009-signature_mismatch.http"
	write(t, refused, damaged, "# refused: signature_mismatch in environment dev, mode enforce, at 2026-01-15T13:00:00Z\n\nnonsense")
	x, _ = explainFolder(t, dir, 2)
	if len(x.Requests) != 2 || x.Requests[0].Error == "" && x.Requests[0].Cause != "answered by the server" {
		t.Errorf("%+v", x.Requests)
	}
	os.Remove(filepath.Join(refused, damaged))
	write(t, refused, damaged, "")
	if x, _ = explainFolder(t, dir, 2); x.Requests[0].Cause != "cannot be read" {
		t.Errorf("%+v", x.Requests[0])
	}

	write(t, dir, "canonical.txt", "x")
	for _, args := range [][]string{{"-entry", "1"}, {"-client-canonical", "canonical.txt"}, {"-format", "raw"}} {
		if r := cli(t, dir, "", append(append([]string{"explain", "-config", "environments.yaml"}, args...), "refused")...); r.code != 3 || !strings.Contains(r.err, "folder") {
			t.Errorf("%v: exit %d %s", args, r.code, r.err)
		}
	}
	os.RemoveAll(refused)
	os.Mkdir(refused, 0o700)
	if r := cli(t, dir, "", "explain", "-config", "environments.yaml", "refused"); r.code != 3 || !strings.Contains(r.err, "no kept requests") {
		t.Errorf("exit %d %s", r.code, r.err)
	}
}

// TestKeptRequests_T231: a kept request is explained with the environment and at the time
// that its file states. What the file says besides is compared with the verdict.
func TestKeptRequests_T231(t *testing.T) {
	dir := folder(t)
	keep(t, dir, hostRefusal, refusal{key: orders, signed: "GET /orders/7", late: 20 * time.Minute})
	names, err := capture.Files(filepath.Join(dir, "refused"))
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	text, late := read(t, names[0]), read(t, names[1])
	single := strings.SplitAfter(environments, "  RELEASE:\n")[0]
	write(t, dir, "single.yaml", strings.TrimSuffix(single, "  RELEASE:\n"))
	plain := text[strings.Index(text, "\n\n")+2:]
	asReplayed := strings.ReplaceAll(strings.Replace(text, "Host: 10.0.0.7:8080", "Host: api.example.com", 1), "signature_mismatch", "replayed")
	hint := regexp.MustCompile("# what to do: .*\n")
	withHint, withoutHint := hint.ReplaceAllString(asReplayed, "# what to do: Wait a minute.\n"), hint.ReplaceAllString(asReplayed, "")
	for _, tt := range []struct {
		name, in string
		args     []string
		code     int
		says     []string
		not      []string
	}{
		{"as kept", text, nil, 1, []string{"verifier's clock: 2026-01-15T12:00:00Z", "environment    dev", "host api.example.com instead of"}, []string{"the verifier refused"}},
		{"with line breaks of Windows", strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"), nil, 1, []string{"verifier's clock: 2026-01-15T12:00:00Z"}, nil},
		{"now", text, []string{"-at", "now"}, 1, []string{"clock_skew", "if signed within 15m of "}, []string{"verifier's clock: 2026-01-15T12:00:00Z"}},
		{"late at its own clock", late, nil, 1, []string{"verifier's clock: 2026-01-15T12:01:00Z", "20m behind the verifier's clock", "if signed within 15m of 2026-01-15T12:01:00Z"}, []string{"try: ", "--at", "as signed: "}},
		{"late at another clock", late, []string{"-at", "2026-01-15T11:45:00Z"}, 0, []string{"the clock is another one than when the request was received", "--at"}, []string{"have changed since"}},
		{"another environment", text, []string{"-env", "RELEASE"}, 1, []string{"environment    RELEASE", "of the environment dev"}, nil},
		{"an environment that the file does not have", strings.Replace(text, "environment dev,", "environment gone,", 1), nil, 3, []string{"environment gone, which the file does not have", "--env", "dev, RELEASE"}, nil},
		{"nothing states the environment", plain, nil, 3, []string{"--env is missing", "dev, RELEASE"}, nil},
		{"the only environment", plain, []string{"-config", "single.yaml", "-at", "captured"}, 1, []string{"environment    dev"}, nil},
		{"replayed", withHint, nil, 0, []string{"refused the request with replayed on 2026-01-15T12:00:00Z", ". Wait a minute. That does not follow from the request alone"}, nil},
		{"replayed, without a hint in the file", withoutHint, nil, 0, []string{"does not follow from the request alone", "exempt_methods"}, nil},
		{"another file", strings.Replace(text, "signature_mismatch in", "key_unknown in", 1), nil, 1, []string{"with key_unknown on", "have changed since"}, nil},
		{"a body that is cut", strings.Replace(strings.Replace(text, "\n\n", "\n# The body is cut: these are its first 3 bytes. The verifier read 9.\n\n", 1), "\r\n\r\n", "\r\nContent-Length: 9\r\n\r\na=1", 1), nil, 1,
			[]string{"note: The body is cut", "does not hold all of the request", "raise bodies in the section capture"}, nil},
		{"a body that was not held", strings.ReplaceAll(strings.Replace(text, "\n\n", "\n# The body is not here: the verifier did not hold it.\n\n", 1), "signature_mismatch in", "key_unknown in"), nil, 1,
			[]string{"note: The body is not here", "does not hold all of the request"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := cli(t, dir, tt.in, append([]string{"explain", "-config", "environments.yaml"}, tt.args...)...)
			if r.code != tt.code {
				t.Errorf("exit %d, want %d", r.code, tt.code)
			}
			for _, want := range tt.says {
				if !strings.Contains(r.out+r.err, want) {
					t.Errorf("the output does not contain %q", want)
				}
			}
			for _, bad := range tt.not {
				if strings.Contains(r.out+r.err, bad) {
					t.Errorf("the output contains %q", bad)
				}
			}
			if t.Failed() {
				t.Logf("%s%s", r.out, r.err)
			}
		})
	}
}

// TestWithheldTokens_T231: what a file does not hold is asked for, and is not named as the
// cause.
func TestWithheldTokens_T231(t *testing.T) {
	dir := folder(t)
	const token = "session-token-of-the-test"
	write(t, dir, "environments.yaml", strings.Replace(environments, "service: s1}", "service: s1, session_token: "+token+"}", 1))
	signer := core.Key{Name: "aksk_key", ID: "AKSKTESTAKSKTEST", Secret: core.NewSecret(secrets["ORDERS_SECRET"]), Region: "r1", Service: "s1", SessionToken: core.NewSecret(token)}
	keep(t, dir, refusal{key: signer, signed: "GET /aksk/7", change: behindBalancer})
	x, text := explainFolder(t, dir, 2)
	if k := x.Requests[0]; k.Cause != "none found" || !strings.Contains(k.Detail, "--header 'X-Security-Token: value'") || strings.Contains(text, token) {
		t.Errorf("%+v", k)
	}
	x, text = explainFolder(t, dir, 1, "-header", "X-Security-Token: "+token)
	if k := x.Requests[0]; k.Cause != "host" || strings.Contains(text, token) {
		t.Errorf("%+v", k)
	}
}
