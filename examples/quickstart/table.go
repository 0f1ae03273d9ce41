package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// table has the verdicts of the adapters of one protocol.
type table struct {
	protocol string
	adapters []string
	rows     []row
}

// row is one request.
type row struct {
	what, status string
	want         outcome
	verdicts     []verdict // of each adapter
}

// verdict is the expected outcome of a request, and the outcome.
type verdict struct{ want, got outcome }

func (v verdict) right() bool { return v.got == v.want }

// String returns the verdict for the matrix.
func (v verdict) String() string {
	if v.right() {
		return "right"
	}
	return fmt.Sprintf("WRONG: %d %s, handler ran %d times", v.got.status, v.got.why(), v.got.ran)
}

// wrong describes the wrong verdicts.
func (t table) wrong() (list []string) {
	for _, r := range t.rows {
		for i, v := range r.verdicts {
			if !v.right() {
				list = append(list, fmt.Sprintf("%s, %s: %v; want %d %s", t.adapters[i], r.what, v, v.want.status, v.want.why()))
			}
		}
	}
	return list
}

// printer prints tables.
type printer struct {
	out     io.Writer
	colours bool
}

// isTerminal reports whether f shows colours. NO_COLOR is described at no-color.org.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// Green and red can be read on light and on dark terminals.
const green, red = "32", "31"

func (p printer) coloured(colour, text string) string {
	if !p.colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// report prints the tables. Its error says that verdicts are wrong.
func (p printer) report(tables []table, short bool) error {
	if !short {
		p.matrix(tables)
	} else if err := p.summary(tables); err != nil {
		return err
	}
	judged, wrong := 0, 0
	for _, t := range tables {
		judged, wrong = judged+len(t.rows)*len(t.adapters), wrong+len(t.wrong())
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d verdicts are wrong", wrong, judged)
	}
	fmt.Fprintf(p.out, "All %d verdicts are right.\n", judged)
	if short {
		fmt.Fprintln(p.out, "Try next: -all (every request), -scheme sigv4, or copy examples/nethttp.")
	}
	return nil
}

// matrix prints every request.
func (p printer) matrix(tables []table) {
	for _, t := range tables {
		if len(t.rows) == 0 {
			continue
		}
		var text strings.Builder
		out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		fmt.Fprintf(out, "%s\tstatus\twhy, or key\t%s\n", t.protocol, strings.Join(t.adapters, "\t"))
		for _, r := range t.rows {
			fmt.Fprintf(out, "  %s\t%s\t%s", r.what, r.status, r.want.why())
			for _, v := range r.verdicts {
				fmt.Fprintf(out, "\t%s", v)
			}
			fmt.Fprintln(out)
		}
		out.Flush()
		fmt.Fprintln(p.out, strings.ReplaceAll(text.String(), "WRONG", p.coloured(red, "WRONG")))
	}
}

// summarized are the rows of the short table: a request of [cases] and one of [calls] that
// have the same verdict.
var summarized = []struct{ what, http, grpc string }{
	{"signed by the gateway", "through the gateway: POST", "through the gateway"},
	{"signed, sent directly", "directly to the backend, correctly signed", "directly to the backend, digest declared"},
	{"the same request again", "directly to the backend, captured and sent again", "directly to the backend, the same call again"},
	{"not signed", "no credential", "no credential"},
	{"body changed", "body changed", "message changed, digest not declared"},
	{"path changed", "path changed", "signed for another method"},
	{"x-sdk-* header added", "x-sdk-* header added", "x-sdk-* metadata added"},
	{"Authorization twice", "two Authorization lines", "two authorization values"},
	{"signed 20 minutes ago", "20 minutes old", "20 minutes old"},
	{"signed by unknown key", "unknown key", "unknown key"},
	{"key of another API", "key of another API", "key of another API"},
}

// summary prints a row for each request of summarized, and one for all others.
func (p printer) summary(tables []table) error {
	http, grpc := tables[0], tables[1]
	adapters := slices.Concat(http.adapters, grpc.adapters)
	p.line("request", "result", "why", adapters, adapters)
	marks := func(http, grpc []row) (marks []string) {
		for i := range tables[0].adapters {
			marks = append(marks, p.mark(http, i))
		}
		return append(marks, p.mark(grpc, 0))
	}
	for _, s := range summarized {
		var h, g []row
		h, http.rows = split(http.rows, s.http)
		g, grpc.rows = split(grpc.rows, s.grpc)
		if len(h) != 1 || len(g) != 1 || h[0].want.code != g[0].want.code {
			return fmt.Errorf("the tables have not one request of each protocol for %q", s.what)
		}
		result, why := "refused", string(h[0].want.code)
		if why == "" {
			result, why = "accepted", "signed: "+h[0].want.key
		}
		p.line(s.what, result, why, adapters, marks(h, g))
	}
	p.line(fmt.Sprintf("%d other requests", len(http.rows)+len(grpc.rows)), "", "see -all", adapters, marks(http.rows, grpc.rows))
	fmt.Fprintf(p.out, "\n%s: the verdict is right. %s: it is wrong. See docs/unauthorized.md.\n",
		p.coloured(green, tick), p.coloured(red, cross))
	for _, t := range tables {
		for _, text := range t.wrong() {
			fmt.Fprintln(p.out, text)
		}
	}
	return nil
}

// split divides rows into those of this name and the others.
func split(rows []row, what string) (named, others []row) {
	for _, r := range rows {
		if r.what == what {
			named = append(named, r)
		} else {
			others = append(others, r)
		}
	}
	return named, others
}

const tick, cross = "✓", "✗"

// mark is a tick if all verdicts of an adapter are right.
func (p printer) mark(rows []row, adapter int) string {
	if slices.ContainsFunc(rows, func(r row) bool { return !r.verdicts[adapter].right() }) {
		return cross
	}
	return tick
}

// line prints a row of the short table, with text for each adapter. It is at most 80
// columns wide.
func (p printer) line(what, result, why string, adapters, text []string) {
	line := fmt.Sprintf("%-23s  %-8s  %-19s ", what, result, why)
	for i, adapter := range adapters {
		before := (len(adapter) - utf8.RuneCountInString(text[i])) / 2
		line += fmt.Sprintf(" %*s%-*s", before, "", len(adapter)-before, text[i])
	}
	marks := strings.NewReplacer(tick, p.coloured(green, tick), cross, p.coloured(red, cross))
	fmt.Fprintln(p.out, marks.Replace(strings.TrimRight(line, " ")))
}
