package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// observed are the instruments that are read when metrics are collected.
type observed struct {
	mode, buffered, entries, maxEntries metric.Int64ObservableGauge
	lastUsed, until                     metric.Float64ObservableGauge
	unwritten                           metric.Int64ObservableCounter
}

func (o *observed) make(m metric.Meter) error {
	var problems [7]error
	o.mode, problems[0] = m.Int64ObservableGauge("gatewayauth.mode", metric.WithDescription("1 for the mode in force."))
	o.buffered, problems[1] = m.Int64ObservableGauge("gatewayauth.body.buffered", metric.WithUnit("By"),
		metric.WithDescription("Memory that holds bodies."))
	o.lastUsed, problems[2] = m.Float64ObservableGauge("gatewayauth.secret.last_used", metric.WithUnit("s"),
		metric.WithDescription("When a request was last accepted because of the secret, in Unix time."))
	o.until, problems[3] = m.Float64ObservableGauge("gatewayauth.secret.until", metric.WithUnit("s"),
		metric.WithDescription("When the next previous secret of a key ends, in Unix time."))
	o.unwritten, problems[4] = m.Int64ObservableCounter("gatewayauth.log.unwritten",
		metric.WithDescription("Log records that exceeded the limit, or that the log handler failed to write."))
	o.entries, problems[5] = m.Int64ObservableGauge("gatewayauth.replay.entries", metric.WithDescription("Requests that the replay store remembers."))
	o.maxEntries, problems[6] = m.Int64ObservableGauge("gatewayauth.replay.max_entries", metric.WithDescription("Requests that the replay store can remember."))
	return errors.Join(problems[:]...)
}

// Register exports metrics of the status of v until stop is called. All registered
// verifiers must have different environment names.
func (t *Telemetry) Register(v *core.Verifier) (stop func() error, err error) {
	o := &t.observed
	registration, err := t.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		t.collect(v, to)
		return nil
	}, o.mode, o.buffered, o.lastUsed, o.until, o.unwritten, o.entries, o.maxEntries)
	if err != nil {
		return nil, err
	}
	// Start the counters at 0: Prometheus sees no increase if a counter starts at 1.
	if env := v.Status().Environment; v.ReplayStore() != nil {
		for _, outcome := range []string{"refused", "accepted"} {
			t.unavailable.Add(context.Background(), 0, t.byWhich.get(whichLabels{env, "outcome", outcome}))
		}
	}
	return registration.Unregister, nil
}

// collect is called whenever metrics are collected.
func (t *Telemetry) collect(v *core.Verifier, to metric.Observer) {
	o, s := &t.observed, v.Status()
	with := func(further ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributes(append(further, environment(s.Environment))...)
	}
	to.ObserveInt64(o.mode, 1, with(attribute.String("mode", s.Mode.String())))
	to.ObserveInt64(o.buffered, v.Buffered(), with())
	to.ObserveInt64(o.unwritten, int64(s.Log.Suppressed), with(attribute.String("reason", "suppressed")))
	to.ObserveInt64(o.unwritten, int64(s.Log.Failed), with(attribute.String("reason", "failed")))
	if store, ok := v.ReplayStore().(interface{ Stats() replay.Stats }); ok {
		scope := "unknown"
		if scoped, ok := store.(interface{ Scope() string }); ok {
			scope = scoped.Scope()
		}
		set, stats := with(attribute.String("replay_scope", scope)), store.Stats()
		to.ObserveInt64(o.entries, int64(stats.Entries), set)
		to.ObserveInt64(o.maxEntries, int64(stats.MaxEntries), set)
	}
	for _, key := range s.Keys {
		t.collectKey(key, s.Time, to, with)
	}
}

// collectKey reports all previous secrets of a key as one series, because their
// positions change with each rotation.
func (t *Telemetry) collectKey(key core.KeyStatus, now time.Time, to metric.Observer, with func(...attribute.KeyValue) metric.MeasurementOption) {
	name := t.keys.known(key.Name)
	if name == "other" {
		return // a series for many keys has no meaning
	}
	label := attribute.String("key", name)
	var used, until float64
	for place, secret := range key.Secrets {
		switch last := float64(secret.LastUsed.Unix()); {
		case secret.Uses == 0: // not used since the last rotation
		case place == 0:
			to.ObserveFloat64(t.observed.lastUsed, last, with(label, attribute.String("secret", which(place))))
		default:
			used = max(used, last)
		}
		if end := secret.Until; !end.IsZero() && end.After(now) {
			if seconds := float64(end.Unix()); until == 0 || seconds < until {
				until = seconds
			}
		}
	}
	if used > 0 {
		to.ObserveFloat64(t.observed.lastUsed, used, with(label, attribute.String("secret", which(1))))
	}
	if until > 0 {
		to.ObserveFloat64(t.observed.until, until, with(label))
	}
}
