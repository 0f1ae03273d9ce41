// Command ratios measures the time of each contender as a multiple of the floor, and its
// allocations. The ratios are medians of short, interleaved runs, so that other load of
// the machine affects all contenders.
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
	only := flag.String("only", "", "measure only the floor and the contenders whose name contains this")
	markdown := flag.Bool("markdown", false, "print for a document")
	flag.Parse()

	var all []bench.Contender
	for _, contender := range bench.Contenders() {
		if contender.Name == "floor" || strings.Contains(contender.Name, *only) {
			all = append(all, contender)
		}
	}
	columns := []string{""}
	requests := bench.Requests()
	found := make([][]result, len(requests))
	for i, q := range requests {
		columns = append(columns, q.Name)
		var err error
		if found[i], err = measure(all, q, *rounds, *span); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	times := report.New("Time, in floors of the same request.", columns...)
	ours := report.New("Time, in times of this library for the same scheme and request.", columns...)
	memory := report.New("Allocations, and bytes allocated, for each request.", columns...)
	for i, contender := range all {
		timesRow, oursRow, memoryRow := []any{contender.Name}, []any{contender.Name + " / " + contender.Like}, []any{contender.Name}
		for _, column := range found {
			r := column[i]
			if !r.measured {
				timesRow, oursRow, memoryRow = append(timesRow, "-"), append(oursRow, "-"), append(memoryRow, "-")
				continue
			}
			timesRow, oursRow = append(timesRow, r.floors), append(oursRow, r.ours)
			memoryRow = append(memoryRow, fmt.Sprintf("%.0f, %.0f B", r.allocations, r.bytes))
		}
		times.Add(timesRow...)
		memory.Add(memoryRow...)
		if contender.Like != "" && *only == "" {
			ours.Add(oursRow...)
		}
	}
	fmt.Printf("%s\n\n", report.Machine())
	times.Write(os.Stdout, *markdown)
	if len(ours.Rows) > 1 {
		ours.Write(os.Stdout, *markdown)
	}
	memory.Write(os.Stdout, *markdown)
}

// result is the result of a contender for a request.
type result struct {
	measured           bool    // it verifies such requests
	floors, ours       float64 // medians of ratios
	allocations, bytes float64
}

// measure divides the times of each contender by those of the floor, which is the first,
// and of ours in the same rounds.
func measure(all []bench.Contender, q bench.Request, rounds int, span time.Duration) ([]result, error) {
	functions := make([]turns.Func, len(all))
	for i, contender := range all {
		verify, err := contender.Setup(q)
		if err != nil {
			return nil, err
		}
		functions[i] = turns.Func(verify)
	}
	results := make([]result, len(all))
	times := turns.Measure(functions, rounds, span)
	for i, contender := range all {
		f := functions[i]
		if f == nil {
			continue
		}
		r := &results[i]
		r.measured, r.floors = true, times[i].Over(times[0])
		for j := range all {
			if all[j].Name == contender.Like {
				r.ours = times[i].Over(times[j])
			}
		}
		r.allocations, r.bytes = turns.Allocated(f, turns.Calls(f, span))
	}
	return results, nil
}
