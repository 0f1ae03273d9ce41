// Package needs skips tests, of both modules, if a program that they run is not installed, or
// if they take long. The environment variable GATEWAYAUTH_E2E decides:
//
//	(not set)  tests that take long, and tests whose program is missing, are skipped
//	installed  only tests whose program is missing are skipped
//	1          none is skipped: a missing program fails the test, as in CI
package needs

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

const variable = "GATEWAYAUTH_E2E"

// Long skips a test that takes long, for example because it compiles programs.
func Long(t testing.TB) {
	t.Helper()
	if !WithLong() {
		t.Skip("skipped: takes long; set " + variable + "=1 or " + variable + "=installed to run it")
	}
}

// WithLong reports whether tests that take long run.
func WithLong() bool {
	value := os.Getenv(variable)
	return value == "1" || value == "installed"
}

// Rounds returns long where tests that take long run, and short otherwise. It is for tests that
// repeat something with random values.
func Rounds(short, long int) int {
	if WithLong() {
		return long
	}
	return short
}

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
// test is skipped unnoticed. The package must be one of [Packages], for the same reason.
func Missing(t testing.TB, what, debianPackage string) {
	t.Helper()
	if !slices.ContainsFunc(Packages, func(p Package) bool { return p.Name == debianPackage }) {
		t.Fatalf("%s: add the Debian package %s to needs.Packages", what, debianPackage)
	}
	const format = "skipped: %s is not installed (Debian package %s)"
	if os.Getenv(variable) == "1" {
		t.Fatalf(format, what, debianPackage)
	}
	t.Skipf(format, what, debianPackage)
}

// Package is a Debian package that tests need.
type Package struct {
	Name  string
	Files []string // programs or paths; one of them is enough
}

// Packages are all packages that tests of the two modules need.
var Packages = []Package{
	{"awscli", []string{"aws"}},
	{"bash", []string{"bash"}},
	{"chromium", []string{"chromium"}},
	{"curl", []string{"curl"}},
	{"keystone", []string{"/usr/bin/keystone-manage"}},
	{"libnginx-mod-http-headers-more-filter", []string{"/usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so"}},
	{"libnginx-mod-http-js", []string{"/usr/lib/nginx/modules/ngx_http_js_module.so"}},
	{"man-db", []string{"man"}},
	{"nginx", []string{"nginx", "/usr/sbin/nginx"}},
	{"nodejs", []string{"node"}},
	{"npm", []string{"npm"}},
	{"prometheus", []string{"promtool"}},
	{"python3", []string{"python3"}},
	{"redis-server", []string{"redis-server", "valkey-server"}},
	{"redis-tools", []string{"redis-cli", "valkey-cli"}},
}

// Installed reports whether one of the files is there.
func (p Package) Installed() bool {
	return slices.ContainsFunc(p.Files, func(file string) bool {
		if _, err := os.Stat(file); err == nil && file[0] == '/' {
			return true
		}
		_, err := exec.LookPath(file)
		return err == nil
	})
}
