package main_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestManualPages_T255: man shows the text of each command's help, with the lines that are
// indented as they are.
func TestManualPages_T255(t *testing.T) {
	man := needs.Program(t, "man", "man-db")
	dir := t.TempDir()
	if r := cli(t, dir, "", "man", "pages"); r.code != 0 || r.err != "" {
		t.Fatalf("exit %d %s%s", r.code, r.out, r.err)
	}
	inWords := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	for _, command := range []string{"", "sign", "explain", "check", "gateway", "guard", "probe", "schema", "version", "man", "completion"} {
		page := filepath.Join(dir, "pages", strings.TrimSuffix("gatewayauth-"+command, "-")+".1")
		c := exec.Command("env", "MANWIDTH=200", "LC_ALL=C", man, "--warnings=w", "--nh", "--nj", "-P", "cat", "-l", page)
		shown := finish(t, c, dir, "")
		help := cli(t, dir, "", append(strings.Fields(command), "--help")...).out
		if shown.code != 0 || shown.err != "" {
			t.Errorf("%s: exit %d %s", page, shown.code, shown.err)
		}
		text, usage, found := strings.Cut(help, "\nUsage:")
		if !found || !strings.Contains(inWords(shown.out), inWords(text)) && command != "completion" {
			t.Errorf("%s: the page lacks the text of the help\n%s\n%s", command, text, shown.out)
		}
		_, examples, _ := strings.Cut(usage, "\nExamples:")
		examples, _, _ = strings.Cut(examples, "\n\n")
		for line := range strings.Lines(text + examples) {
			if strings.HasPrefix(line, "  ") && !strings.Contains(shown.out, strings.TrimSpace(line)) {
				t.Errorf("%s: the page lacks the line %q", command, line)
			}
		}
	}
}
