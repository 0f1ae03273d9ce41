//go:build !race

package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// withoutCheck is a variable of the environment: the backend that the tests build runs
// without the check that it names, as core's tests do.
const withoutCheck = "GATEWAYAUTH_TEST_WITHOUT_CHECK"

// buildBackend builds examples/backend with core's withoutcheck_test.go in it, once for
// all tests.
var buildBackend = sync.OnceValues(func() (program string, err error) {
	core, err := filepath.Abs("../../core")
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(core, "withoutcheck.go"): filepath.Join(core, "withoutcheck_test.go")}})
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(binary)
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "backend")
	out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "../../examples/backend").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return program, err
})

// startBackend starts a backend, and returns the address of each adapter and what ends it.
func startBackend(t *testing.T, dir, without string) (addresses map[string]string, stop func()) {
	t.Helper()
	program, err := buildBackend()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-config", "environments.yaml", "-env", "dev"}
	for _, adapter := range []string{"nethttp", "echo", "gin", "grpc"} {
		args = append(args, "-"+adapter, "127.0.0.1:0")
	}
	c := exec.Command(program, args...)
	c.Dir, c.Env = dir, append(environment(), withoutCheck+"="+without)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		c.Process.Kill()
		c.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		stop()
		t.Fatalf("the backend is not ready: %v: %q", err, line)
	}
	addresses = map[string]string{}
	for _, field := range strings.Fields(line)[1:] {
		name, address, _ := strings.Cut(field, "=")
		addresses[name] = address
	}
	return addresses, stop
}

// TestProbeBackend_T210: the probe finds each adapter protected, with every type of key.
func TestProbeBackend_T210(t *testing.T) {
	needs.Long(t) // builds the backend, and probes it with each type of key
	dir := t.TempDir()
	write(t, dir, "environments.yaml", probed)
	addresses, stop := startBackend(t, dir, "")
	defer stop()
	const noQuery, noOther = "credential in the URL", "other environment"
	unsigned := []string{"old date", "future date", "changed date", "two dates", "other method", "other path", "other query", "other host",
		"other body", "other digest", "unsigned body", "other header", "missing header"}
	for _, tt := range []struct {
		adapter, path string
		args          string
		notSent       []string
		allowed       []string
	}{
		{"nethttp", "/orders/7", "", nil, nil},
		{"nethttp", "/orders/?a=1&b=%2B", "", nil, nil},
		{"nethttp", "", "", []string{"respelled path"}, nil},
		{"nethttp", "/orders/7", "-d a=1", nil, nil},
		{"nethttp", "/orders/7", "-X HEAD", nil, nil},
		{"nethttp", "/payments/7", "", nil, nil},
		{"nethttp", "/temporary/7", "", []string{noOther}, nil},
		{"nethttp", "/aksk/7", "", []string{noOther}, nil},
		{"nethttp", "/v11/7", "", []string{noOther, noQuery}, nil},
		{"nethttp", "/ecdsa/7", "", []string{noOther, noQuery}, nil},
		{"nethttp", "/sm3/7", "", []string{noOther, noQuery}, nil},
		{"nethttp", "/sm2/7", "", []string{noOther, noQuery}, nil},
		{"nethttp", "/sigv4/7", "", []string{noOther}, nil},
		{"nethttp", "/s3/7", "", []string{noOther}, nil},
		{"nethttp", "/sigv4a/7", "", []string{noOther}, nil},
		{"nethttp", "/aes/7", "", []string{noOther, noQuery}, nil},
		{"nethttp", "/partner/7", "", slices.Concat([]string{noOther}, unsigned, []string{noQuery}),
			[]string{"replay", "respelled path", "lookalike header", "added x-sdk-*"}},
		{"nethttp", "/streams/7", "", nil, nil},
		{"echo", "/orders/7", "", nil, nil},
		{"gin", "/orders/7", "", nil, nil},
		{"grpc", "", "", []string{"respelled path", "respelled query", noQuery, "oversized body"}, nil},
		{"grpc", "/grpc.health.v1.Health/Check", "", []string{"respelled path", "respelled query", noQuery, "oversized body"}, nil},
	} {
		scheme := "http://"
		if tt.adapter == "grpc" {
			scheme = "grpc://"
		}
		t.Run(tt.adapter+tt.path+tt.args, func(t *testing.T) {
			r := probeJSON(t, dir, 0, append(strings.Fields(tt.args), "-oversized", scheme+addresses[tt.adapter]+tt.path)...)
			got := [][]string{r.with("accepted"), r.with("allowed"), r.with("not sent"), r.with("unclear")}
			want := [][]string{{"honest"}, tt.allowed, tt.notSent, nil}
			if !slices.EqualFunc(got, want, slices.Equal) || r.Verdict != "protected" || len(r.Requests) < 31 {
				t.Errorf("%d requests; got %q, want %q; %s: %s", len(r.Requests), got, want, r.Verdict, r.Reason)
			}
		})
	}
}

// TestProbeMutants_T212 takes one check after the other out of the backend: the probe finds
// each that can be seen from outside.
func TestProbeMutants_T212(t *testing.T) {
	needs.Long(t)                  // builds the backend
	unknown := []string{"unknown"} // the honest request is refused
	replayed := strings.Replace(probed, "    replay: {store: memory}\n", "", 1)
	mutants := map[string]struct {
		path, file string
		args       []string
		gotIn      []string
		unseen     string // why the probe cannot find it
	}{
		"target":         {gotIn: []string{"respelled query"}},
		"binding":        {gotIn: unknown},
		"open API":       {unseen: "open APIs accept every request; only for a header that overrides the method it makes a difference"},
		"headers":        {gotIn: []string{"two credentials", "lookalike header", "lookalike date", "added x-sdk-*", "method override"}},
		"credential":     {gotIn: unknown},
		"signed headers": {gotIn: unknown},
		"lookalikes":     {gotIn: []string{"lookalike header"}},
		"announced size": {args: []string{"-oversized"}, gotIn: []string{"oversized body"}},
		"key":            {gotIn: unknown},
		"scope":          {path: "/aksk/7", gotIn: []string{"other region"}},
		"date":           {gotIn: []string{"old date", "future date"}},
		"coverage":       {gotIn: []string{"added x-sdk-*", "method override"}},
		"session token":  {path: "/temporary/7", gotIn: []string{"no session token"}},
		"payload":        {gotIn: unknown},
		"signature": {file: replayed, gotIn: []string{"wrong secret", "other environment", "changed date", "other method",
			"other path", "other query", "other host", "other body", "other header"}},
		"key bound to the API": {gotIn: []string{"other key"}},
		"host":                 {gotIn: []string{"other service"}},
		"route":                {unseen: "only Echo's routes are concerned, whose last parameter matches several segments"},
		"body":                 {unseen: "the body that the handler reads is compared with the digest as well"},
		"date after the body":  {unseen: "it needs a body that takes as long as clock_skew"},
		"replay":               {gotIn: []string{"replay"}},
	}
	source, err := os.ReadFile("../../core/verify.go")
	if err != nil {
		t.Fatal(err)
	}
	checks := regexp.MustCompile(`(?m)^\t\{"([^"]+)", \w+\},$`).FindAllStringSubmatch(string(source), -1)
	if len(checks) != len(mutants) {
		t.Errorf("there are %d checks, and %d in this test", len(checks), len(mutants))
	}
	for _, check := range checks {
		m, known := mutants[check[1]]
		t.Run(check[1], func(t *testing.T) {
			if !known {
				t.Fatal("the check is not in this test")
			}
			dir := t.TempDir()
			if m.file == "" {
				m.file = probed
			}
			write(t, dir, "environments.yaml", m.file)
			addresses, stop := startBackend(t, dir, check[1])
			defer stop()
			if m.path == "" {
				m.path = "/orders/7"
			}
			code := 1
			switch {
			case m.unseen != "":
				code = 0
			case slices.Equal(m.gotIn, unknown):
				code = 2
			}
			r := probeJSON(t, dir, code, append(m.args, "http://"+addresses["nethttp"]+m.path)...)
			got := unknown
			if code < 2 {
				got = r.with("accepted")[1:]
			}
			if !slices.Equal(got, m.gotIn) {
				t.Errorf("%q got in, want %q (%s)", got, m.gotIn, r.Reason)
			}
		})
	}
}
