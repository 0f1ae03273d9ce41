// Command ratios measures the time of each contender as a multiple of the floor, and its
// allocations. The ratios are medians of short, interleaved runs, so that other load of
// the machine affects all contenders.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
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
			if r.times == 0 {
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
	verify             bench.Verify
	times              int     // number of runs in a span; 0 if the contender does not verify such requests
	floors, ours       float64 // medians of ratios
	allocations, bytes float64
}

// measure runs all contenders in turn, in several rounds, and divides each time by those
// of the floor, which is the first, and of ours in the same round.
func measure(all []bench.Contender, q bench.Request, rounds int, span time.Duration) ([]result, error) {
	results := make([]result, len(all))
	like := make([]int, len(all))
	for i, contender := range all {
		verify, err := contender.Setup(q)
		if err != nil {
			return nil, err
		}
		for j := range all {
			if all[j].Name == contender.Like {
				like[i] = j
			}
		}
		if r := &results[i]; verify != nil {
			r.verify, r.times = verify, calibrate(verify, span)
			r.allocations, r.bytes = allocated(verify, r.times)
		}
	}
	floors, ours := make([][]float64, len(all)), make([][]float64, len(all))
	one := make([]float64, len(all))
	for range rounds {
		for i, r := range results {
			if r.times == 0 {
				continue
			}
			runtime.GC() // so that the garbage of one contender does not slow the next
			run(r.verify, 1+r.times/10)
			one[i] = run(r.verify, r.times).Seconds() / float64(r.times)
			floors[i] = append(floors[i], one[i]/one[0])
			ours[i] = append(ours[i], one[i]/one[like[i]])
		}
	}
	for i := range results {
		if results[i].times > 0 {
			results[i].floors, results[i].ours = report.Median(floors[i]), report.Median(ours[i])
		}
	}
	return results, nil
}

// calibrate returns the number of runs of v in a span.
func calibrate(v bench.Verify, span time.Duration) int {
	for n := 1; ; n *= 2 {
		if took := run(v, n); took >= span {
			return max(1, int(float64(n)*float64(span)/float64(took)))
		}
	}
}

// allocated returns the smallest result of several runs, because a garbage collection
// empties pools.
func allocated(v bench.Verify, n int) (allocations, bytes float64) {
	var before, after runtime.MemStats
	for i := range 5 {
		runtime.ReadMemStats(&before)
		run(v, n)
		runtime.ReadMemStats(&after)
		a, b := float64(after.Mallocs-before.Mallocs)/float64(n), float64(after.TotalAlloc-before.TotalAlloc)/float64(n)
		if i == 0 || a < allocations {
			allocations, bytes = a, b
		}
	}
	return allocations, bytes
}

func run(v bench.Verify, n int) time.Duration {
	start := time.Now()
	for range n {
		if err := v(); err != nil {
			panic(err)
		}
	}
	return time.Since(start)
}
