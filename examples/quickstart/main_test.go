package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestQuickstart: every verdict is right, in both forms of the report. A test of core shows
// that each check has a row: it removes one check after the other.
func TestQuickstart(t *testing.T) {
	tables, err := send("")
	if err != nil {
		t.Fatal(err)
	}
	report := func(short, colours bool) (string, error) {
		var out strings.Builder
		err := printer{out: &out, colours: colours}.report(tables, short)
		return out.String(), err
	}

	matrix, err := report(false, false)
	if err != nil || strings.Contains(matrix, "WRONG") || strings.Count(matrix, "  right\n") < 120 {
		t.Errorf("%v\n%s", err, matrix)
	}
	short, err := report(true, false)
	if err != nil || strings.Contains(short, cross+" ") || strings.Contains(short, "\x1b") {
		t.Errorf("%v\n%s", err, short)
	}
	rows := 0
	for line := range strings.Lines(introduction + short) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.Count(line, tick) == 4 {
			rows++
		}
	}
	if rows < 8 || rows > 12 {
		t.Errorf("%d rows with a tick for each adapter, want at most 12:\n%s", rows, short)
	}
	coloured, _ := report(true, true)
	if strings.Count(coloured, "\x1b[32m"+tick+"\x1b[0m") <= rows || regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(coloured, "") != short {
		t.Errorf("got %q", coloured)
	}

	// A wrong verdict of a request that the short table does not show.
	last := len(tables[0].rows) - 1
	tables[0].rows[last].verdicts[1].got.ran++
	for _, form := range []bool{false, true} {
		out, err := report(form, false)
		if err == nil || !strings.Contains(out, "WRONG: 403 key_not_bound, handler ran 1 times") {
			t.Errorf("short %v, a wrong verdict: %v\n%s", form, err, out)
		}
		if form && !regexp.MustCompile(`other requests +see -all +`+tick+` +`+cross+` +`+tick+` +`+tick+`\n`).MatchString(out) {
			t.Errorf("a wrong verdict of Echo:\n%s", out)
		}
	}
}

// TestSchemes: each scheme has requests, and all of them together are all requests.
func TestSchemes(t *testing.T) {
	count, all := map[string]int{}, 0
	for _, c := range cases() {
		count[c.scheme], all = count[c.scheme]+1, all+1
	}
	for _, name := range schemeNames() {
		if all -= count[name]; count[name] < 4 {
			t.Errorf("%s has %d requests", name, count[name])
		}
	}
	if len(schemeNames()) != 11 || all != 0 {
		t.Errorf("the schemes are %v, and %d requests are of no scheme", schemeNames(), all)
	}
	tables, err := send("aes")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tables[0].rows); n != count["aes"] || len(tables[1].rows) != 0 || slices.ContainsFunc(tables[0].rows, func(r row) bool {
		return !strings.Contains(r.what, "AES-")
	}) {
		t.Errorf("%d requests: %+v", n, tables)
	}
}
