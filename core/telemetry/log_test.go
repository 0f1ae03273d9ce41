package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/telemetry"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestLogHandler: the record of a refusal has the ids of the span in the request's
// context, within the groups and attributes of the logger, and none without a span.
func TestLogHandler(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(telemetry.LogHandler(slog.NewJSONHandler(&log, nil))).With("service", "orders").WithGroup("g")
	_, tel, _ := setUp(t)
	v := testkit.New(t, config(tel, func(c *core.Config) { c.Logger = logger }))
	ctx, span := trace.NewTracerProvider().Tracer("test").Start(t.Context(), "request")
	for _, traced := range []bool{true, false} {
		r := httptest.NewRequest("GET", "/orders/1", nil)
		if traced {
			r = r.WithContext(ctx)
		}
		log.Reset()
		v.Verify(r)
		var record struct {
			Service string
			G       struct {
				Code    core.Code
				TraceID string `json:"trace_id"`
				SpanID  string `json:"span_id"`
			}
		}
		if err := json.Unmarshal(log.Bytes(), &record); err != nil {
			t.Fatal(err)
		}
		wantTrace, wantSpan := "", ""
		if traced {
			wantTrace, wantSpan = span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String()
		}
		if g := record.G; record.Service != "orders" || g.Code != core.CodeCredentialMissing || g.TraceID != wantTrace || g.SpanID != wantSpan {
			t.Errorf("traced %v: got %s", traced, log.String())
		}
	}
}
