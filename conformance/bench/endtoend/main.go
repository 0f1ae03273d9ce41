// Command endtoend measures the cost of the middleware for a server. It sends requests
// over loopback to servers without and with middleware, in rounds, one after the other.
// All servers share a process, all clients another. Requests are signed before the
// measurement, and no two are equal.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/child"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
)

var (
	rounds   = flag.Int("rounds", 31, "slots of each server, interleaved")
	requests = flag.Int("requests", 5000, "requests in a slot; a fifth of them with bodies, and a tenth for latencies")
	clients  = flag.Int("clients", 64, "concurrent clients, each with its own connection, except for gRPC")
	procs    = flag.Int("procs", 1, "GOMAXPROCS of either process; 0 means all cores")
	only     = flag.String("only", "", "measure only the adapters whose name contains this")
	markdown = flag.Bool("markdown", false, "print for a document")
	serving  = flag.String("serve", "", "used by the program itself: run the server")
)

func main() {
	flag.Parse()
	if *serving != "" {
		serve()
		return
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure() error {
	if *procs > 0 {
		runtime.GOMAXPROCS(*procs)
	}
	server, err := child.Start("all", *procs)
	if err != nil {
		return err
	}
	defer server.Stop()
	fmt.Printf("%s GOMAXPROCS=%d for the servers and for the clients.\n\n", report.Machine(), runtime.GOMAXPROCS(0))
	for _, size := range []int{0, 64 << 10} {
		q, n := bench.Request{Name: "0 B"}, *requests
		if size > 0 {
			q, n = bench.Request{Name: "64 KiB", Body: make([]byte, size)}, max(1, n/5)
		}
		table := report.New(fmt.Sprintf("Bodies of %s: medians of %d rounds; %d clients, and one for latencies.", q.Name, *rounds, *clients),
			"", "requests/s", "of the bare server's", "server's CPU a request, of the bare one's", "added CPU, µs", "added latency, µs")
		for _, a := range adapters {
			if !strings.Contains(a.name, *only) {
				continue
			}
			few := n
			if strings.HasPrefix(a.name, streams) {
				few = max(1, n/20)
			}
			if err := compare(table, server, a, q, few); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
		}
		table.Write(os.Stdout, *markdown)
	}
	return nil
}

// slot is the result of one server in a round.
type slot struct{ rate, cpu, latency float64 }

// compare measures the servers of one adapter, the bare one first.
func compare(table *report.Table, server *child.Process, a adapter, q bench.Request, n int) error {
	slots := make([][]slot, len(a.variants))
	for round := range *rounds + 1 {
		for i := range a.variants {
			i = (i + round) % len(a.variants) // so that no server always follows the same one
			measured, err := a.slot(server, server.Addresses[a.name+"/"+a.variants[i].name], q, n)
			if err != nil {
				return fmt.Errorf("%s: %w", a.variants[i].name, err)
			}
			if round > 0 { // the first round is a warm-up
				slots[i] = append(slots[i], measured)
			}
		}
	}
	for i, variant := range a.variants {
		median := func(of func(mine, bare slot) float64) float64 {
			values := make([]float64, *rounds)
			for round := range values {
				values[round] = of(slots[i][round], slots[0][round])
			}
			return report.Median(values)
		}
		table.Add(a.name+", "+variant.name,
			fmt.Sprintf("%.0f", median(func(mine, _ slot) float64 { return mine.rate })),
			median(func(mine, bare slot) float64 { return mine.rate / bare.rate }),
			median(func(mine, bare slot) float64 { return mine.cpu / bare.cpu }),
			median(func(mine, bare slot) float64 { return mine.cpu - bare.cpu }),
			median(func(mine, bare slot) float64 { return mine.latency - bare.latency }))
	}
	return nil
}

// slot sends n requests with all clients, and then fewer with one.
func (a adapter) slot(server *child.Process, address string, q bench.Request, n int) (s slot, err error) {
	few := max(1, n/10)
	many, err := a.prepare(address, q, n, *clients)
	if err != nil {
		return s, err
	}
	defer many.close()
	before, err := server.Usage()
	if err != nil {
		return s, err
	}
	start := time.Now()
	if _, err := many.send(); err != nil {
		return s, err
	}
	took := time.Since(start)
	after, err := server.Usage()
	if err != nil {
		return s, err
	}
	one, err := a.prepare(address, q, few, 1)
	if err != nil {
		return s, err
	}
	defer one.close()
	latencies, err := one.send()
	if err != nil {
		return s, err
	}
	return slot{float64(n) / took.Seconds(), micro(after.CPU-before.CPU) / float64(n), report.Median(latencies)}, nil
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
