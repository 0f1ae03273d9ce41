// Command ratios prints how much more than the floor everybody takes: medians of
// short runs of all, one after the other, so that whatever else the machine does
// falls on all of them.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
)

func main() {
	rounds := flag.Int("rounds", 40, "runs of each, interleaved")
	span := flag.Duration("span", 2*time.Millisecond, "length of a run")
	only := flag.String("only", "", "measure those whose name holds this, and the floor")
	flag.Parse()
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	requests := bench.Requests()
	fmt.Fprint(table, "times the floor\t")
	for _, q := range requests {
		fmt.Fprint(table, q.Name, "\t")
	}
	fmt.Fprintln(table)
	var rows [][]float64
	var names []string
	for column, q := range requests {
		var verify []bench.Verify
		names = names[:0]
		for _, who := range bench.Everybody() {
			if who.Name == "floor" || strings.Contains(who.Name, *only) {
				verify, names = append(verify, who.Setup(q)), append(names, who.Name)
			}
		}
		for i, ratio := range ratios(verify, *rounds, *span) {
			if column == 0 {
				rows = append(rows, nil)
			}
			rows[i] = append(rows[i], ratio)
		}
	}
	for i, row := range rows {
		fmt.Fprint(table, names[i], "\t")
		for _, ratio := range row {
			fmt.Fprintf(table, "%.2f\t", ratio)
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

// ratios measures all in turn, again and again, and returns for each the median
// of its time over that of the first in the same round.
func ratios(verify []bench.Verify, rounds int, span time.Duration) []float64 {
	times := make([]int, len(verify))
	for i, v := range verify {
		times[i] = calibrate(v, span)
	}
	all := make([][]float64, len(verify))
	for range rounds {
		var floor float64
		for i, v := range verify {
			one := run(v, times[i]).Seconds() / float64(times[i])
			if i == 0 {
				floor = one
			}
			all[i] = append(all[i], one/floor)
		}
	}
	medians := make([]float64, len(all))
	for i, a := range all {
		slices.Sort(a)
		medians[i] = a[len(a)/2]
	}
	return medians
}

// calibrate returns how often v runs in a span.
func calibrate(v bench.Verify, span time.Duration) int {
	for n := 1; ; n *= 2 {
		if took := run(v, n); took >= span {
			return max(1, int(float64(n)*float64(span)/float64(took)))
		}
	}
}

func run(v bench.Verify, n int) time.Duration {
	start := time.Now()
	for range n {
		v()
	}
	return time.Since(start)
}
