package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A report is the file with the results of one package. Its first line names the
// source that was mutated. Each other line is one mutant, its columns divided by
// tabs: number, what became of it, place, function, change, the test that failed
// or the number of tests that passed, seconds.
type report struct {
	Package   string
	path      string
	explained string // the part of docs/mutants.md about this package
	results   map[int]result
	file      *os.File
	failed    error // the first error in writing
}

type result struct {
	mutant
	killed bool
	line   string
}

// open reads what an earlier run has written about the same source, and opens
// the file to continue it.
func (r *report) open(t *target, retry bool) error {
	r.results = map[int]result{}
	title := fmt.Sprintf("%s, source %s, %d mutants", r.Package, t.source, len(t.mutants))
	content, err := os.ReadFile(r.path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	kept := []string{title}
	for line := range strings.Lines(strings.TrimPrefix(string(content), title+"\n")) {
		if !strings.HasPrefix(string(content), title+"\n") {
			break
		}
		var id int
		fields := strings.Split(line, "\t")
		if _, err := fmt.Sscan(fields[0], &id); err != nil || id < 1 || id > len(t.mutants) || len(fields) != 7 || !strings.HasSuffix(line, "\n") {
			continue // the run was interrupted in this line
		}
		if retry && fields[1] == "SURVIVED" {
			continue
		}
		line = strings.TrimSuffix(line, "\n")
		r.results[id] = result{mutant: t.mutants[id-1], killed: fields[1] == "killed", line: line}
		kept = append(kept, line)
	}
	if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(r.path, []byte(strings.Join(kept, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	r.file, err = os.OpenFile(r.path, os.O_APPEND|os.O_WRONLY, 0)
	return err
}

func (r *report) close() {
	if err := r.file.Close(); r.failed == nil {
		r.failed = err
	}
}

// add writes the result of one mutant.
func (r *report) add(m mutant, killer string, passed int, took time.Duration) {
	state, by := "killed", killer
	if killer == "" {
		state, by = "SURVIVED", fmt.Sprintf("%d tests passed", passed)
	}
	line := fmt.Sprintf("%d\t%s\t%s:%d\t%s\t%s\t%s\t%.1f", m.ID, state, m.File, m.Line, m.Function, m.Change, by, took.Seconds())
	r.results[m.ID] = result{mutant: m, killed: killer != "", line: line}
	if _, err := fmt.Fprintln(r.file, line); r.failed == nil {
		r.failed = err
	}
}

// section returns the part of the list of survivors below the package's heading.
func section(text, name string) string {
	_, text, _ = strings.Cut(text, "\n## "+name+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// print shows the survivors that nothing explains, and the score.
func (r *report) print(w io.Writer) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	killed, explained := 0, 0
	var open []result
	for _, x := range r.results {
		switch {
		case x.killed:
			killed++
		case strings.Contains(r.explained, x.key()):
			explained++
		default:
			open = append(open, x)
		}
	}
	slices.SortFunc(open, func(a, b result) int { return cmp.Compare(a.ID, b.ID) })
	for _, x := range open {
		fmt.Fprintln(out, x.line)
	}
	fmt.Fprintf(out, "%s: %d mutants tried, %d killed, %d explained, %d survived; score %.1f %%\n",
		r.Package, len(r.results), killed, explained, len(open), 100*float64(killed)/max(1, float64(len(r.results)-explained)))
}
