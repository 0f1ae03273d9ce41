package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

const runbook = "../../docs/runbook.md"

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// runbookFaults compares the rules with the sections of the runbook.
func runbookFaults(rules, text string) (faults []string) {
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(rules), &file); err != nil {
		return []string{err.Error()}
	}
	sections := map[string]string{}
	for _, section := range strings.Split(text, "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if want := "https://github.com/gatewayauth/gatewayauth/blob/main/docs/runbook.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook_url"] != want {
				faults = append(faults, rule.Alert+": runbook_url is not "+want)
			}
			section, found := sections[rule.Alert]
			delete(sections, rule.Alert)
			if !found {
				faults = append(faults, rule.Alert+": the runbook has no section")
				continue
			}
			for _, part := range []string{"\n**Means:** ", "\n**Callers", "\n**Look first** ", "\n    ", "\n**Change:**", "\n**Over** "} {
				before, rest, found := strings.Cut("\n"+section, part)
				if section = rest; !found {
					faults = append(faults, rule.Alert+": the section has no "+strings.TrimSpace(part)+" behind "+before)
					break
				}
			}
		}
	}
	for title := range sections {
		faults = append(faults, title+": no alert has this name")
	}
	slices.Sort(faults)
	return faults
}

// TestRunbook_T262: each alert has a section of the runbook, which its runbook_url names, and each
// section is that of an alert.
func TestRunbook_T262(t *testing.T) {
	rules, text := readFile(t, "rules.yaml"), readFile(t, runbook)
	for _, fault := range runbookFaults(rules, text) {
		t.Error(fault)
	}
	for what, changed := range map[string][2]string{
		"GatewayAuthOther: the runbook has no section":     {strings.Replace(rules, "alert: GatewayAuthRefusals", "alert: GatewayAuthOther", 1), text},
		"GatewayAuthOther: no alert has this name":         {rules, text + "\n## GatewayAuthOther\n"},
		"GatewayAuthRefusals: runbook_url is not https:":   {strings.Replace(rules, "#gatewayauthrefusals", "#refusals", 1), text},
		"GatewayAuthRefusals: the section has no **Over**": {rules, strings.Replace(text, "**Over** when the alert ends, and", "Over when", 1)},
	} {
		if found := runbookFaults(changed[0], changed[1]); !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, what) }) {
			t.Errorf("%s: found %q", what, found)
		}
	}
}

// operated is a verifier of a file, its log and its page of metrics, after one request of each kind
// that the runbook looks for, and a change of the file that cannot be loaded.
func operated(t *testing.T) (file, log, metrics string) {
	t.Helper()
	dir := t.TempDir()
	file, log = filepath.Join(dir, "environments.yaml"), filepath.Join(dir, "service.log")
	const policy = `environments:
  RELEASE:
    mode: enforce
    replay: {store: memory, max_entries: 1}
    keys:
      - name: orders_key
        type: hmac
        key: 071fe2459cf64d75
        secret: new-0123456789abcdef
        previous: [{secret: old-0123456789abcdef, until: 2099-01-01T00:00:00Z}]
    apis: [{match: GET /healthz, open: true}]
    default: orders_key
`
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	v, service, operator := guarded(t, file, "RELEASE", slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	response, err := http.Get("http://" + service + "/healthz")
	if err != nil || response.StatusCode != http.StatusBadGateway {
		t.Fatal(response, err)
	}
	response.Body.Close()
	request := func(secret string, age time.Duration) *http.Request {
		r := httptest.NewRequest("GET", "/orders/7", nil)
		key := core.Key{ID: "071fe2459cf64d75", Secret: core.NewSecret(secret)}
		return testkit.Sign(apig.NewSigner(key, apig.SignOptions{}), r, "", time.Now().Add(-age))
	}
	for _, tt := range []struct {
		r    *http.Request
		want core.Code
	}{
		{httptest.NewRequest("GET", "/orders/7", nil), core.CodeCredentialMissing},
		{request("other-0123456789abcdef", 0), core.CodeSignatureMismatch},
		{request("new-0123456789abcdef", time.Hour), core.CodeSignatureExpired},
		{request("old-0123456789abcdef", 2*time.Second), ""},
		{request("new-0123456789abcdef", 0), core.CodeUnavailable}, // the store is full
	} {
		if _, err := v.Verify(tt.r); core.CodeOf(err) != tt.want {
			t.Fatalf("got %v, want %q", err, tt.want)
		}
	}
	if err := os.WriteFile(file, []byte(policy+"    defaults: orders_key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(readFile(t, log), "environments file not loaded"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the file was not loaded again:\n%s", readFile(t, log))
		}
	}
	return file, log, "http://" + operator + "/metrics"
}

// TestRunbookCommands_T262: the commands of the runbook find what they look for.
func TestRunbookCommands_T262(t *testing.T) {
	needs.Long(t) // waits for Prometheus to scrape under load
	bash := needs.Program(t, "bash", "bash")
	needs.Program(t, "curl", "curl")
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, "../../cmd/gatewayauth").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file, log, metrics := operated(t)
	elsewhere := regexp.MustCompile(`^(METRICS|LOG|FILE)=|^(timedatectl|chronyc|redis-cli|df) |https://`)
	page, ran := fetch(t, metrics), 0
	text := readFile(t, runbook)
	for _, m := range regexp.MustCompile(`(?m)^    (\S.*)$`).FindAllStringSubmatch(text, -1) {
		if elsewhere.MatchString(m[1]) {
			continue
		}
		ran++
		cmd := exec.Command(bash, "-c", m[1])
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "METRICS="+metrics, "LOG="+log, "FILE="+file, "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		exit, _ := errors.AsType[*exec.ExitError](err)
		if len(out) == 0 || strings.Contains(string(out), "command not found") || strings.Contains(string(out), "unknown flag") ||
			(exit != nil && !strings.HasPrefix(m[1], "gatewayauth ")) {
			t.Errorf("%s\n%v: %s", m[1], err, out)
		}
	}
	for _, name := range regexp.MustCompile(`\bgatewayauth_[a-z_]+`).FindAllString(text, -1) {
		if !strings.Contains(page, "# TYPE "+name+" ") {
			t.Errorf("there is no metric %s", name)
		}
	}
	if ran < 15 {
		t.Errorf("only %d commands ran", ran)
	}
}
