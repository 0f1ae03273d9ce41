package main

import (
	"cmp"
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

// sumUp summarizes the log of a service in report mode.
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
	name := a.report
	if name == "-" {
		name = "standard input"
	}
	sum, err := summary.Read(in)
	if err != nil {
		return fmt.Errorf("%s cannot be read as a log: %w", name, err)
	}
	if a.json {
		err = writeJSON(s.out, sum)
	} else {
		err = printSummary(s.out, sum)
	}
	switch {
	case err != nil:
		return failed{err}
	case sum.Why != "":
		return fmt.Errorf("%s does not show that enforcing is safe: %s", name, sum.Why)
	case !sum.AllClear:
		return exit(exitWarnings)
	}
	return nil
}

func printSummary(out io.Writer, sum *summary.Summary) error {
	if sum.Records == 0 {
		return nil // the error of sumUp says what the log has
	}
	if err := printGroups(out, sum); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s of a verifier", summary.Counted(sum.Records, "record", "records"))
	if !sum.First.IsZero() {
		fmt.Fprintf(out, ", from %s to %s", date(sum.First), date(sum.Last))
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ENVIRONMENT\tMODE\tACCEPTED\tOPEN\tWOULD REFUSE\tREFUSED\tFIRST\tLAST\tAPIS")
	for _, e := range sum.Environments {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", cmp.Or(printable(e.Name), "-"), e.Mode, e.Verified, e.Open, e.WouldRefuse, e.Refused,
			date(e.First), date(e.Last), apis(e.APIs))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s would have been refused, and %s accepted\n", summary.Counted(sum.WouldRefuse, "request", "requests"), summary.Counted(sum.Verified, "was", "were"))
	for _, code := range slices.Sorted(maps.Keys(sum.Suppressed)) {
		fmt.Fprintf(out, "  %s not in the table: the log drops records that come too fast\n",
			summary.Counted(sum.Suppressed[code], "of them, with "+printable(code)+", is", "of them, with "+printable(code)+", are"))
	}
	for _, line := range []struct {
		n         int64
		one, text string
	}{{sum.Ungrouped, "of them is not in the table: it is full", "of them are not in the table: it is full"},
		{sum.RefusedIn("enforce"), "request was refused: its environment is in enforce mode already", "requests were refused: their environment is in enforce mode already"},
		{sum.RefusedIn("off"), "request was refused by guard itself, as in every mode", "requests were refused by guard itself, as in every mode"},
		{sum.Unreadable, "line is neither JSON nor key=value, and was ignored", "lines are neither JSON nor key=value, and were ignored"}} {
		if line.n > 0 {
			fmt.Fprintf(out, "  %s\n", summary.Counted(line.n, line.one, line.text))
		}
	}
	if sum.WouldRefuse > 0 && sum.Verified == 0 {
		fmt.Fprintln(out, "  the log has no accepted requests: they are logged at level debug")
	}
	return nil
}

func printGroups(out io.Writer, sum *summary.Summary) error {
	if len(sum.Groups) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COUNT\tCODE\tAPI\tENVIRONMENT\tFIRST\tLAST\tKEY")
	for _, g := range sum.Groups {
		key := strings.Join(g.Keys, " ")
		if key == "" && len(g.KeyIDs) > 0 {
			key = "id " + strings.Join(g.KeyIDs, " ")
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", g.Count, printable(g.Code), printable(g.API), printable(g.Environment),
			date(g.First), date(g.Last), cmp.Or(printable(key), "-"))
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
	return nil
}

// apis lists the first few of the APIs that requests matched.
func apis(all []string) string {
	const most = 4
	if len(all) == 0 {
		return "-"
	}
	text := printable(strings.Join(all[:min(most, len(all))], ", "))
	if len(all) > most {
		text += fmt.Sprintf(" and %d more", len(all)-most)
	}
	return text
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
