// Command memory measures the memory of a server that receives many large bodies at the
// same time, for each way to verify a body. Each server is a new process; the clients are
// in another one.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/child"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
)

var (
	clients  = flag.Int("clients", 64, "concurrent uploads")
	uploads  = flag.Int("uploads", 4, "uploads of each client")
	size     = flag.Int("size", 12, "MiB of each")
	runs     = flag.Int("runs", 3, "processes of each kind; medians are printed")
	markdown = flag.Bool("markdown", false, "print for a document")
	serving  = flag.String("serve", "", "used by the program itself: run the server")
)

func main() {
	flag.Parse()
	if *serving != "" {
		serve(*serving)
		return
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure() error {
	fmt.Printf("%s\n\n", report.Machine())
	body := make([]byte, *size<<20)
	total := float64(*clients * *uploads * len(body))
	table := report.New(fmt.Sprintf("%d uploads of %d MiB, %d at a time; medians of %d processes each.", *clients**uploads, *size, *clients, *runs),
		"", "peak RSS, MiB", "allocated bytes for each of a body", "garbage collections", "CPU, of the bare server's", "refused with 503, and sent again")
	var bareCPU float64
	for _, s := range strategies {
		var peak, allocated, collections, cpu, refused []float64
		for range *runs {
			u, again, err := run(s, bench.Request{Name: "upload", Body: body})
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			peak, allocated = append(peak, float64(u.Peak)/(1<<20)), append(allocated, float64(u.Allocated)/total)
			collections, cpu = append(collections, float64(u.GCs)), append(cpu, u.CPU.Seconds())
			refused = append(refused, float64(again))
		}
		if bareCPU == 0 {
			bareCPU = report.Median(cpu)
		}
		table.Add(s.name, fmt.Sprintf("%.0f", report.Median(peak)), report.Median(allocated),
			fmt.Sprintf("%.0f", report.Median(collections)), report.Median(cpu)/bareCPU, fmt.Sprintf("%.0f", report.Median(refused)))
	}
	table.Write(os.Stdout, *markdown)
	return nil
}

// run lets all clients upload to a new server, and returns the usage of the server, and
// how often it refused a body because its memory was full.
func run(s strategy, q bench.Request) (u child.Usage, refused int64, err error) {
	server, err := child.Start(s.name, 0)
	if err != nil {
		return u, 0, err
	}
	defer server.Stop()
	start := time.Now()
	if refused, err = upload(server.Addresses["upload"], s, q); err != nil {
		return u, 0, fmt.Errorf("after %v: %w", time.Since(start), err)
	}
	u, err = server.Usage()
	return u, refused, err
}
