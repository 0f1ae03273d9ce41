// Command observability is a backend with metrics for Prometheus and a page with the
// secrets in use. Both are served on a separate address, which only the operator may
// reach. The folder also has alert rules and a dashboard for these metrics.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/telemetry"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("observability", flag.ContinueOnError)
	file := flags.String("config", "examples/backend/environments.yaml", "environments `file`")
	env := flags.String("env", "RELEASE", "`name` of the environment")
	address := flags.String("http", "127.0.0.1:8080", "`address` of the service")
	operator := flags.String("operator", "127.0.0.1:9464", "`address` of /metrics and /status")
	if err := flags.Parse(args); err != nil {
		return err
	}
	t, metrics, err := newMetrics()
	if err != nil {
		return err
	}
	watching, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end() // after the servers have shut down, because it closes the replay store
	v, err := config.Watch(watching, *file, *env, config.WithObservers(t),
		config.WithReloads(func(r config.Reload) { t.Reloaded(r.Environment, r.Err) }))
	if err != nil {
		return err
	}
	stop, err := t.Register(v)
	if err != nil {
		return err
	}
	defer stop()
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello\n") })
	return serve(ctx, out, map[string]http.Handler{
		*address: nethttp.Middleware(v)(service), *operator: operations(v, metrics)})
}

// newMetrics returns the observer for verifiers, and the handler for Prometheus.
func newMetrics() (*telemetry.Telemetry, http.Handler, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, nil, err
	}
	t, err := telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter))})
	return t, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), err
}

// operations returns the handler of the operator's pages.
func operations(v *core.Verifier, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { writeStatus(w, v.Status()) })
	return mux
}

// writeStatus writes the secrets in use, since when, and the refused requests.
func writeStatus(w io.Writer, s core.Status) {
	date := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.UTC().Format(time.RFC3339)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "environment %s, mode %v, since %s\n\n", s.Environment, s.Mode, date(s.Since))
	fmt.Fprintln(table, "key\tsecret\tuses\tlast used\tuntil")
	for _, key := range s.Keys {
		for place, secret := range key.Secrets {
			name := "current"
			if place > 0 {
				name = fmt.Sprint("previous ", place)
			}
			fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", key.Name, name, secret.Uses, date(secret.LastUsed), date(secret.Until))
		}
	}
	fmt.Fprintln(table, "\nAPI\tcode\trefused\twould be refused")
	for _, api := range s.APIs {
		codes := map[core.Code]bool{}
		for code := range api.Refused {
			codes[code] = true
		}
		for code := range api.WouldRefuse {
			codes[code] = true
		}
		for _, code := range sorted(codes) {
			fmt.Fprintf(table, "%q\t%s\t%d\t%d\n", api.Match, code, api.Refused[code], api.WouldRefuse[code])
		}
	}
	fmt.Fprintf(table, "\nlog records not written: %d suppressed, %d failed\n", s.Log.Suppressed, s.Log.Failed)
	table.Flush()
}

func sorted(codes map[core.Code]bool) (all []core.Code) {
	for code := range codes {
		all = append(all, code)
	}
	slices.Sort(all)
	return all
}

// serve serves every handler on its address until ctx ends.
func serve(ctx context.Context, out io.Writer, handlers map[string]http.Handler) error {
	failed := make(chan error, len(handlers))
	var servers []*http.Server
	for address, handler := range handlers {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		server := &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second, // for bodies there is body_timeout in the file
			IdleTimeout:       2 * time.Minute,
		}
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
		fmt.Fprintln(out, "serving on", listener.Addr())
	}
	var problems []error
	select {
	case err := <-failed:
		problems = append(problems, err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	for _, server := range servers {
		problems = append(problems, server.Shutdown(ending)) // waits for the requests in progress
	}
	return errors.Join(problems...)
}
