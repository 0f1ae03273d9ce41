// Command gatewayauth signs requests as the API gateway does, says why a backend
// refused one, checks environments files, sums up the log of a backend in report
// mode, and stands in for the gateway on a developer's machine.
//
//	go install github.com/gatewayauth/gatewayauth/cmd/gatewayauth@latest
//	gatewayauth --help
//
// It reads the environments file of package core/config. No command prints a
// secret, nor what a signature should have been; sign prints the signature of the
// request that it was given.
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
