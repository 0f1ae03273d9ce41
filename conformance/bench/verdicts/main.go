// Command verdicts measures requests without a body by what becomes of them: accepted or
// refused, under policies with few and with many APIs and keys, in floors of the request
// get.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/turns"
)

func main() {
	rounds := flag.Int("rounds", 40, "runs of each, interleaved")
	span := flag.Duration("span", 10*time.Millisecond, "length of a run")
	most := flag.Int("most", 10_000, "number of APIs and keys of the large policies")
	only := flag.String("only", "", "measure only the verdicts whose name contains this")
	markdown := flag.Bool("markdown", false, "print for a document")
	flag.Parse()
	if err := measure(*rounds, *span, *most, *only, *markdown); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(rounds int, span time.Duration, most int, only string, markdown bool) error {
	columns := []string{""}
	policies := policiesOf(most)
	for _, p := range policies {
		columns = append(columns, p.name)
	}
	times := report.New("Time, in floors of get.", columns...)
	memory := report.New("Allocations, and bytes allocated, for each request.", columns...)
	for _, verdict := range verdicts {
		if !strings.Contains(verdict.name, only) {
			continue
		}
		functions := []turns.Func{turns.Func(bench.Floor(bench.Requests()[0]))}
		for _, p := range policies {
			f, err := verdict.under(p)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", verdict.name, p.name, err)
			}
			functions = append(functions, f)
		}
		timesRow, memoryRow := []any{verdict.name}, []any{verdict.name}
		taken := turns.Measure(functions, rounds, span)
		for i, f := range functions[1:] {
			if f == nil {
				timesRow, memoryRow = append(timesRow, "-"), append(memoryRow, "-")
				continue
			}
			timesRow = append(timesRow, taken[i+1].Over(taken[0]))
			allocations, bytes := turns.Allocated(f, turns.Calls(f, span))
			memoryRow = append(memoryRow, fmt.Sprintf("%.0f, %.0f B", allocations, bytes))
		}
		times.Add(timesRow...)
		memory.Add(memoryRow...)
	}
	fmt.Printf("%s\n\n", report.Machine())
	times.Write(os.Stdout, markdown)
	memory.Write(os.Stdout, markdown)
	return nil
}
