package core_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestObserverFaults_F15: observers and log handlers that panic change no verdict.
func TestObserverFaults_F15(t *testing.T) {
	ran := 0
	v := verifier(t, func(c *core.Config) {
		c.Observers = []core.Observer{
			core.ObserverFunc(func(context.Context, core.Event) { panic("x") }),
			core.ObserverFunc(func(context.Context, core.Event) { ran++ }),
		}
		c.Logger = slog.New(slog.NewJSONHandler(panicWriter{}, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	if _, err := v.Verify(request(t, p1)); err != nil || ran != 1 {
		t.Errorf("verdict %v, the second observer ran %d times", err, ran)
	}
	_, err := v.Verify(request(t, strings.Replace(p1, "items", "other", 1)))
	wantCode(t, err, core.CodeSignatureMismatch)
}

type panicWriter struct{}

func (panicWriter) Write([]byte) (int, error) { panic("disk") }

// TestEventOfMalformedScope: an event names a key id only where there is one.
func TestEventOfMalformedScope(t *testing.T) {
	scoped := core.Key{Name: "scoped", ID: "SCOPED", Secret: core.NewSecret("a-third-secret"), Region: "r", Service: "s"}
	var seen []core.Event
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{apig.NewScoped(apig.Config{Keys: core.Keys(scoped)})}
		c.Default = "scoped"
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { seen = append(seen, e) })}
	})
	r := request(t, p1)
	replaceIn(r, "Access=AKTESTAKTEST0001", "Credential=SCOPED/20260115/r")
	if _, err := v.Verify(r); core.CodeOf(err) != core.CodeCredentialMalformed || len(seen) != 1 || seen[0].KeyID != "" {
		t.Errorf("got %v, %+v", err, seen)
	}
}

// lines is a log that several goroutines may write to.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) records(t *testing.T) (all []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for d := json.NewDecoder(&l.text); d.More(); {
		var record map[string]any
		if err := d.Decode(&record); err != nil {
			t.Fatal(err)
		}
		all = append(all, record)
	}
	return all
}

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
				_, err := v.Verify(httptest.NewRequest("GET", "/", nil))
				wantCode(t, err, core.CodeCredentialMissing)
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
		flood(50)
		if written, suppressed := sums(log.records(t)); written != 50 || suppressed != 0 {
			t.Errorf("after the flood: %d records, %v suppressed", written, suppressed)
		}
		if got := v.Status().Log; got.Suppressed != 900 || got.Failed != 0 {
			t.Errorf("status %+v", got)
		}
		if err := v.Reload(config(func(c *core.Config) { c.Logger, c.LogLimit = jsonLogger(&log), 1 })); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		flood(3)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if written, suppressed := sums(log.records(t)); written != 1 || suppressed != 2 {
			t.Errorf("limit 1: %d records, %v suppressed", written, suppressed)
		}
	})
}

func equalMaps(a, b map[string]any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
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
		if written, suppressed := sums(log.records(t)); written != 20 || suppressed != 180 {
			t.Errorf("%d records, %v suppressed", written, suppressed)
		}
	})
}

// TestLogSchema keeps the fields of records and their types.
func TestLogSchema(t *testing.T) {
	var log lines
	v := verifier(t, func(c *core.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.APIs = []core.API{{Match: "/v1/{any}", Key: "k1"}, {Match: "/open", Open: true}}
		c.Now = func() time.Time { return instant.Add(time.Second) }
		c.Observers = []core.Observer{core.ObserverFunc(func(context.Context, core.Event) {})}
	})
	v.Verify(request(t, p1))
	v.Verify(request(t, strings.Replace(p1, "items", "other", 1)))
	v.Verify(httptest.NewRequest("GET", "/open", nil))
	const common = `"environment":"prod","mode":"enforce",`
	const credential = `"api":"/v1/{any}","scheme":"hmac","algorithm":"SDK-HMAC-SHA256","key":"k1",`
	for i, want := range []string{
		`{"level":"DEBUG","msg":"request verified",` + common + credential + `"secret":0,"key_id":"AKTESTAKTEST0001","method":"GET","host":"api.example.com","path":"/v1/items","remote":"192.0.2.1:1234","skew":1000000000}`,
		`{"level":"WARN","msg":"request refused","code":"signature_mismatch","error":"ERROR",` + common + credential + `"key_id":"AKTESTAKTEST0001","method":"GET","host":"api.example.com","path":"/v1/other","remote":"192.0.2.1:1234","skew":1000000000}`,
		`{"level":"DEBUG","msg":"request on an open API",` + common + `"api":"/open","method":"GET","host":"example.com","path":"/open","remote":"192.0.2.1:1234"}`,
	} {
		line, err := log.text.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var got, wanted map[string]any
		if err := errors.Join(json.Unmarshal(line, &got), json.Unmarshal([]byte(want), &wanted)); err != nil {
			t.Fatal(err)
		}
		if d, ok := got["duration_ns"].(float64); !ok || d <= 0 {
			t.Errorf("record %d: duration %v", i, got["duration_ns"])
		}
		if _, ok := got["error"].(string); ok {
			got["error"] = "ERROR"
		}
		delete(got, "time")
		delete(got, "duration_ns")
		if !equalMaps(got, wanted) {
			t.Errorf("got %v, want %v", got, wanted)
		}
	}
}

// TestRecordsAreASCII_T125, those of requests that took or are off by microseconds
// included.
func TestRecordsAreASCII_T125(t *testing.T) {
	for _, skew := range []time.Duration{28382 * time.Nanosecond, 999 * time.Millisecond, 1234567 * time.Microsecond} {
		var log strings.Builder
		v := verifier(t, func(c *core.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c.Now = func() time.Time { return instant.Add(skew) }
			c.Observers = []core.Observer{core.ObserverFunc(func(context.Context, core.Event) {})}
		})
		v.Verify(request(t, p1))
		v.Verify(request(t, strings.Replace(p1, "items", "other", 1)))
		if n := strings.Count(log.String(), "\n"); n != 2 || strings.ContainsFunc(log.String(), func(r rune) bool { return r > '~' }) {
			t.Errorf("skew %v: %s", skew, log.String())
		}
	}
}

// TestLogsHoldNoSecret_T126 at the lowest level, whatever is sent: no secret, no
// password, no signature, and no string to sign.
func TestLogsHoldNoSecret_T126(t *testing.T) {
	var log lines
	v := verifier(t, func(c *core.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 100}))
		c.LogLimit = 1000
	})
	basicAuth := func(user, password string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth(user, password)
		return r
	}
	wrong := core.Key{ID: k1.ID, Secret: k2.Secret}
	requests := []*http.Request{
		signed(t, k1, "GET", "/a?token=query-secret-1", "", apig.SignOptions{}),
		signed(t, wrong, "GET", "/a?token=query-secret-1", "", apig.SignOptions{}),
		signed(t, k2, "POST", "/a", "body-secret-1", apig.SignOptions{}),
		signed(t, k1, "POST", "/a", "body-secret-1", apig.SignOptions{Payload: core.PayloadDeclared}),
		signed(t, k1, "POST", "/a", "x", apig.SignOptions{Payload: core.PayloadUnsigned}),
		basicAuth(user.ID, user.Secret.Reveal()), basicAuth(user.ID, "wrong-password-1"), basicAuth("nobody", "wrong-password-1"),
	}
	hidden := []string{k1.Secret.Reveal(), k2.Secret.Reveal(), user.Secret.Reveal(), "wrong-password-1", "query-secret-1", "body-secret-1"}
	for _, r := range requests {
		auth := r.Header.Get("Authorization")
		if _, signature, ok := strings.Cut(auth, "Signature="); ok {
			hidden = append(hidden, signature)
		}
		if _, value, ok := strings.Cut(auth, "Basic "); ok {
			hidden = append(hidden, value)
		}
		v.Verify(r)
		core.Release(r)
		broken := r.Clone(t.Context())
		broken.Header.Set("Authorization", strings.Replace(auth, ", SignedHeaders", "; SignedHeaders", 1)+"z")
		v.Verify(broken)
		core.Release(broken)
	}
	text := log.text.String()
	if n := strings.Count(text, "\n"); n != 2*len(requests) {
		t.Errorf("%d records for %d verdicts", n, 2*len(requests))
	}
	for _, secret := range hidden {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			if strings.Contains(text, form) {
				t.Errorf("the log holds %q", form)
			}
		}
	}
	if strings.Contains(text, "SDK-HMAC-SHA256\\n") {
		t.Error("the log holds a string to sign")
	}
}

// sink is a log's handler whose disk does something.
type sink struct {
	slog.Handler
	do func() error
}

func (s sink) Handle(context.Context, slog.Record) error { return s.do() }

// TestLogSink_F22: a full disk, and one that hangs, change no verdict; what is lost
// is counted.
func TestLogSink_F22(t *testing.T) {
	bad := strings.Replace(p1, "items", "other", 1)
	with := func(do func() error) *core.Verifier {
		return verifier(t, func(c *core.Config) {
			c.Logger = slog.New(sink{slog.NewJSONHandler(&lines{}, &slog.HandlerOptions{Level: slog.LevelDebug}), do})
			c.LogLimit = 1000
		})
	}
	judge := func(v *core.Verifier) {
		t.Helper()
		if _, err := v.Verify(request(t, p1)); err != nil {
			t.Error(err)
		}
		_, err := v.Verify(request(t, bad))
		wantCode(t, err, core.CodeSignatureMismatch)
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
