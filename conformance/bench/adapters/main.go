// Command adapters measures what each adapter adds to a request without a body, in one
// process and without sockets: handlers are called directly, and gRPC's client and server
// are connected in memory. All of it runs on one processor, so its time is CPU time.
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
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/turns"
)

func main() {
	rounds := flag.Int("rounds", 60, "runs of each, interleaved")
	span := flag.Duration("span", 10*time.Millisecond, "length of a run")
	only := flag.String("only", "", "measure only the adapters whose name contains this, and net/http")
	markdown := flag.Bool("markdown", false, "print for a document")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	if err := measure(*rounds, *span, *only, *markdown); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// An adapter is a server without and with middleware.
type adapter struct {
	name           string
	bare, verified turns.Func
}

func measure(rounds int, span time.Duration, only string, markdown bool) error {
	all, err := adapters()
	if err != nil {
		return err
	}
	functions := []turns.Func{turns.Func(bench.Floor(bench.Requests()[0]))}
	measured := all[:0]
	for _, a := range all {
		if a.name == "net/http" || strings.Contains(a.name, only) {
			measured = append(measured, a)
			functions = append(functions, a.bare, a.verified)
		}
	}
	table := report.New("A request without a body, with SDK-HMAC-SHA256: medians of the differences to the same server without middleware.",
		"", "bare, µs", "added, µs", "added, in floors", "allocations, bare", "added", "bytes allocated, bare", "added")
	times := turns.Measure(functions, rounds, span)
	for i, a := range measured {
		bare, verified := times[1+2*i], times[2+2*i]
		bareAllocations, bareBytes := turns.Allocated(a.bare, turns.Calls(a.bare, span))
		allocations, bytes := turns.Allocated(a.verified, turns.Calls(a.verified, span))
		added := verified.Minus(bare)
		table.Add(a.name, 1e6*report.Median(bare), 1e6*added, added/report.Median(times[0]),
			fmt.Sprintf("%.0f", bareAllocations), fmt.Sprintf("%.0f", allocations-bareAllocations),
			fmt.Sprintf("%.0f", bareBytes), fmt.Sprintf("%.0f", bytes-bareBytes))
	}
	fmt.Printf("%s GOMAXPROCS=1.\n\n", report.Machine())
	table.Write(os.Stdout, markdown)
	return nil
}
