package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const toy = `package toy

import "strings"

const most = 3

func Few(n int) bool { return n < most }

func Both(a, b bool) bool { return a && b }

func Either(a, b bool) bool { return a || b }

func Minus(a, b int) int { return a - b }

func First(s string, of []int) (found int) {
	if s == "" {
		return -1
	}
	for _, v := range of {
		if v > 0 {
			found = v
			break
		}
	}
	return found + len(strings.ToLower(s))
}

func Difference(a, b int) int { return Minus(a, b) }

func Untested() { println() }
`

const toyTests = `package toy

import "testing"

func TestFew(t *testing.T) {
	if !Few(2) || Few(4) {
		t.Fail()
	}
}

func TestBoth(t *testing.T) {
	if !Both(true, true) || Both(false, true) {
		t.Fail()
	}
}

func TestEither(t *testing.T) {
	if !Either(true, false) || !Either(false, true) || Either(false, false) {
		t.Fail()
	}
}

func TestFirst(t *testing.T) {
	if First("", nil) != -1 || First("Ab", []int{0, 5, 7}) != 7 || Difference(5, 5) != 0 {
		t.Fail()
	}
}

func TestAlwaysFails(t *testing.T) { t.Fail() }
`

// TestToy compares what becomes of every mutant of a package whose tests have
// holes. The second run reads the results of the first.
func TestToy(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module toy\n\ngo 1.26\n", "toy/toy.go": toy, "toy/toy_test.go": toyTests,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	explained := "- `Untested`: `remove println()`: prints an empty line\n"
	newReport := func() *report {
		return &report{Package: "toy", path: filepath.Join(out, "toy.txt"), explained: explained}
	}
	half := newReport()
	if err := measure(half, root, nil, regexp.MustCompile(`^$`), func(m mutant) bool { return m.ID%2 == 0 }, false, 2); err != nil {
		t.Fatal(err)
	}
	r := newReport()
	if err := measure(r, root, nil, regexp.MustCompile(`^$`), func(mutant) bool { return true }, false, 2); err != nil {
		t.Fatal(err)
	}
	var survived, killed []string
	for _, x := range r.results {
		if x.killed {
			killed = append(killed, x.key())
		} else {
			survived = append(survived, x.key())
		}
	}
	slices.Sort(survived)
	slices.Sort(killed)
	compare(t, "survived", survived, `
'Both': 'a && b → without b'
'Difference': 'Minus(a, b) → a and b swapped'
'Few': 'most → most + 1'
'Few': 'n < most → <='
'First': '0 → 0 + 1'
'First': 'strings.ToLower(s) → s'
'Untested': 'remove println()'
`)
	compare(t, "killed", killed, `
'Both': 'a && b → without a'
'Both': 'a && b → ||'
'Both': 'negate a && b'
'Either': 'a || b → &&'
'Either': 'a || b → without a'
'Either': 'a || b → without b'
'Either': 'negate a || b'
'Few': 'negate n < most'
'First': '-1 → -1 + 1'
'First': 'for range of: never runs'
'First': 'found + len(strings.ToLower(s)) → without found'
'First': 'found + len(strings.ToLower(s)) → without len(strings.ToLower(s))'
'First': 'negate s == ""'
'First': 'negate v > 0'
'First': 'remove break'
'First': 'remove found = v'
'First': 'remove return -1 of if s == ""'
'First': 'v > 0 → >='
'Minus': 'a - b → without b'
`)
	var text strings.Builder
	last := newReport()
	if err := measure(last, root, nil, regexp.MustCompile(`^$`), func(mutant) bool { return false }, false, 2); err != nil {
		t.Fatal(err)
	}
	last.print(&text)
	want := fmt.Sprintf("toy: %d mutants tried, %d killed, 1 explained, %d survived; score ", len(r.results), len(killed), len(survived)-1)
	if !strings.Contains(text.String(), want) || strings.Contains(text.String(), "println") {
		t.Errorf("got\n%swant a line with %q and nothing about println", text.String(), want)
	}
}

func compare(t *testing.T, what string, got []string, want string) {
	t.Helper()
	wanted := strings.Split(strings.TrimSpace(strings.ReplaceAll(want, "'", "`")), "\n")
	for _, key := range got {
		if !slices.Contains(wanted, key) {
			t.Errorf("%s, and should not have: %s", what, key)
		}
	}
	for _, key := range wanted {
		if !slices.Contains(got, key) {
			t.Errorf("should have %s: %s", what, key)
		}
	}
}
