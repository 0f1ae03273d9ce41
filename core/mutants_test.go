//go:build !race

package core_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestEveryCheckIsTested takes one check after the other out of the verifier: each time
// the request of [TestChecks] for it must be judged otherwise.
func TestEveryCheckIsTested(t *testing.T) {
	if os.Getenv(core.WithoutCheck) != "" {
		return // this is such a run
	}
	for _, name := range core.CheckNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := exec.Command(os.Args[0], "-test.run", "^TestChecks$")
			run.Env = append(os.Environ(), core.WithoutCheck+"="+name)
			out, err := run.CombinedOutput()
			if !regexp.MustCompile(`--- FAIL: TestChecks|panic: `).Match(out) || err == nil {
				t.Errorf("without the check no test fails: %v\n%s", err, out)
			}
		})
	}
}

// TestEveryCheckHasARow takes one check after the other out of the verifier that the
// quickstart runs: each time a row of its table must be wrong.
func TestEveryCheckHasARow(t *testing.T) {
	if os.Getenv(core.WithoutCheck) != "" {
		return
	}
	needs.Long(t)
	path, err := filepath.Abs("verify.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range core.CheckNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := regexp.MustCompile(`(?m)^\t\{` + regexp.QuoteMeta(`"`+name+`"`) + `, \w+\},\n`)
			if n := len(line.FindAllIndex(source, -1)); n != 1 {
				t.Fatalf("the check stands %d times in the list, want once", n)
			}
			function := regexp.MustCompile(`\w+\},\n$`).FindString(line.FindString(string(source)))
			function = strings.TrimSuffix(function, "},\n")
			dir := t.TempDir()
			mutant, overlay := filepath.Join(dir, "verify.go"), filepath.Join(dir, "overlay.json")
			text := line.ReplaceAllString(string(source), "") + "\nvar _ = " + function + "\n"
			if err := os.WriteFile(mutant, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, []byte(`{"Replace": {"`+path+`": "`+mutant+`"}}`), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("go", "run", "-overlay", overlay, "../examples/quickstart", "-all").CombinedOutput()
			// A later check may need what this one has found, and panic: then no table is printed.
			wrong := strings.Contains(string(out), "WRONG") || strings.Contains(string(out), "panic: runtime error")
			if err == nil || !wrong {
				t.Errorf("without the check the program exits with 0 or does not run: %v\n%s", err, out)
			}
		})
	}
}
