package adaptertest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// mutantVariable is the environment variable with the name of the adapter that
// TestConformance tests. If it is not set, that is the correct one.
const mutantVariable = "GATEWAYAUTH_MUTANT"

// Chosen returns the adapter that TestConformance is to test. The adapters are the
// correct one, whose name is "", and mutants of it with one mistake each.
func Chosen[A any](t *testing.T, adapters map[string]A) A {
	t.Helper()
	adapter, ok := adapters[os.Getenv(mutantVariable)]
	if !ok {
		t.Fatalf("there is no adapter %q", os.Getenv(mutantVariable))
	}
	return adapter
}

// TestMutantsTurnConformanceRed runs TestConformance of the package for each mutant, in
// its own process. The cases whose ids red lists must fail.
func TestMutantsTurnConformanceRed(t *testing.T, red map[string][]string) {
	needs.Long(t) // a request that is never answered waits for its deadline
	for name, ids := range red {
		t.Run(name, func(t *testing.T) {
			run := exec.Command(os.Args[0], "-test.run=^TestConformance$/^("+strings.Join(ids, "|")+")_")
			run.Env = append(os.Environ(), mutantVariable+"="+name)
			out, err := run.CombinedOutput()
			if err == nil {
				t.Errorf("TestConformance passes, want it to fail:\n%s", out)
			}
			for _, id := range ids {
				if !strings.Contains(string(out), "--- FAIL: TestConformance/"+id+"_") {
					t.Errorf("case %s passes, want it to fail:\n%s", id, out)
				}
			}
		})
	}
}
