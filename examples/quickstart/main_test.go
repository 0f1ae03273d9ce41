package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestQuickstart: every verdict is right. A test of core shows that each check has a row:
// it removes one check after the other.
func TestQuickstart(t *testing.T) {
	output, err := exec.Command("go", "run", ".").CombinedOutput()
	out := string(output)
	if err != nil || strings.Contains(out, "WRONG") || strings.Count(out, "  right\n") < 120 {
		t.Errorf("%v\n%s", err, out)
	}
}
