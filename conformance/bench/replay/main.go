// Command replay measures replay stores: for the one in memory, the time of a check and
// the memory of an entry as it grows; for the one on Redis, checks by few and by many
// callers. It starts its own redis-server.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
)

var (
	entries  = flag.Int("entries", 10_000_000, "entries of the largest store in memory")
	rounds   = flag.Int("rounds", 7, "runs against Redis with each number of callers, interleaved")
	span     = flag.Duration("span", time.Second, "length of a run against Redis")
	markdown = flag.Bool("markdown", false, "print for a document")
)

func main() {
	flag.Parse()
	fmt.Printf("%s\n\n", report.Machine())
	inMemory().Write(os.Stdout, *markdown)
	table, err := onRedis()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	table.Write(os.Stdout, *markdown)
}
