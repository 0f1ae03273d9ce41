package config_test

import (
	"strings"
	"testing"
)

// TestBlankLines_T299: a file of blank lines is refused before the parser, which takes n squared
// steps for n of them, and so is one below a text block.
func TestBlankLines_T299(t *testing.T) {
	for _, text := range []string{
		"a: |\n" + strings.Repeat("\n", 500_000), strings.Repeat(" \t\r\n", 100_000), "environments:\n" + strings.Repeat("\n", 201) + "  dev: {}\n",
	} {
		_, err := loadAll(write(t, t.TempDir(), "f.yaml", text))
		if err == nil || !strings.Contains(err.Error(), "more than 200 blank lines in a row; remove them") {
			t.Errorf("%.20q: got %v", text, err)
		}
	}
}
