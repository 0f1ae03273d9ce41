package needs_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// outcome is a testing.TB that records how the test ended.
type outcome struct {
	testing.TB
	how string
}

func (o *outcome) Helper() {}

func (o *outcome) end(how string) {
	if o.how == "" { // a real one does not return
		o.how = how
	}
}

func (o *outcome) Fatalf(string, ...any) { o.end("failed") }
func (o *outcome) Skipf(string, ...any)  { o.end("left out") }
func (o *outcome) Skip(...any)           { o.end("left out") }

func TestProgram(t *testing.T) {
	for _, tt := range []struct{ name, program, debian, e2e, want string }{
		{"present", "go", "curl", "1", ""},
		{"absent", "no-such-program", "curl", "", "left out"},
		{"absent in CI", "no-such-program", "curl", "1", "failed"},
		{"absent, long tests run", "no-such-program", "curl", "installed", "left out"},
		{"absent, of an unknown package", "no-such-program", "no-such-package", "", "failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GATEWAYAUTH_E2E", tt.e2e)
			o := &outcome{TB: t}
			path := needs.Program(o, tt.program, tt.debian)
			if o.how != tt.want || (path != "") != (tt.want == "") {
				t.Errorf("got outcome %q and path %q, want outcome %q", o.how, path, tt.want)
			}
		})
	}
}

func TestLong(t *testing.T) {
	for value, want := range map[string]string{"": "left out", "0": "left out", "1": "", "installed": ""} {
		t.Setenv("GATEWAYAUTH_E2E", value)
		o := &outcome{TB: t}
		if needs.Long(o); o.how != want {
			t.Errorf("GATEWAYAUTH_E2E=%s: got outcome %q, want %q", value, o.how, want)
		}
		if got := needs.Rounds(1, 2) == 2; got != (want == "") {
			t.Errorf("GATEWAYAUTH_E2E=%s: the long run %v", value, got)
		}
	}
}

func TestInstalled(t *testing.T) {
	for _, tt := range []struct {
		files []string
		want  bool
	}{
		{[]string{"no-such-program", "go"}, true},
		{[]string{"no-such-program"}, false},
		{[]string{"needs.go"}, false}, // a file of this folder is no program
		{[]string{"/no/such/file"}, false},
		{[]string{os.DevNull}, true},
	} {
		if got := (needs.Package{Files: tt.files}).Installed(); got != tt.want {
			t.Errorf("%q: got %v", tt.files, got)
		}
	}
}

// TestPackagesOfCI: what CI installs is reported where it is missing.
func TestPackagesOfCI(t *testing.T) {
	script, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^packages=\((.*)\)$`).FindSubmatch(script)
	if list == nil {
		t.Fatal("no list of packages in .ci/run")
	}
	for _, name := range strings.Fields(string(list[1])) {
		if !slices.ContainsFunc(needs.Packages, func(p needs.Package) bool { return p.Name == name }) {
			t.Errorf("needs.Packages has no %s", name)
		}
	}
}
