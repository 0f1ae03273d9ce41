package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
)

// sumUp is check --report.
func (a *checkArgs) sumUp(s streams) error {
	in := s.in
	if a.report != "-" {
		f, err := os.Open(a.report)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	sum, err := summary.Read(in)
	if err != nil {
		return failed{err}
	}
	if a.json {
		err = writeJSON(s.out, sum)
	} else {
		err = printSummary(s.out, sum)
	}
	switch {
	case err != nil:
		return failed{err}
	case sum.Lines > 0 && sum.Lines == sum.Unreadable:
		return fmt.Errorf("%s is no log in JSON: no line could be read", a.report)
	case sum.WouldRefuse > 0:
		return exit(exitWarnings)
	}
	return nil
}

func printSummary(out io.Writer, sum *summary.Summary) error {
	if len(sum.Groups) > 0 {
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "COUNT\tCODE\tAPI\tENVIRONMENT\tFIRST\tLAST\tKEY")
		for _, g := range sum.Groups {
			key := strings.Join(g.Keys, " ")
			if key == "" && len(g.KeyIDs) > 0 {
				key = "id " + strings.Join(g.KeyIDs, " ")
			}
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Count, printable(g.Code), printable(g.API), printable(g.Environment),
				date(g.First), date(g.Last), orElse(printable(key), "-"))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out, "\nexamples")
		for _, g := range sum.Groups {
			for _, x := range g.Examples {
				fmt.Fprintf(out, "  %s  %s %s  %s: %s\n", date(x.Time), printable(x.Method), printable(x.Host+x.Path), printable(g.Code), printable(x.Error))
			}
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "%d requests would have been refused", sum.WouldRefuse)
	if sum.WouldRefuse > 0 && !sum.First.IsZero() {
		fmt.Fprintf(out, ", from %s to %s", date(sum.First), date(sum.Last))
	}
	fmt.Fprintln(out)
	for _, code := range slices.Sorted(maps.Keys(sum.Suppressed)) {
		fmt.Fprintf(out, "  %d of them with %s came too fast for records of their own, and are not in the table\n", sum.Suppressed[code], printable(code))
	}
	for _, line := range []struct {
		n    int64
		text string
	}{{sum.Ungrouped, "of them are past the limit of the table"}, {sum.Refused, "requests were refused: that environment enforces already"},
		{sum.Unreadable, "lines are no JSON, and were left out"}} {
		if line.n > 0 {
			fmt.Fprintf(out, "  %d %s\n", line.n, line.text)
		}
	}
	return nil
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
