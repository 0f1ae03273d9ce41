package signing_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// TestMatches compares all short patterns and names with what package regexp says.
func TestMatches(t *testing.T) {
	names := words("ab", 5)
	for _, pattern := range words("ab*", 6) {
		want := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		for _, name := range names {
			if got := signing.Matches(pattern, name); got != want.MatchString(name) {
				t.Fatalf("pattern %q, name %q: got %v", pattern, name, got)
			}
		}
	}
}

// words returns all texts of the letters, up to a length.
func words(letters string, longest int) []string {
	all := []string{""}
	for start := 0; longest > 0; longest-- {
		end := len(all)
		for _, word := range all[start:end] {
			for _, letter := range letters {
				all = append(all, word+string(letter))
			}
		}
		start = end
	}
	return all
}
