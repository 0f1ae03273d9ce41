package config_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// A server whose keys follow the file, and the secrets that it refers to. The context of Watch
// outlives the requests in progress.
func Example() {
	mux := http.NewServeMux()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	watching, end := context.WithCancel(context.Background()) // not ctx, which ends at SIGTERM
	defer end()                                               // after Shutdown: it closes the replay store
	v, err := config.Watch(watching, "environments.yaml", "RELEASE")
	if err != nil {
		log.Fatal(err) // nothing starts with a bad configuration
	}
	server := &http.Server{
		Addr:              ":8080",
		Handler:           nethttp.Middleware(v)(mux),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // verified bodies have the policy's BodyTimeout, 30s
		IdleTimeout:       2 * time.Minute,
	}
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil { // waits for the requests in progress
		log.Print(err)
	}
}

// The Verifier follows the file until ctx ends.
func ExampleWatch() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	path := exampleFile(`
environments:
  RELEASE:
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: test-only-0123456789}
    apis:
      - {match: "GET /orders/{id}", key: orders_key}
`)
	defer os.Remove(path)
	v, err := config.Watch(ctx, path, "RELEASE", config.WithLogger(slog.Default()))
	if err != nil {
		log.Fatal(err) // nothing starts with a bad configuration
	}
	fmt.Println(v.Mode())
	// Output: enforce
}

// All problems of a file come at once, each with its line and field.
func ExampleLoad() {
	path := exampleFile(`
environments:
  RELEASE:
    mode: on
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: {env: NOT_SET}}
    default: order_key
`)
	defer os.Remove(path)
	_, err := config.Load(path)
	fmt.Println(strings.ReplaceAll(err.Error(), path, "environments.yaml"))
	// Output:
	// environments.yaml:4:5: environments.RELEASE.mode: unknown mode; write enforce, report or off
	// environments.yaml:6:72: environments.RELEASE.keys[0].secret.env: the environment variable NOT_SET is not set
	// environments.yaml:7:5: environments.RELEASE.default: no key of this environment has this name; did you mean orders_key? There are: orders_key
}

func ExampleFile_Warnings() {
	path := exampleFile(`
environments:
  RELEASE:
    keys:
      - {name: orders_key, type: hmac, key: 071fe2459cf64d75, secret: rather-short}
`)
	defer os.Remove(path)
	f, err := config.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range f.Warnings() {
		fmt.Println(w.Line, w.Field, w.Rule)
	}
	// Output: 5 environments.RELEASE.keys[0].secret outside of the gateway's published limits: 16 to 64 letters, digits and _!@#$%-, starting with a letter or digit
}

// exampleFile writes a file for one of the examples.
func exampleFile(content string) string {
	f, err := os.CreateTemp("", "environments-*.yaml")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(content); err != nil {
		log.Fatal(err)
	}
	return f.Name()
}
