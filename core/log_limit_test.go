package core_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// sums returns how many records there are, and what the summaries among them
// say was suppressed.
func sums(records []map[string]any) (written int, suppressed float64) {
	for _, r := range records {
		if n, ok := r["suppressed"].(float64); ok {
			suppressed += n
		} else {
			written++
		}
	}
	return written, suppressed
}

// TestLogLimit: a flood of refusals of one code costs so many records a second
// and one summary, the last one included, and hides no other code.
func TestLogLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		seen := 0
		v := verifier(t, func(c *core.Config) {
			c.Logger = jsonLogger(&log)
			c.Observers = []core.Observer{core.ObserverFunc(func(context.Context, core.Event) { seen++ })}
		})
		flood := func(n int) {
			for range n {
				wantVerdict(t, v, httptest.NewRequest("GET", "/", nil), core.CodeCredentialMissing)
			}
		}
		flood(1000)
		if _, err := v.Verify(request(t, strings.Replace(p1, "items", "other", 1))); core.CodeOf(err) != core.CodeSignatureMismatch {
			t.Error(err)
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		records := log.records(t)
		if written, suppressed := sums(records); written != 101 || suppressed != 900 || len(records) != 102 || seen != 1001 {
			t.Errorf("%d records, %v suppressed, %d in all, %d observed", written, suppressed, len(records), seen)
		}
		last := records[len(records)-1]
		delete(last, "time")
		want := map[string]any{"level": "WARN", "msg": "requests refused; their records were too many",
			"code": "credential_missing", "environment": "prod", "mode": "enforce", "suppressed": 900.0}
		if !equalMaps(last, want) {
			t.Errorf("summary %v, want %v", last, want)
		}
		for range 3 { // two of which would share two seconds
			flood(60)
			time.Sleep(1100 * time.Millisecond)
		}
		if written, suppressed := sums(log.records(t)); written != 180 || suppressed != 0 {
			t.Errorf("after the flood: %d records, %v suppressed", written, suppressed)
		}
		if got := v.Status().Log; got.Suppressed != 900 || got.Failed != 0 {
			t.Errorf("status %+v", got)
		}
		if err := v.Reload(config(func(c *core.Config) { c.Logger, c.LogLimit = jsonLogger(&log), 1 })); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		flood(2)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if written, suppressed := sums(log.records(t)); written != 1 || suppressed != 1 {
			t.Errorf("limit 1: %d records, %v suppressed", written, suppressed)
		}
	})
}

// TestLogLimitOfOthers: requests that could not be checked for replay, and panics
// of the application's code, are limited as well.
func TestLogLimitOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		v := verifier(t, replayed(&memory{fail: func() error { return errors.New("down") }}), func(c *core.Config) {
			c.Replay.AllowUnavailable = true
			c.Observers = []core.Observer{core.ObserverFunc(func(context.Context, core.Event) { panic("x") })}
			c.Logger = jsonLogger(&log)
			c.LogLimit = 10
		})
		log.records(t)
		for range 100 {
			if _, err := v.Verify(request(t, p1)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		records := log.records(t)
		if written, suppressed := sums(records); written != 20 || suppressed != 180 {
			t.Errorf("%d records, %v suppressed", written, suppressed)
		}
		texts := map[string]int{}
		for _, r := range records {
			text := fmt.Sprint(r["level"], " ", r["msg"])
			if texts[text]++; r["level"] == "ERROR" && r["suppressed"] == nil && !strings.Contains(fmt.Sprint(r["stack"]), "log_limit_test.go") {
				t.Errorf("a panic without a stack: %v", r)
			}
		}
		if want := map[string]int{
			"WARN request verified, but for replay: the store is unavailable":                  10,
			"WARN requests verified, but for replay; their records were too many":              1,
			"ERROR gatewayauth: panic in the application's observer":                           10,
			"ERROR gatewayauth: panics in the application's code; their records were too many": 1,
		}; !maps.Equal(texts, want) {
			t.Errorf("got %v, want %v", texts, want)
		}
	})
}

// TestKindsAreLimitedApart: a record of each kind is written, whatever there is of others.
func TestKindsAreLimitedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which no second ends
		var log lines
		v := verifier(t, func(c *core.Config) {
			c.Observers = []core.Observer{core.ObserverFunc(func(context.Context, core.Event) { panic("x") })}
			c.Logger, c.LogLimit, c.MaxBody = jsonLogger(&log), 1, 10
		})
		log.records(t)
		wantVerdict(t, v, request(t, p1), "")
		for _, r := range []*http.Request{
			signed(t, k1, "POST", "/v1/items", "a body of 18 bytes", apig.SignOptions{}),
			request(t, strings.Replace(p1, "items", "other", 1)),
		} {
			v.Verify(r)
		}
		var got []any
		for _, r := range log.records(t) {
			got = append(got, r["msg"], r["code"])
		}
		want := "[gatewayauth: panic in the application's observer <nil> request refused body_too_large request refused signature_mismatch]"
		if fmt.Sprint(got) != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
	})
}

// TestAcceptedAreNotLimited: records of accepted requests are all written, where they are asked
// for.
func TestAcceptedAreNotLimited(t *testing.T) {
	var log lines
	v := verifier(t, func(c *core.Config) {
		c.Logger, c.LogLimit = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), 1
	})
	log.records(t)
	for range 10 {
		wantVerdict(t, v, request(t, p1), "")
	}
	if records := log.records(t); len(records) != 10 {
		t.Errorf("got %d records: %v", len(records), records)
	}
}

// handlerFunc is a log's handler that does something with a record.
type handlerFunc struct {
	slog.Handler
	handle func(context.Context, slog.Record) error
}

func (h handlerFunc) Handle(ctx context.Context, r slog.Record) error { return h.handle(ctx, r) }

// TestLogSink_F22: a full disk, and one that hangs, change no verdict; what is lost
// is counted.
func TestLogSink_F22(t *testing.T) {
	bad := strings.Replace(p1, "items", "other", 1)
	with := func(do func() error) *core.Verifier {
		return verifier(t, func(c *core.Config) {
			h := slog.NewJSONHandler(&lines{}, &slog.HandlerOptions{Level: slog.LevelDebug})
			c.Logger = slog.New(handlerFunc{h, func(context.Context, slog.Record) error { return do() }})
			c.LogLimit = 1000
		})
	}
	judge := func(v *core.Verifier) {
		t.Helper()
		if _, err := v.Verify(request(t, p1)); err != nil {
			t.Error(err)
		}
		wantVerdict(t, v, request(t, bad), core.CodeSignatureMismatch)
	}
	t.Run("full", func(t *testing.T) {
		v := with(func() error { return syscall.ENOSPC })
		judge(v)
		if got := v.Status().Log.Failed; got != 2 {
			t.Errorf("%d records are counted as lost", got)
		}
	})
	t.Run("hangs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			before, free := runtime.NumGoroutine(), make(chan struct{})
			v := with(func() error { <-free; return nil })
			start := time.Now()
			for range 200 {
				judge(v)
			}
			// 64 verdicts wait a tenth of a second each, and no other.
			if d := time.Since(start); d < 6*time.Second || d > 7*time.Second {
				t.Errorf("400 verdicts took %v", d)
			}
			if n := runtime.NumGoroutine() - before; n > 64 {
				t.Errorf("%d goroutines hang", n)
			}
			if got := v.Status().Log.Failed; got != 400-64 {
				t.Errorf("%d records are counted as lost", got)
			}
			close(free)
			synctest.Wait()
			start = time.Now()
			judge(v)
			if got := v.Status().Log.Failed; got != 400-64 || time.Since(start) != 0 {
				t.Errorf("once the disk is back: %d lost, verdicts took %v", got, time.Since(start))
			}
		})
	})
}
