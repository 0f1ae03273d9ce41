package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

type checked struct {
	Findings []struct {
		Severity, Rule, File, Field, Text string
		Line                              int
	}
	Errors, Warnings, Infos int
}

func check(t *testing.T, dir string, code int, args ...string) *checked {
	t.Helper()
	plain := cli(t, dir, "", append([]string{"check"}, args...)...)
	r := cli(t, dir, "", append([]string{"check", "-json"}, args...)...)
	if r.code != code || plain.code != code || r.err != "" {
		t.Fatalf("exit %d and %d, want %d\n%s%s", plain.code, r.code, code, plain.out, r.err)
	}
	var c checked
	if err := json.Unmarshal([]byte(r.out), &c); err != nil {
		t.Fatalf("%v\n%s", err, r.out)
	}
	if n := strings.Count(plain.out, "\n"); n != len(c.Findings)+1 {
		t.Errorf("%d lines for %d findings:\n%s", n, len(c.Findings), plain.out)
	}
	return &c
}

// TestCheck: clean, with warnings, and with errors.
func TestCheck(t *testing.T) {
	dir := folder(t)
	write(t, dir, "clean.yaml", `environments:
  RELEASE:
    replay: {store: memory}
    keys: [{name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: RELEASE_SECRET}}]
    default: orders_key
`)
	if c := check(t, dir, 0, "clean.yaml"); len(c.Findings) != 0 {
		t.Errorf("clean: %+v", c)
	}
	if c := check(t, dir, 1, "environments.yaml"); c.Warnings != 2 || c.Infos != 2 { // presigned, unsigned; no replay, twice
		t.Errorf("%+v", c)
	}
	write(t, dir, "wrong.yaml", "environments:\n  dev:\n    mode: on\n    keys:\n      - {name: a, type: hmac, key: b, secret: {env: NOT_SET}}\n    default: c\n")
	c := check(t, dir, 2, "wrong.yaml")
	lines := map[int]bool{}
	for _, f := range c.Findings {
		lines[f.Line] = f.Severity == "error"
	}
	if c.Errors != 3 || !lines[3] || !lines[5] || !lines[6] {
		t.Errorf("%+v", c)
	}
	for _, text := range []string{"", "\x00", "a: [", "environments: {}", strings.Repeat("[", 10_000), "environments: &a {b: *a}"} {
		write(t, dir, "broken.yaml", text)
		check(t, dir, 2, "broken.yaml")
		check(t, dir, 2, "-no-secrets", "broken.yaml")
	}
	check(t, dir, 2, "absent.yaml")
	check(t, dir, 2, ".")
}

// TestCheckWithoutSecrets: what a pipeline can check, which has no secrets.
func TestCheckWithoutSecrets(t *testing.T) {
	dir := t.TempDir()
	for name := range secrets {
		environments := strings.ReplaceAll(environments, name, "NOT_SET_"+name)
		write(t, dir, "environments.yaml", environments)
		check(t, dir, 2, "environments.yaml")
		check(t, dir, 1, "-no-secrets", "environments.yaml")
	}
	write(t, dir, "files.yaml", strings.Replace(environments, "{env: ORDERS_SECRET}", "{file: /run/secrets/orders}", 1))
	c := check(t, dir, 1, "-no-secrets", "files.yaml")
	if last := c.Findings[len(c.Findings)-1]; last.Rule != "partly" {
		t.Errorf("%+v", last)
	}
	write(t, dir, "wrong.yaml", strings.Replace(environments, "default: orders_key", "default: nobody", 1))
	check(t, dir, 2, "-no-secrets", "wrong.yaml")
}

// TestReport: the log of a real service in report mode, summed up.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(environments, "  dev:\n", "  dev:\n    mode: report\n", 1))
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	file, err := config.Load(filepath.Join(dir, "environments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "service.log"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(log, `{"time":"2020-01-01T00:00:00Z","level":"INFO","msg":"something else"}`)
	fmt.Fprintln(log, "this is no JSON")
	v, err := file.Verifier("dev", config.WithLogger(slog.New(slog.NewJSONHandler(log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })))
	defer server.Close()
	for i := range 150 { // over the 100 a second that are logged
		r, err := http.NewRequest("GET", fmt.Sprintf("%s/orders/%d", server.URL, i), nil)
		if status, _, _ := ask(t, r, err); status != 200 {
			t.Fatalf("got %d in report mode", status)
		}
	}
	if r := cli(t, dir, "", "sign", "-config", "environments.yaml", "-env", "dev", "-key", "orders_key", "-send", server.URL+"/partner/1"); r.code != 0 {
		t.Fatal(r.err)
	}
	fmt.Fprintln(log, `{"time":"2099-01-01T00:00:00Z","level":"WARN","msg":"requests refused; their records were too many","code":"credential_missing","environment":"dev","mode":"report","suppressed":7}`)
	log.Close()

	plain := cli(t, dir, "", "check", "-report", "service.log")
	r := cli(t, dir, "", "check", "-report", "service.log", "-json")
	if r.code != 1 || plain.code != 1 {
		t.Fatalf("exit %d, %d %s", r.code, plain.code, r.err)
	}
	var sum struct {
		Groups []struct {
			API, Code string
			Count     int
			Keys      []string
			Examples  []struct{ Path string }
		}
		WouldRefuse int `json:"would_refuse"`
		Suppressed  map[string]int
		Unreadable  int
		Other       int
	}
	if err := json.Unmarshal([]byte(r.out), &sum); err != nil {
		t.Fatal(err)
	}
	if sum.Unreadable != 1 || sum.Suppressed["credential_missing"] < 7 || len(sum.Groups) != 2 {
		t.Fatalf("%s", r.out)
	}
	first, second := sum.Groups[0], sum.Groups[1]
	if first.API != "GET /orders/{}" || first.Code != "credential_missing" || first.Count < 100 || len(first.Examples) != 3 {
		t.Errorf("%+v", first)
	}
	if second.API != "/partner/" || second.Code != "key_not_bound" || second.Count != 1 || len(second.Keys) != 1 {
		t.Errorf("%+v", second)
	}
	for _, want := range []string{"COUNT", "credential_missing", "GET /orders/{}", "key_not_bound", "would have been refused", "too fast", "1 lines are no JSON"} {
		if !strings.Contains(plain.out, want) {
			t.Errorf("the table does not say %q:\n%s", want, plain.out)
		}
	}
	if r := cli(t, dir, `{"msg":"x"}`, "check", "-report", "-"); r.code != 0 || !strings.Contains(r.out, "0 requests") {
		t.Errorf("nothing to report: exit %d %s", r.code, r.out)
	}
	if r := cli(t, dir, "level=WARN msg=x", "check", "-report", "-"); r.code != 3 {
		t.Errorf("no JSON: exit %d %s", r.code, r.out)
	}
}
