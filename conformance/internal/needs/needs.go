// Package needs holds the one rule for programs that a machine may lack.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program that the test runs. Without it the
// test is left out, with a message that names the Debian package to install;
// with GATEWAYAUTH_E2E=1 in the environment, as in CI, it fails instead, so
// that nothing is left out unnoticed.
func Program(t testing.TB, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	const format = "left out: there is no program %q here (Debian package %s)"
	if os.Getenv("GATEWAYAUTH_E2E") == "1" {
		t.Fatalf(format, program, debianPackage)
	}
	t.Skipf(format, program, debianPackage)
	return ""
}
