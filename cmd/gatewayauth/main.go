// Command gatewayauth signs requests as the API gateway does, explains why a backend
// refused one, checks environments files, summarizes the log of a backend in report
// mode, and runs a signing proxy on a developer's machine.
//
//	go install github.com/gatewayauth/gatewayauth/cmd/gatewayauth@latest
//	gatewayauth --help
//
// It reads the environments file of package core/config. No command prints a secret or
// an expected signature; sign prints the signature of the request that it was given.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}
