// Command gatewayauth signs requests as the API gateway does, explains why a backend
// refused one, checks environments files, summarizes the log of a backend in report
// mode, runs a signing proxy on a developer's machine, and probes whether a running
// backend is protected.
//
//	go install github.com/gatewayauth/gatewayauth/cmd/gatewayauth@latest
//	gatewayauth --help
//
// It reads the environments file of package core/config. No command prints a secret or
// an expected signature; sign, and probe in a dry run, print the signatures of the
// requests that they make.
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
