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

// TestCheck: a file without findings, with warnings, and with errors.
func TestCheck(t *testing.T) {
	dir := folder(t)
	write(t, dir, "clean.yaml", `environments:
  RELEASE:
    replay: {store: memory, exempt_methods: [GET, HEAD, OPTIONS], retries: {methods: [PUT, DELETE], within: 5s}}
    hosts: [api.example.com]
    keys: [{name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: RELEASE_SECRET}}]
    default: orders_key
`)
	if c := check(t, dir, 0, "clean.yaml"); len(c.Findings) != 0 {
		t.Errorf("clean: %+v", c)
	}
	if c := check(t, dir, 1, "environments.yaml"); c.Warnings != 2 || c.Infos != 11 { // presigned, unsigned; no replay, any host, both twice; seven keys with the secret of another
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
	check(t, dir, 0, "-config", "clean.yaml")
	write(t, dir, "wrong.yaml", strings.Replace(read(t, dir+"/clean.yaml"), "RELEASE:\n", "RELEASE:\n    mode: on\n", 1))
	if r := cli(t, dir, "", "check", "wrong.yaml"); !strings.HasSuffix(r.out, "\n1 error, 0 warnings\n") {
		t.Errorf("got %s%s", r.out, r.err)
	}
	for _, text := range []string{"", "\x00", "a: [", "environments: {}", strings.Repeat("[", 10_000), "environments: &a {b: *a}"} {
		write(t, dir, "broken.yaml", text)
		check(t, dir, 2, "broken.yaml")
		check(t, dir, 2, "-no-secrets", "broken.yaml")
	}
	check(t, dir, 2, "absent.yaml")
	check(t, dir, 2, ".")
}

// TestCheckPatterns_T175: a pattern in the syntax of another router is an error with its
// line and the pattern to write. An open subtree is one warning, also if secrets are
// missing.
func TestCheckPatterns_T175(t *testing.T) {
	dir := folder(t)
	text := func(secret, apis string) string {
		return "environments:\n  RELEASE:\n    hosts: [api.example.com]\n    replay: {store: memory, exempt_methods: [GET, HEAD, OPTIONS], retries: {methods: [PUT, DELETE], within: 5s}}\n    keys: [{name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: " +
			secret + "}]\n    default: orders_key\n    apis:\n" + apis
	}
	write(t, dir, "wrong.yaml", text("{env: RELEASE_SECRET}", "      - {match: /public/*, open: true}\n      - {match: 'GET /orders/:id', key: orders_key}\n"))
	for _, args := range [][]string{{"wrong.yaml"}, {"-no-secrets", "wrong.yaml"}} {
		c := check(t, dir, 2, args...)
		if len(c.Findings) != 2 || c.Findings[0].Line != 8 || !strings.HasSuffix(c.Findings[0].Text, `write "/public/"`) ||
			c.Findings[1].Line != 9 || !strings.HasSuffix(c.Findings[1].Text, `write "GET /orders/{id}"`) {
			t.Errorf("%q: %+v", args, c)
		}
	}
	for name, secret := range map[string]string{"env": "{env: RELEASE_SECRET}", "absent": "{file: absent}"} {
		write(t, dir, name+".yaml", text(secret, "      - {match: /public/, open: true}\n"))
		c := check(t, dir, 1, "-no-secrets", name+".yaml")
		if c.Warnings != 1 || c.Findings[0].Rule != "open-subtree" || c.Findings[0].Line != 8 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	write(t, dir, "literal.yaml", text("{env: RELEASE_SECRET}", "      - {match: '/img*.jpg', open: true}\n"))
	if c := check(t, dir, 1, "literal.yaml"); c.Warnings != 1 || c.Findings[0].Rule != "config" {
		t.Errorf("%+v", c)
	}
}

// TestCheckWithoutSecrets: a pipeline without secrets can check everything else.
func TestCheckWithoutSecrets(t *testing.T) {
	dir := t.TempDir()
	for name := range secrets {
		environments := strings.ReplaceAll(environments, name, "NOT_SET_"+name)
		write(t, dir, "environments.yaml", environments)
		check(t, dir, 2, "environments.yaml")
		check(t, dir, 1, "-no-secrets", "environments.yaml")
	}
	write(t, dir, "files.yaml", strings.Replace(environments, "{env: ORDERS_SECRET}", "{file: /run/secrets/orders}", 1))
	with, without := check(t, dir, 1, "-no-secrets", "environments.yaml"), check(t, dir, 1, "-no-secrets", "files.yaml")
	if len(without.Findings) != len(with.Findings) {
		t.Errorf("got %+v with files, %+v with variables", without, with)
	}
	write(t, dir, "wrong.yaml", strings.Replace(environments, "default: orders_key", "default: nobody", 1))
	check(t, dir, 2, "-no-secrets", "wrong.yaml")
}

// TestReport: the summary of the log of a real service in report mode.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "environments.yaml", strings.Replace(environments, "  dev:\n", "  dev:\n    mode: report\n", 1))
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	file, err := loadFile(filepath.Join(dir, "environments.yaml"))
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
	for i := range 150 { // more than the 100 a second that are logged
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
	for _, want := range []string{"COUNT", "credential_missing", "GET /orders/{}", "key_not_bound", "would have been refused", "too fast", "1 line is neither JSON"} {
		if !strings.Contains(plain.out, want) {
			t.Errorf("the table does not contain %q:\n%s", want, plain.out)
		}
	}
	if r := cli(t, dir, "level=WARN msg=x", "check", "-report", "-"); r.code != 3 {
		t.Errorf("no JSON: exit %d %s", r.code, r.out)
	}
}

// TestNoAllClear_T188: a log without records of verified requests is an error, which says
// what was read and what to do.
func TestNoAllClear_T188(t *testing.T) {
	const (
		started  = `{"time":"2026-01-15T12:00:00Z","level":"WARN","msg":"gatewayauth: requests that are not verified are let through","environment":"dev","mode":"report"}` + "\n"
		accepted = `{"time":"2026-01-15T12:00:01Z","level":"DEBUG","msg":"request verified","environment":"dev","mode":"report","api":"GET /orders/{id}","scheme":"hmac","key":"k","secret":0,"method":"GET","path":"/orders/1","remote":"10.0.0.1:9"}` + "\n"
		open     = `{"time":"2026-01-15T12:00:01Z","level":"DEBUG","msg":"request on an open API","environment":"dev","mode":"report","api":"GET /healthz","method":"GET","path":"/healthz","remote":"10.0.0.1:9"}` + "\n"
		refused  = `{"time":"2026-01-15T12:00:02Z","level":"WARN","msg":"request would be refused","code":"replayed","environment":"dev","mode":"report","method":"GET","path":"/","remote":"10.0.0.1:9"}` + "\n"
	)
	enforced := strings.ReplaceAll(accepted, `"report"`, `"enforce"`)
	for _, tt := range []struct {
		name, log string
		code      int
		says      string
	}{
		{"accepted", started + accepted, 0, ""},
		{"refused", started + accepted + refused, 1, ""},
		{"refused alone", refused, 1, ""},
		{"empty", "", 3, "empty"},
		{"blank", "\n \n\r\n", 3, "empty"},
		{"another service, JSON", `{"msg":"x"}` + "\n", 3, "no record of a verifier in the 1 line (1 in JSON, 0 in key=value, 0 in neither)"},
		{"another service, text", "level=WARN msg=x\n", 3, "(0 in JSON, 1 in key=value, 0 in neither)"},
		{"prose", "hello\nworld\n", 3, "2 in neither"},
		{"gzip", "\x1f\x8b\x08\x00\x00", 3, "zcat"},
		{"UTF-16", "\xff\xfe{\x00", 3, "UTF-16"},
		{"random bytes", "\x00\x01\x02\xfe\xff\n\x80", 3, "no record"},
		{"the start alone", started, 3, "debug"},
		{"an open API alone", started + open, 3, "debug"},
		{"enforce", enforced, 3, "no record is from an environment in report mode"},
		{"off", strings.ReplaceAll(started, `"report"`, `"off"`), 3, "no record is from an environment in report mode"},
		{"enforce and report", started + accepted + strings.ReplaceAll(enforced, `"dev"`, `"live"`), 0, ""},
		{"another environment without requests", started + accepted + strings.ReplaceAll(started, `"dev"`, `"live"`), 3, "(environment live)"},
		{"a cut record", started + accepted + refused[:60] + "\n", 3, "line 3"},
		{"a record without its fields", accepted + `{"m":"request would be refused"}` + "\n", 3, "line 2"},
		{"a code without the rest", accepted + `{"x":"key_not_bound"}` + "\n", 3, "line 2"},
		{"a message that journalctl left out", accepted + `{"_PID":"1","MESSAGE":null}` + "\n", 3, "--all"},
		{"records that were lost", accepted + `{"msg":"gatewayauth: panic in the application's log handler","stack":"x"}` + "\n", 3, "lost"},
		{"a line of 20 MiB", accepted + strings.Repeat("x", 20<<20) + "\n", 3, "longer"},
		{"an invalid count", accepted + strings.Replace(refused, `"method"`, `"suppressed":-4,"method"`, 1), 1, ""},
		{"a summary record without its count", accepted + `{"msg":"requests refused; their records were too many","code":"replayed","environment":"dev","mode":"report"}` + "\n", 3, "line 2"},
	} {
		for _, args := range [][]string{{"check", "-report", "-"}, {"check", "-report", "-", "-json"}} {
			r := cli(t, t.TempDir(), tt.log, args...)
			if r.code != tt.code || !strings.Contains(r.err, tt.says) || (r.err == "") != (tt.code < 3) {
				t.Errorf("%s: exit %d, want %d: %s%s", tt.name, r.code, tt.code, r.err, r.out)
			}
			if all := strings.Contains(r.out, `"all_clear": true`) || strings.Contains(r.out, "\n0 requests would"); all && tt.code != 0 && !strings.Contains(r.out, " of a verifier") {
				t.Errorf("%s: an all-clear: %s", tt.name, r.out)
			}
		}
	}
	r := cli(t, t.TempDir(), started+accepted+open, "check", "-report", "-")
	for _, want := range []string{"3 records of a verifier, from 2026-01-15T12:00:00Z to 2026-01-15T12:00:01Z", "dev", "report", "GET /healthz, GET /orders/{id}",
		"0 requests would have been refused, and 1 was accepted"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the table does not contain %q:\n%s", want, r.out)
		}
	}
}

// TestExplainText_T188: explain reads records in the same formats as check.
func TestExplainText_T188(t *testing.T) {
	dir := folder(t)
	for _, in := range []string{
		`web-1  | time=2026-01-15T12:00:00.000Z level=WARN msg="request would be refused" code=signature_expired error="gatewayauth: signature_expired: it is \"old\"" environment=dev mode=report api="GET /orders/{id}" key_id=071fe2459cf64d75 method=GET path=/ remote=10.0.0.1:9 skew=20m0s` + "\n",
		`{"log":` + fmt.Sprintf("%q", record+"\n") + `,"stream":"stderr"}`,
	} {
		x := runExplain(t, dir, in, 1)
		facts := strings.Join(x.Event.Facts, "\n")
		if x.Event.Code != "signature_expired" || !strings.Contains(facts, "20m behind") || !strings.Contains(facts, "report mode") {
			t.Errorf("%s: %+v", in, x)
		}
	}
}

// TestCheckOddSecrets_T189: check reports secrets that are probably mistakes with the text
// that the service logs, for every way to give a secret, and without the value.
func TestCheckOddSecrets_T189(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("URL", "redis://:$REDIS_PASSWORD@127.0.0.1:1")
	t.Setenv("QUOTED", `"Kv8vLr2nXw4tKp6y"`)
	write(t, dir, "old", "Kv8vLr2nXw4tKp6y \n")
	write(t, dir, "environments.yaml", `environments:
  dev:
    replay: {store: redis, url: {env: URL}}
    keys:
      - name: orders_key
        type: hmac
        key: 071fe2459cf64d75
        secret: ${Kv8vLr2nXw4tKp6y}
        session_token: {env: QUOTED}
        previous: [{secret: {file: old}, until: 2999-01-01T00:00:00Z}]
      - {name: iam_key, type: token, iam_url: "https://<iam>.example.com", user: u, password: "vault:Kv8vLr2nXw4tKp6y", domain: d, project: p}
    default: orders_key
    apis: [{match: /iam/, key: iam_key}]
`)
	file, err := loadFile(filepath.Join(dir, "environments.yaml"))
	var logged string
	if err == nil {
		for _, p := range file.Warnings() {
			logged += p.Rule + "\n"
		}
	} else {
		logged = err.Error()
	}
	r := cli(t, dir, "", "check", "-json", "environments.yaml")
	var c checked
	if err := json.Unmarshal([]byte(r.out), &c); err != nil {
		t.Fatal(err, r.err)
	}
	const env = "environments.dev."
	for field, want := range map[string]string{"replay.url.env": "has a variable in it", "keys[0].secret": "${NAME}", "keys[0].session_token.env": "quotes",
		"keys[0].previous[0].secret.file": "ends with a blank", "keys[1].password": "name:...", "keys[1].iam_url": "<NAME>"} {
		found := false
		for _, f := range c.Findings {
			found = found || f.Field == env+field && strings.Contains(f.Text, want) && strings.Contains(logged, f.Text)
		}
		if !found {
			t.Errorf("%s: neither check nor the service reports %q:\n%s\n%s", field, want, r.out, logged)
		}
	}
	if strings.Contains(r.out+logged, "Kv8vLr2n") || strings.Contains(r.out, "REDIS_PASSWORD") {
		t.Errorf("a value was printed:\n%s", r.out)
	}
}
