package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatewayauth/gatewayauth/core"
)

const scope = "github.com/gatewayauth/gatewayauth/core/telemetry"

// Config configures [New]. The zero Config uses the global meter provider.
type Config struct {
	// MeterProvider; nil means otel.GetMeterProvider().
	MeterProvider metric.MeterProvider
}

// Telemetry is a [core.Observer] for any number of verifiers. Create it with [New].
type Telemetry struct {
	meter metric.Meter

	verifications, refusals, uses, unavailable, failures metric.Int64Counter
	duration, skew                                       metric.Float64Histogram
	lastSuccess                                          metric.Float64Gauge
	stale                                                metric.Int64Gauge
	observed                                             observed

	keys    names
	others  names // of APIs and schemes
	byCode  sets[codeLabels]
	byAPI   sets[apiLabels]
	byKey   sets[keyLabels]
	byWhich sets[whichLabels]
}

var _ core.Observer = (*Telemetry)(nil)

// New creates the instruments. It returns the errors of the meter provider.
func New(c Config) (*Telemetry, error) {
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	t := &Telemetry{meter: c.MeterProvider.Meter(scope)}
	var problems []error
	counter := func(name, unit, about string) metric.Int64Counter {
		i, err := t.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(about))
		problems = append(problems, err)
		return i
	}
	histogram := func(name, about string, bounds ...float64) metric.Float64Histogram {
		i, err := t.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about),
			metric.WithExplicitBucketBoundaries(bounds...))
		problems = append(problems, err)
		return i
	}
	t.verifications = counter("gatewayauth.verifications", "", "Verdicts.")
	t.refusals = counter("gatewayauth.api.refusals", "", "Refusals by API; in report mode, what enforce would refuse.")
	t.uses = counter("gatewayauth.secret.uses", "", "Requests accepted because of a key's current secret, or of a previous one.")
	t.unavailable = counter("gatewayauth.replay.unavailable", "", "Requests that the replay store could not check.")
	t.failures = counter("gatewayauth.config.failures", "", "Environments files that could not be loaded.")
	t.duration = histogram("gatewayauth.verification.duration", "Time to a verdict, including reading the body.",
		1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, .025, .1, .5, 2.5, 10, 30)
	t.skew = histogram("gatewayauth.clock.skew", "Distance of the signed date from the clock, of accepted requests.",
		1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)
	var err error
	t.lastSuccess, err = t.meter.Float64Gauge("gatewayauth.config.last_success", metric.WithUnit("s"),
		metric.WithDescription("When the environments file was last loaded, in Unix time."))
	problems = append(problems, err)
	t.stale, err = t.meter.Int64Gauge("gatewayauth.config.stale",
		metric.WithDescription("1 while the environments file cannot be loaded and the last good policy is in force."))
	problems = append(problems, err, t.observed.make(t.meter))
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return t, nil
}

// Observe counts one verdict. It takes about a microsecond and does not block.
func (t *Telemetry) Observe(ctx context.Context, e core.Event) {
	code, outcome := string(e.Code), "refused"
	if e.Err == nil {
		code = "verified"
		if e.Open {
			code = "open"
		}
		outcome = code
	}
	scheme := t.others.known(e.Scheme)
	if scheme == "" {
		scheme = "none"
	}
	key, api, mode := t.keys.known(e.Key), t.others.known(e.API), e.Mode.String()

	t.verifications.Add(ctx, 1, t.byCode.get(codeLabels{e.Environment, mode, scheme, code}))
	if e.Duration > 0 {
		t.duration.Record(ctx, e.Duration.Seconds(), t.byWhich.get(whichLabels{e.Environment, "outcome", outcome}))
	}
	switch {
	case e.Err != nil:
		t.refusals.Add(ctx, 1, t.byAPI.get(apiLabels{e.Environment, mode, api, code}))
		if e.ReplayUnavailable {
			t.unavailable.Add(ctx, 1, t.byWhich.get(whichLabels{e.Environment, "outcome", "refused"}))
		}
	case !e.Open:
		t.uses.Add(ctx, 1, t.byKey.get(keyLabels{e.Environment, key, which(e.Secret)}))
		if !e.SignedAt.IsZero() {
			skew, direction := e.Skew, "late"
			if skew < 0 {
				skew, direction = -skew, "early"
			}
			t.skew.Record(ctx, skew.Seconds(), t.byWhich.get(whichLabels{e.Environment, "direction", direction}))
		}
		if e.ReplayUnavailable {
			t.unavailable.Add(ctx, 1, t.byWhich.get(whichLabels{e.Environment, "outcome", "accepted"}))
		}
	}

	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(attribute.String("gatewayauth.code", code), attribute.String("gatewayauth.environment", e.Environment),
			attribute.String("gatewayauth.mode", mode), attribute.String("gatewayauth.scheme", scheme),
			attribute.String("gatewayauth.key", e.Key), attribute.String("gatewayauth.api", e.API))
	}
}

// which returns the label value of a secret, current or previous.
func which(secret int) string {
	if secret == 0 {
		return "current"
	}
	return "previous"
}

// Reloaded counts an attempt to load the environments file. Call it from
// config.WithReloads with the two fields of [config.Reload]. It does not take a
// config.Reload, so that this package does not link the YAML parser.
//
// [config.Reload]: https://pkg.go.dev/github.com/gatewayauth/gatewayauth/core/config#Reload
func (t *Telemetry) Reloaded(environment string, err error) {
	ctx, set := context.Background(), t.byWhich.get(whichLabels{environment, "", ""})
	if err != nil {
		t.failures.Add(ctx, 1, set)
		t.stale.Record(ctx, 1, set)
		return
	}
	t.failures.Add(ctx, 0, set) // so that the first failure is an increase
	t.stale.Record(ctx, 0, set)
	t.lastSuccess.Record(ctx, float64(time.Now().UnixMilli())/1000, set)
}
