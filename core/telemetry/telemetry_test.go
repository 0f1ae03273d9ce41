package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/telemetry"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

var (
	instant = testkit.Now()
	old     = core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("old-0123456789abcdef")}
	k1      = core.Key{Name: "k1", ID: old.ID, Secret: core.NewSecret("new-0123456789abcdef"),
		Previous: []core.PreviousSecret{{Secret: old.Secret, Until: instant.Add(time.Hour)}}}
)

func config(t *telemetry.Telemetry, change ...func(*core.Config)) core.Config {
	c := core.Config{
		Environment: "prod",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(k1)})},
		APIs:        []core.API{{Match: "/orders/{id}", Key: "k1"}, {Match: "/open", Open: true}},
		Default:     "k1",
		Now:         testkit.Now,
		Logger:      slog.New(slog.DiscardHandler),
		Observers:   []core.Observer{t},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// setUp returns a verifier whose metrics can be collected.
func setUp(t *testing.T, change ...func(*core.Config)) (*core.Verifier, *telemetry.Telemetry, sdk.Reader) {
	t.Helper()
	reader := sdk.NewManualReader()
	tel, err := telemetry.New(telemetry.Config{MeterProvider: sdk.NewMeterProvider(sdk.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	v := testkit.New(t, config(tel, change...))
	stop, err := tel.Register(v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return v, tel, reader
}

func signed(key core.Key, target string, at time.Time) *http.Request {
	return testkit.Sign(apig.NewSigner(key, apig.SignOptions{}), httptest.NewRequest("GET", target, nil), "", at)
}

// collect returns every series as "name{label=value ...}" with its value, or its
// count and sum.
func collect(t *testing.T, reader sdk.Reader) map[string]string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	series := map[string]string{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			put := func(set attribute.Set, value string) {
				var labels []string
				for _, kv := range set.ToSlice() {
					labels = append(labels, string(kv.Key)+"="+kv.Value.String())
				}
				series[strings.TrimPrefix(m.Name, "gatewayauth.")+"{"+strings.Join(labels, " ")+"}"] = value
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					put(p.Attributes, fmt.Sprint(p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					put(p.Attributes, fmt.Sprint(p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					put(p.Attributes, fmt.Sprintf("%.0f", p.Value))
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					put(p.Attributes, fmt.Sprintf("%d of %g", p.Count, p.Sum))
				}
			default:
				t.Fatalf("%s is a %T", m.Name, m.Data)
			}
		}
	}
	return series
}

func want(t *testing.T, got map[string]string, series ...string) {
	t.Helper()
	for _, s := range series {
		name, value, _ := strings.Cut(s, " -> ")
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	if t.Failed() {
		for name, value := range got {
			t.Log(name, value)
		}
	}
}

// down is a store that cannot be reached.
type down struct{}

func (down) Add(context.Context, core.ReplayEntry) (bool, error) { return false, errors.New("down") }

func TestMetrics(t *testing.T) {
	store, err := replay.New(replay.Config{MaxEntries: 1000})
	if err != nil {
		t.Fatal(err)
	}
	stored := func(c *core.Config) { c.Replay.Store = store }
	v, tel, reader := setUp(t, stored)
	judge := func(r *http.Request, want core.Code) {
		t.Helper()
		if _, err := v.Verify(r); core.CodeOf(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	judge(signed(k1, "/orders/7", instant.Add(-30*time.Second)), "")
	judge(signed(k1, "/orders/7", instant.Add(10*time.Second)), "")
	judge(signed(old, "/orders/8", instant), "")
	judge(signed(old, "/orders/8", instant), core.CodeReplayed)
	judge(httptest.NewRequest("GET", "/elsewhere", nil), core.CodeCredentialMissing)
	judge(httptest.NewRequest("GET", "/open", nil), "")
	tel.Reloaded("prod", nil)
	tel.Reloaded("prod", errors.New("bad"))
	got := collect(t, reader)
	want(t, got,
		"verifications{code=verified environment=prod mode=enforce scheme=hmac} -> 3",
		"verifications{code=replayed environment=prod mode=enforce scheme=hmac} -> 1",
		"verifications{code=credential_missing environment=prod mode=enforce scheme=none} -> 1",
		"verifications{code=open environment=prod mode=enforce scheme=none} -> 1",
		"api.refusals{api=/orders/{id} code=replayed environment=prod mode=enforce} -> 1",
		"api.refusals{api= code=credential_missing environment=prod mode=enforce} -> 1",
		"secret.uses{environment=prod key=k1 secret=current} -> 2",
		"secret.uses{environment=prod key=k1 secret=previous} -> 1",
		fmt.Sprint("secret.last_used{environment=prod key=k1 secret=current} -> ", instant.Unix()),
		fmt.Sprint("secret.last_used{environment=prod key=k1 secret=previous} -> ", instant.Unix()),
		fmt.Sprint("secret.until{environment=prod key=k1} -> ", instant.Add(time.Hour).Unix()),
		"clock.skew{direction=late environment=prod} -> 2 of 30",
		"clock.skew{direction=early environment=prod} -> 1 of 10",
		"mode{environment=prod mode=enforce} -> 1",
		"body.buffered{environment=prod} -> 0",
		"log.unwritten{environment=prod reason=suppressed} -> 0",
		"log.unwritten{environment=prod reason=failed} -> 0",
		"replay.entries{environment=prod replay_scope=process} -> 3",
		"replay.max_entries{environment=prod replay_scope=process} -> 1000",
		"config.failures{environment=prod} -> 1", "config.stale{environment=prod} -> 1",
	)
	for outcome, n := range map[string]string{"verified": "3 of ", "refused": "2 of ", "open": "1 of "} {
		if s := got["verification.duration{environment=prod outcome="+outcome+"}"]; !strings.HasPrefix(s, n) || strings.HasSuffix(s, " 0") {
			t.Errorf("duration of %s: %q", outcome, s)
		}
	}
	if loaded := got["config.last_success{environment=prod}"]; len(loaded) != 10 {
		t.Errorf("last success at %q", loaded)
	}
	for allow, outcome := range map[bool]string{true: "accepted", false: "refused"} {
		if err := v.Reload(config(tel, func(c *core.Config) {
			c.Mode, c.Replay = core.Report, core.Replay{Store: down{}, AllowUnavailable: allow}
		})); err != nil {
			t.Fatal(err)
		}
		v.Verify(signed(k1, "/orders/7", instant))
		got = collect(t, reader)
		want(t, got, "replay.unavailable{environment=prod outcome="+outcome+"} -> 1", "mode{environment=prod mode=report} -> 1")
	}
	want(t, got, "replay.entries{environment=prod replay_scope=process} -> ", "mode{environment=prod mode=enforce} -> ")
	tel.Reloaded("prod", nil)
	want(t, collect(t, reader), "config.failures{environment=prod} -> 1", "config.stale{environment=prod} -> 0")
}

// TestLabels_T138: whatever callers send, there are no more series.
func TestLabels_T138(t *testing.T) {
	v, _, reader := setUp(t)
	before := 0
	forged := signed(core.Key{ID: "FORGED", Secret: k1.Secret}, "/", instant).Header
	for i := range 100_000 {
		r := httptest.NewRequest("GET", fmt.Sprintf("/orders/%d", i), nil)
		switch i % 5 {
		case 0: // nothing presented
		case 1:
			r.Method = fmt.Sprint("M", i)
		case 2:
			r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256-%d Access=x, SignedHeaders=host, Signature=y", i))
		case 3:
			r.Header = forged.Clone()
			r.Header.Set("Authorization", strings.Replace(forged.Get("Authorization"), "FORGED", fmt.Sprint("id", i), 1))
		case 4:
			r = signed(k1, fmt.Sprintf("/orders/%d?q=%d", i, i), instant)
			v.Verify(r)
		}
		r.Host, r.RemoteAddr = fmt.Sprintf("h%d.example.com", i), fmt.Sprintf("192.0.2.1:%d", i)
		r.Header.Set("User-Agent", fmt.Sprint("agent", i))
		v.Verify(r)
		if i == 99 {
			before = len(collect(t, reader))
		}
	}
	after := collect(t, reader)
	if len(after) != before || before < 10 || before > 40 {
		t.Errorf("%d series, %d after 100 requests", len(after), before)
	}
	for name := range after {
		if strings.ContainsAny(name, "0123456789") && !strings.Contains(name, "key=k1") {
			t.Errorf("series %s", name)
		}
	}
}

// TestNames_T138: not even a key source with any number of keys, or ever new
// patterns, makes any number of series.
func TestNames_T138(t *testing.T) {
	reader := sdk.NewManualReader()
	tel, err := telemetry.New(telemetry.Config{MeterProvider: sdk.NewMeterProvider(sdk.WithReader(reader), sdk.WithCardinalityLimit(0))})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		e := core.Event{Environment: "prod", Scheme: "hmac", Key: fmt.Sprint("k", i), API: fmt.Sprint("/", i)}
		tel.Observe(t.Context(), e)
		e.Code, e.Err = core.CodeReplayed, &core.Error{Code: core.CodeReplayed}
		tel.Observe(t.Context(), e)
	}
	got := collect(t, reader)
	want(t, got, "secret.uses{environment=prod key=other secret=current} -> 2000", "secret.uses{environment=prod key=k0 secret=current} -> 1",
		"verifications{code=verified environment=prod mode=enforce scheme=hmac} -> 3000")
	if len(got) > 2100 {
		t.Errorf("%d series", len(got))
	}
}

func TestSpans(t *testing.T) {
	v, _, _ := setUp(t)
	spans := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(spans)).Tracer("test")
	for _, r := range []*http.Request{signed(k1, "/orders/7", instant), httptest.NewRequest("GET", "/x", nil)} {
		ctx, span := tracer.Start(t.Context(), "request")
		v.Verify(r.WithContext(ctx))
		span.End()
	}
	var got []string
	for _, span := range spans.Ended() {
		line := ""
		for _, kv := range span.Attributes() {
			line += strings.TrimPrefix(string(kv.Key), "gatewayauth.") + "=" + kv.Value.String() + " "
		}
		got = append(got, line)
	}
	if want := []string{"code=verified environment=prod mode=enforce scheme=hmac key=k1 api=/orders/{id} ",
		"code=credential_missing environment=prod mode=enforce scheme=none key= api= "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// hanging is an exporter that never returns.
type hanging struct{ called chan struct{} }

func (hanging) Temporality(sdk.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}
func (hanging) Aggregation(sdk.InstrumentKind) sdk.Aggregation { return sdk.AggregationDefault{} }
func (h hanging) Export(context.Context, *metricdata.ResourceMetrics) error {
	close(h.called)
	select {}
}
func (hanging) ForceFlush(context.Context) error { return nil }
func (hanging) Shutdown(context.Context) error   { return nil }

// TestExporter_F22: one that hangs, and instruments that panic, change no verdict.
func TestExporter_F22(t *testing.T) {
	stuck := hanging{make(chan struct{})}
	provider := sdk.NewMeterProvider(sdk.WithReader(sdk.NewPeriodicReader(stuck, sdk.WithInterval(time.Millisecond))))
	tel, err := telemetry.New(telemetry.Config{MeterProvider: provider})
	if err != nil {
		t.Fatal(err)
	}
	broken := new(telemetry.Telemetry) // its instruments are nil
	v := testkit.New(t, config(tel, func(c *core.Config) { c.Observers = append(c.Observers, broken) }))
	if _, err := tel.Register(v); err != nil {
		t.Fatal(err)
	}
	judge := func() {
		if _, err := v.Verify(signed(k1, "/orders/7", instant)); err != nil {
			t.Error(err)
		}
		if _, err := v.Verify(httptest.NewRequest("GET", "/x", nil)); core.CodeOf(err) != core.CodeCredentialMissing {
			t.Error(err)
		}
	}
	judge()
	<-stuck.called
	start := time.Now()
	for range 1000 {
		judge()
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("2000 verdicts took %v while the exporter hangs", d)
	}
	if tel, err = telemetry.New(telemetry.Config{MeterProvider: noop.NewMeterProvider()}); err != nil {
		t.Fatal(err)
	}
	tel.Observe(t.Context(), core.Event{})
}

func BenchmarkObserve(b *testing.B) {
	tel, err := telemetry.New(telemetry.Config{MeterProvider: sdk.NewMeterProvider(sdk.WithReader(sdk.NewManualReader()))})
	if err != nil {
		b.Fatal(err)
	}
	e := core.Event{Environment: "prod", Scheme: "hmac", Key: "k1", API: "/x", Duration: 1, SignedAt: instant}
	b.ReportAllocs()
	for b.Loop() {
		tel.Observe(b.Context(), e)
	}
}
