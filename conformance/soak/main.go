// Command soak runs all adapters and the reverse proxy of gatewayauth guard for a long
// time, each on a socket of its own, with honest, hostile, slow and cancelled requests, while
// their environments files change each second and the Redis of their replay stores is killed
// and started again.
//
//	go run ./soak -for 1h
//
// Each client knows the verdict that is right for its request: from the generations of the
// file that may have been in force between its first byte and the answer, and from the
// outages of Redis, which it keeps nothing over. Where only one verdict is right, every
// other one is wrong; requests for which two are right are counted.
//
// It exits with 1 if a verdict was wrong, or a handler saw another request than the
// one that was sent; if a body is held in memory while no request is on its way; if
// goroutines or open files are left at the end; or if heap, goroutines or open files grow.
// For the rule see the function growth.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	o := options{}
	flag.DurationVar(&o.lasts, "for", time.Minute, "how long to run")
	flag.IntVar(&o.clients, "clients", maxClients, fmt.Sprintf("concurrent clients, at most %d", maxClients))
	// About one core of a usual machine.
	flag.IntVar(&o.rate, "rate", 1200, "requests a second of all clients together")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the random choices")
	flag.Parse()
	if o.lasts <= 0 || o.clients <= 0 || o.clients > maxClients || o.rate <= 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok, err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}
