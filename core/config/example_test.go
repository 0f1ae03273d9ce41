package config_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// A server whose keys follow the file, and the secrets that it refers to.
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
	handler := nethttp.Middleware(v)(http.NewServeMux())
	_ = handler // http.ListenAndServe(":8080", handler)
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
