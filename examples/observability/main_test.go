package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

func signed(key core.Key) *http.Request {
	r := httptest.NewRequest("GET", "/orders/7", nil)
	return testkit.Sign(apig.NewSigner(key, apig.SignOptions{}), r, "", time.Now().Add(-5*time.Second))
}

// operate serves the operator's pages of a verifier that has accepted and refused requests.
func operate(t *testing.T) *httptest.Server {
	t.Helper()
	observer, metrics, err := newMetrics()
	if err != nil {
		t.Fatal(err)
	}
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	old := core.Key{ID: "AKTESTAKTEST0001", Secret: core.NewSecret("old-0123456789abcdef")}
	key := core.Key{Name: "k1", ID: old.ID, Secret: core.NewSecret("new-0123456789abcdef"),
		Previous: []core.PreviousSecret{{Secret: old.Secret, Until: time.Now().Add(time.Hour)}}}
	v := testkit.New(t, core.Config{Environment: "RELEASE", Default: "k1", Observers: []core.Observer{observer},
		Schemes: []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Replay:  core.Replay{Store: store}})
	if _, err := observer.Register(v); err != nil {
		t.Fatal(err)
	}
	observer.Reloaded("RELEASE", nil)
	observer.Reloaded("RELEASE", errors.New("bad"))
	for _, k := range []core.Key{key, old} {
		if _, err := v.Verify(signed(k)); err != nil {
			t.Fatal(err)
		}
	}
	v.Verify(httptest.NewRequest("GET", "/", nil))
	server := httptest.NewServer(operations(v, metrics))
	t.Cleanup(server.Close)
	return server
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(body)
}

// TestMetricNames: the metrics in the rules, the dashboard and the README exist, and the
// README has all metrics.
func TestMetricNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	environment(t, file, "RELEASE", "enforce", 10)
	_, _, operator := guarded(t, file, "RELEASE", slog.New(slog.DiscardHandler))
	text := fetch(t, operate(t).URL+"/metrics") + fetch(t, "http://"+operator+"/metrics")
	exported, families := map[string]bool{}, map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			families[strings.Fields(name)[0]] = true
		} else if name := regexp.MustCompile(`^\w+`).FindString(line); name != "" {
			exported[name] = true
		}
	}
	if len(families) < 10 || strings.Contains(text, "0123456789abcdef") {
		t.Fatalf("scraped:\n%s", text)
	}
	maps.Copy(exported, families)
	metric := regexp.MustCompile(`\bgatewayauth_[a-z_]+`)
	for file, least := range map[string]int{"rules.yaml": 10, "rules_test.yaml": 10, "dashboard.json": 14, "README.md": 14} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for _, name := range metric.FindAllString(string(source), -1) {
			if named[name] = true; !exported[name] {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
		if len(named) < least {
			t.Errorf("%s names only %d metrics", file, len(named))
		}
		for name := range families {
			if file == "README.md" && strings.HasPrefix(name, "gatewayauth_") && !named[name] {
				t.Errorf("%s does not name %s", file, name)
			}
		}
	}
	for _, expr := range expressions(t) {
		if !metric.MatchString(expr) {
			t.Errorf("dashboard.json: %s has no data", expr)
		}
	}
}

// expressions returns the expressions of the dashboard.
func expressions(t *testing.T) (all []string) {
	t.Helper()
	_, d := readDashboard(t)
	for _, panel := range d.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("dashboard.json: the panel %s has no expression", panel.Title)
		}
		for _, target := range panel.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

// TestStatusPage: the page shows which secrets are in use, but not the secrets.
func TestStatusPage(t *testing.T) {
	page := fetch(t, operate(t).URL+"/status")
	for _, want := range []string{`(?m)^k1 +current +1 +2\S+Z +-$`, `(?m)^k1 +previous 1 +1 +2\S+Z +2\S+Z$`, `(?m)^"" +credential_missing +1 +0$`} {
		if !regexp.MustCompile(want).MatchString(page) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if strings.Contains(page, "0123456789abcdef") {
		t.Error("the page contains a secret")
	}
}

// TestAlertRules checks and tests the rules with promtool.
func TestAlertRules(t *testing.T) {
	promtool := needs.Program(t, "promtool", "prometheus")
	// The dashboard's expressions, as rules.
	panels := "groups:\n- name: dashboard\n  rules:\n"
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$environment", ".*")
	for i, expr := range expressions(t) {
		panels += fmt.Sprintf("  - {record: panel_%d, expr: %q}\n", i, variables.Replace(expr))
	}
	file := filepath.Join(t.TempDir(), "panels.yaml")
	if err := os.WriteFile(file, []byte(panels), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "rules", "rules.yaml", file}, {"test", "rules", "rules_test.yaml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	rules, err := os.ReadFile("rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		if !strings.Contains(string(tests), "alertname: "+alert[1]+"\n") {
			t.Errorf("rules_test.yaml never fires the alert %s", alert[1])
		}
	}
}

// TestRun: the program runs as described in the README.
func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environments.yaml")
	const policy = "environments: {RELEASE: {keys: [{name: k1, type: hmac, key: AKTESTAKTEST0001, secret: new-0123456789abcdef}], default: k1}}"
	write(t, file, policy)
	service, operator := serveFile(t, file, "RELEASE")
	for url, want := range map[string]int{"http://" + service + "/": http.StatusUnauthorized, "http://" + operator + "/status": http.StatusOK} {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("%s: got %s, want %d", url, response.Status, want)
		}
	}
}
