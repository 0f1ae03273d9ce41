package core_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestChecksAreDocumented: the manual and the list of cases name the checks, in their
// order.
func TestChecksAreDocumented(t *testing.T) {
	for file, line := range map[string]string{"doc.go": `(?m)^//   - ([^:\n]+): `, "../docs/cases.md": `(?m)^\| ([^|]+) \| [a-z]+[a-z_, ]+ \| .* \|$`} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(string(text), "# Checks\n")
		if section == "" {
			_, section, _ = strings.Cut(string(text), "# The checks\n")
		}
		section, _, _ = strings.Cut(section, "# ")
		var names []string
		for _, m := range regexp.MustCompile(line).FindAllStringSubmatch(section, -1) {
			if m[1] != "check" { // the head of the table
				names = append(names, m[1])
			}
		}
		if !slices.Equal(names, core.CheckNames) {
			t.Errorf("%s names the checks %q\nthey are %q", file, names, core.CheckNames)
		}
	}
}
