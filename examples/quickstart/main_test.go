package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestQuickstart: every verdict is right. That each check has a row is shown by core,
// which takes one after the other out.
func TestQuickstart(t *testing.T) {
	output, err := exec.Command("go", "run", ".").CombinedOutput()
	out := string(output)
	if err != nil || strings.Contains(out, "WRONG") || strings.Count(out, "  right\n") < 120 {
		t.Errorf("%v\n%s", err, out)
	}
}
