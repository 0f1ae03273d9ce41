package adaptertest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// mutantVariable names the adapter that TestConformance runs over: unset, the
// right one.
const mutantVariable = "GATEWAYAUTH_MUTANT"

// Chosen returns the adapter that TestConformance is to run over, of the right
// one, whose name is "", and mutants of it, each wrong in one way.
func Chosen[A any](t *testing.T, adapters map[string]A) A {
	t.Helper()
	adapter, ok := adapters[os.Getenv(mutantVariable)]
	if !ok {
		t.Fatalf("no adapter %q", os.Getenv(mutantVariable))
	}
	return adapter
}

// TestMutantsTurnConformanceRed runs TestConformance of the package over each
// mutant, in a process of its own: the cases whose ids red lists must fail.
func TestMutantsTurnConformanceRed(t *testing.T, red map[string][]string) {
	for name, ids := range red {
		t.Run(name, func(t *testing.T) {
			run := exec.Command(os.Args[0], "-test.run=^TestConformance$/^("+strings.Join(ids, "|")+")_")
			run.Env = append(os.Environ(), mutantVariable+"="+name)
			out, err := run.CombinedOutput()
			if err == nil {
				t.Errorf("the suite stays green:\n%s", out)
			}
			for _, id := range ids {
				if !strings.Contains(string(out), "--- FAIL: TestConformance/"+id+"_") {
					t.Errorf("%s stays green:\n%s", id, out)
				}
			}
		})
	}
}
