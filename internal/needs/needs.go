// Package needs holds the one rule for programs that a machine may lack, for the
// tests of both modules.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program that the test runs. Without it, see
// [Missing].
func Program(t testing.TB, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Missing(t, "program "+program, debianPackage)
		return ""
	}
	return path
}

// Missing leaves the test out, with a message that names the Debian package to
// install; with GATEWAYAUTH_E2E=1 in the environment, as in CI, it fails instead,
// so that nothing is left out unnoticed.
func Missing(t testing.TB, what, debianPackage string) {
	t.Helper()
	const format = "left out: there is no %s here (Debian package %s)"
	if os.Getenv("GATEWAYAUTH_E2E") == "1" {
		t.Fatalf(format, what, debianPackage)
	}
	t.Skipf(format, what, debianPackage)
}
