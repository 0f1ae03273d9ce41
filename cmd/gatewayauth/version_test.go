package main_test

import (
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestVersion_T253: the command prints what `go version -m` finds in the program.
func TestVersion_T253(t *testing.T) {
	dir := t.TempDir()
	out, err := exec.Command("go", "version", "-m", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	find := func(pattern string) string {
		if found := regexp.MustCompile(pattern).FindSubmatch(out); found != nil {
			return string(found[1])
		}
		return "unknown"
	}
	commit := find(`\tvcs\.revision=(\S+)`)
	if commit != "unknown" {
		commit += " " + find(`\tvcs\.time=(\S+)`)
		if find(`\tvcs\.modified=(\S+)`) == "true" {
			commit += ", modified"
		}
	}
	want := "gatewayauth " + find(`\tmod\tgithub\.com/gatewayauth/gatewayauth\t(\S+)`) + "\ncommit      " + commit +
		"\ngo          " + find(`: go(.*)`) + "\nplatform    " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	for _, args := range []string{"version", "--version", "-version"} {
		if r := cli(t, dir, "", args); r.code != 0 || r.out != want || r.err != "" {
			t.Errorf("%s: exit %d\n%s%s\nwant\n%s", args, r.code, r.out, r.err, want)
		}
	}
	if help := cli(t, dir, "", "--help").out; !strings.Contains(help, "\n  version ") || !strings.Contains(help, "\n  completion ") || !strings.Contains(help, "--version") {
		t.Errorf("the help does not name them:\n%s", help)
	}
}
