package telemetry_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/telemetry"
)

// The verdicts of a verifier as metrics. A program has a reader that exports them, such as
// that of Prometheus, in place of the manual one.
func ExampleNew() {
	reader := metric.NewManualReader()
	t, err := telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		log.Fatal(err)
	}
	key := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("not-a-secret-to-use")}
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Default:     "orders_key",
		Observers:   []core.Observer{t},
		// Records lead to their traces.
		Logger: slog.New(telemetry.LogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))),
	})
	if err != nil {
		log.Fatal(err)
	}
	stop, err := t.Register(v)
	if err != nil {
		log.Fatal(err)
	}
	defer stop()

	v.Verify(httptest.NewRequest("GET", "/orders/7", nil))
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		log.Fatal(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "gatewayauth.verifications" {
			code, _ := sum.DataPoints[0].Attributes.Value("code")
			fmt.Println(m.Name, code.AsString(), sum.DataPoints[0].Value)
		}
	}
	// Output: gatewayauth.verifications credential_missing 1
}
