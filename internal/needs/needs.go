// Package needs skips tests, of both modules, if a program that they run is not installed.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program that the test runs. If it is not installed,
// Program calls [Missing].
func Program(t testing.TB, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Missing(t, "program "+program, debianPackage)
		return ""
	}
	return path
}

// Missing skips the test, with a message that names the Debian package to install. With
// GATEWAYAUTH_E2E=1 in the environment, as in CI, it fails the test instead, so that no
// test is skipped unnoticed.
func Missing(t testing.TB, what, debianPackage string) {
	t.Helper()
	const format = "skipped: %s is not installed (Debian package %s)"
	if os.Getenv("GATEWAYAUTH_E2E") == "1" {
		t.Fatalf(format, what, debianPackage)
	}
	t.Skipf(format, what, debianPackage)
}
