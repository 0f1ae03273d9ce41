//go:build !race

package config_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// The race detector multiplies time and memory, so this file is excluded with it.

// TestBounds loads files of up to 1 MiB that are made to keep a YAML parser, or
// what comes behind it, busy for minutes or to fill the memory.
func TestBounds(t *testing.T) {
	needs.Long(t)
	const size = 1<<20 - 200
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	each := func(n int, format string) string {
		var b strings.Builder
		for i := 0; i < n && b.Len() < size; i++ {
			b.WriteString(strings.NewReplacer("#0", fmt.Sprint(i), "#1", fmt.Sprint(i+1)).Replace(format))
		}
		return b.String()
	}
	for _, tt := range []struct{ name, file, want string }{
		{"open brackets", fill("["), "nested more than"},
		{"nested mappings", strings.Repeat("{a: ", size/5) + "1" + strings.Repeat("}", size/5), "nested more than"},
		{"nested lists", fill("- "), "nested more than"},
		{"nested blocks", func() string {
			var b strings.Builder
			for i := 0; b.Len() < size-2000; i++ {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(), "nested more than"},
		{"one wide mapping", each(1e6, "a#0: 1\n"), "more than 1000 fields"},
		{"wide mapping of anchors", fill("&a a: 1\n"), "more than 1000 fields"},
		{"wide mapping of nothing", fill("a:\n"), "more than 1000 fields"},
		{"many mappings", "environments:\n" + strings.Repeat("-\n"+strings.Repeat(" a:\n", 990), size/4000), "too many parts"},
		{"list of nothing", fill("-\n"), "too many list items"},
		{"list in a line", "[" + fill("1,") + "]", "too many parts"},
		{"documents", fill("a\n---\n"), "a second YAML document"},
		{"merge bomb", "environments:\n  a0: &a0 {mode: off, default: k}\n" + each(300, "  a#1: &a#1 {<<: [*a#0, *a#0, *a#0, *a#0]}\n"), "values in this file"},
		{"list bomb", "environments:\n  a0: &a0 [x, x, x, x]\n" + each(300, "  a#1: &a#1 [*a#0, *a#0, *a#0, *a#0]\n"), "must be a mapping of fields"},
		{"keys in many environments", "environments:\n  a:\n    keys: &k\n" + each(5000, "    - {name: k#0, type: hmac, key: id#0, secret: s-of-8-or-more}\n") +
			each(900, "  b#0: {keys: *k}\n"), "values in this file"},
		{"APIs", oneKey + "    apis:\n" + each(1e6, "    - {match: \"/{a}/b#0/{c...}\", key: k}\n"), "more than 10000 APIs"},
		{"conflicts", oneKey + "    apis:\n" + each(9000, "    - {match: \"/{a#0}\", key: k}\n"), "more problems"},

		{"unknown keys", head + "    keys:\n" + each(5000, "    - {name: key_number_#0, type: hmac, key: id#0, secret: s-of-8-or-more}\n") +
			"    apis:\n" + each(10000, "    - {match: /a#0, key: kye_number_#0}\n"), "more problems"},
		{"a long line", oneKey + "    x: [" + strings.Repeat("a,", 195_000) + "a]\n", "unknown field"},

		{"many keys", head + "    keys:\n" + each(1e6, "    - {name: k#0, type: hmac, key: id#0, secret: s-of-8-or-more}\n"), ""},
		{"many environments", "environments:\n" + each(990, "  e#0: {mode: off, default: k, keys: [{name: k, type: hmac, key: i, secret: s-of-8-or-more}]}\n"), ""},
		{"many APIs", oneKey + "    apis:\n" + each(10000, "    - {match: \"GET /orders/#0\", key: k}\n"), ""},
		{"comments", oneKey + strings.Repeat("#\n", 300_000), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "f.yaml", tt.file)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := config.Load(path)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			// A second and 350 MB are what it takes; without the bounds, it is
			// minutes and gigabytes.
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 5*time.Minute || allocated > 1000 {
				t.Errorf("took %v and %d MB", took, allocated)
			}
			if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !strings.Contains(got, tt.want) {
				t.Errorf("got %.300s, want %s", got, tt.want)
			}
		})
	}
}
