package main

import (
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/telemetry"
)

// metrics serves the metrics for Prometheus on an address that only the operator may reach.
type metrics struct {
	telemetry *telemetry.Telemetry
	page      http.Handler
}

func newMetrics() (*metrics, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	t, err := telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter))})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return &metrics{t, mux}, nil
}

// options returns the options with which the metrics observe verdicts and reloads.
func (m *metrics) options() []config.Option {
	return []config.Option{config.WithObservers(m.telemetry),
		config.WithReloads(func(r config.Reload) { m.telemetry.Reloaded(r.Environment, r.Err) })}
}

// serve serves them until stop is called.
func (m *metrics) serve(address string, v *core.Verifier) (listening string, stop func(), err error) {
	unregister, err := m.telemetry.Register(v)
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		unregister()
		return "", nil, err
	}
	server := &http.Server{Handler: m.page, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	return listener.Addr().String(), func() { server.Close(); unregister() }, nil
}
