// Package metrics serves the metrics of the programs of this module.
package metrics

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	api "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/telemetry"
)

// Metrics are the metrics of one Verifier.
type Metrics struct {
	page      http.Handler
	provider  *metric.MeterProvider
	telemetry *telemetry.Telemetry
}

// New returns metrics that have observed nothing.
func New() (*Metrics, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	t, err := telemetry.New(telemetry.Config{MeterProvider: provider})
	if err != nil {
		return nil, err
	}
	return &Metrics{promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), provider, t}, nil
}

// Failures returns what counts a request that the service behind the guard of an
// environment did not answer, or not whole.
func (m *Metrics) Failures(environment string) (failed func(context.Context), err error) {
	c, err := m.provider.Meter("github.com/gatewayauth/gatewayauth/internal/guard").Int64Counter("gatewayauth.guard.failures",
		api.WithDescription("Requests that the service behind guard did not answer, or not whole."))
	if err != nil {
		return nil, err
	}
	labels := api.WithAttributeSet(attribute.NewSet(attribute.String("environment", environment)))
	c.Add(context.Background(), 0, labels) // so that the first failure is an increase
	return func(ctx context.Context) { c.Add(ctx, 1, labels) }, nil
}

// Options returns the options with which the metrics observe verdicts and reloads.
func (m *Metrics) Options() []config.Option {
	return []config.Option{config.WithObservers(m.telemetry),
		config.WithReloads(func(r config.Reload) { m.telemetry.Reloaded(r.Environment, r.Err) })}
}

// Serve serves /metrics with the counts of v, and /healthz if health is set, on an address
// that only the operator may reach, until stop is called.
func (m *Metrics) Serve(address string, v *core.Verifier, health http.HandlerFunc) (listening string, stop func(), err error) {
	unregister, err := m.telemetry.Register(v)
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		unregister()
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.page)
	if health != nil {
		mux.HandleFunc("GET /healthz", health)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	return listener.Addr().String(), func() { server.Close(); unregister() }, nil
}
