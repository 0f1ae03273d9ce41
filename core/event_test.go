package core_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
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
	wantVerdict(t, v, request(t, strings.Replace(p1, "items", "other", 1)), core.CodeSignatureMismatch)
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

// TestEvents: the whole event of a request that was accepted, of a link, of one that was
// refused, and of one whose method and path are not ASCII.
func TestEvents(t *testing.T) {
	type tag struct{}
	var seen []core.Event
	now := instant
	link := core.Key{Name: "link", ID: "AKIDLINK", Secret: core.NewSecret("a-secret-of-a-link-012345"), Region: "us-east-1", Service: "s3"}
	v := verifier(t, func(c *core.Config) {
		c.Schemes = append(c.Schemes, sigv4.New(sigv4.Config{Keys: core.Keys(link), Paths: sigv4.S3}))
		c.APIs = []core.API{{Match: "/v1/", Key: "k1", MaxBody: 1000}, {Match: "/link", Key: "link"}}
		c.AllowPresigned, c.AllowUnsignedPayload, c.Now = true, true, func() time.Time { return now }
		c.Observers = []core.Observer{core.ObserverFunc(func(ctx context.Context, e core.Event) {
			if ctx.Value(tag{}) != "of the request" {
				t.Error("the context is not that of the request")
			}
			seen = append(seen, e)
		})}
	})
	long := strings.Repeat("M", 200)
	for _, tt := range []struct {
		r    *http.Request
		late time.Duration
		want core.Event
	}{
		{signed(t, k1, "POST", "/v1/items", "text", apig.SignOptions{}), time.Second, core.Event{
			Scheme: "hmac", Algorithm: "SDK-HMAC-SHA256", Key: "k1", KeyID: k1.ID, API: "/v1/", APIKey: "k1", Size: 4, Limit: 1000,
			SignedAt: instant, Skew: time.Second, ValidUntil: instant.Add(15 * time.Minute), Method: "POST", Path: "/v1/items"}},
		{testkit.Sign(testkit.Presigner{Signer: sigv4.NewSigner(link, sigv4.SignOptions{Paths: sigv4.S3})}, testkit.Unsigned("GET", "/link"), "", instant), 0, core.Event{
			Scheme: "sigv4", Algorithm: "AWS4-HMAC-SHA256", Key: "link", KeyID: link.ID, API: "/link", APIKey: "link", Limit: 12 << 20,
			SignedAt: instant, ValidUntil: instant.Add(time.Minute), Method: "GET", Path: "/link"}},
		{signed(t, k1, "GET", "/v1/items", "", apig.SignOptions{}), time.Hour, core.Event{Code: core.CodeSignatureExpired,
			Scheme: "hmac", Algorithm: "SDK-HMAC-SHA256", Key: "k1", KeyID: k1.ID, API: "/v1/", APIKey: "k1", Limit: 1000,
			SignedAt: instant, Skew: time.Hour, ValidUntil: instant.Add(15 * time.Minute), Method: "GET", Path: "/v1/items"}},
		{&http.Request{Method: long + "\u00e9", URL: &url.URL{Path: "/v1/\u00e9"}, RequestURI: "/v1/\u00e9", Host: strings.Repeat("h", 128), RemoteAddr: "\x7f", ContentLength: -1}, 0, core.Event{
			Code: core.CodeCredentialMissing, API: "/v1/", APIKey: "k1", Limit: 1000, Method: long[:128] + "...", Path: "/v1/\\u00e9", Remote: "\\x7f"}},
	} {
		now, seen = instant.Add(tt.late), nil
		tt.r = tt.r.WithContext(context.WithValue(context.Background(), tag{}, "of the request"))
		_, err := v.Verify(tt.r)
		core.Release(tt.r)
		if core.CodeOf(err) != tt.want.Code || len(seen) != 1 {
			t.Fatalf("got %v and %d events, want code %q", err, len(seen), tt.want.Code)
		}
		got := seen[0]
		if got.Request == nil || got.Duration <= 0 || (got.Err == nil) != (tt.want.Code == "") {
			t.Errorf("got the request %p, %v and the error %v", got.Request, got.Duration, got.Err)
		}
		got.Request, got.Duration, got.Err = nil, 0, nil
		tt.want.Time, tt.want.Environment = now, "prod"
		tt.want.Host, tt.want.Remote = cmp.Or(tt.want.Host, tt.r.Host), cmp.Or(tt.want.Remote, tt.r.RemoteAddr)
		if got != tt.want {
			t.Errorf("got  %+v\nwant %+v", got, tt.want)
		}
	}
}

// TestEnabledPanics_F15: a log handler that panics when it is asked for its level changes no
// verdict, where an observer panics as well.
func TestEnabledPanics_F15(t *testing.T) {
	h := &unwilling{Handler: slog.DiscardHandler}
	v := verifier(t, func(c *core.Config) {
		c.Logger, c.Observers = slog.New(h), []core.Observer{core.ObserverFunc(func(context.Context, core.Event) { panic("x") })}
	})
	h.unwilling = true
	if _, err := v.Verify(request(t, p1)); err != nil {
		t.Error(err)
	}
	wantVerdict(t, v, request(t, strings.Replace(p1, "items", "other", 1)), core.CodeSignatureMismatch)
}

type unwilling struct {
	slog.Handler
	unwilling bool
}

func (h *unwilling) Enabled(context.Context, slog.Level) bool {
	if h.unwilling {
		panic("level")
	}
	return false
}

// TestPanicRecords_F15: a panic of an observer is logged where the handler takes errors. One of
// the handler itself is handed to it once more.
func TestPanicRecords_F15(t *testing.T) {
	for level, want := range map[slog.Level]string{slog.LevelError: "ERROR gatewayauth: panic in the application's observer", slog.LevelError + 1: ""} {
		var log lines
		v := verifier(t, func(c *core.Config) {
			c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: level}))
			c.Observers = []core.Observer{core.ObserverFunc(func(context.Context, core.Event) { panic("x") })}
		})
		v.Verify(request(t, p1))
		got := ""
		for _, r := range log.records(t) {
			got += fmt.Sprint(r["level"], " ", r["msg"])
		}
		if got != want {
			t.Errorf("from level %v: got %q, want %q", level, got, want)
		}
	}
	var log lines
	first := true
	h := slog.NewJSONHandler(&log, nil)
	v := verifier(t, func(c *core.Config) {
		c.Logger = slog.New(handlerFunc{h, func(ctx context.Context, r slog.Record) error {
			if strings.HasPrefix(r.Message, "request") && first {
				first = false
				panic("x")
			}
			return h.Handle(ctx, r)
		}})
	})
	log.records(t)
	wantVerdict(t, v, request(t, strings.Replace(p1, "items", "other", 1)), core.CodeSignatureMismatch)
	records := log.records(t)
	if len(records) != 1 || records[0]["level"] != "ERROR" || records[0]["msg"] != "gatewayauth: panic in the application's log handler" ||
		!strings.Contains(fmt.Sprint(records[0]["stack"]), "event_test.go") || strings.HasPrefix(fmt.Sprint(records[0]["time"]), "0001") {
		t.Errorf("got %v", records)
	}
}

// TestRetryRecord: the whole record of a retry, in report mode and without observers, where
// nothing is measured.
func TestRetryRecord(t *testing.T) {
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var log lines
	v := verifier(t, func(c *core.Config) {
		c.Mode, c.Logger = core.Report, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Replay = core.Replay{Store: store, Retries: core.Retries{Methods: []string{"PUT"}, Within: time.Minute}}
		c.Now = func() time.Time { return instant.Add(60*time.Second + 500*time.Millisecond) }
	})
	for _, message := range []string{"request verified", "request verified: a retry"} {
		log.records(t)
		admission, err := v.Admit(nil, signed(t, k1, "PUT", "/v1/items", "text", apig.SignOptions{}), core.BodyForHandler)
		if err != nil {
			t.Fatal(err)
		}
		admission.PermitRetry()
		admission.Answer(http.StatusBadGateway)
		admission.Release()
		records := log.records(t)
		for _, r := range records {
			delete(r, "time")
		}
		want := map[string]any{"level": "DEBUG", "msg": message, "environment": "prod", "mode": "report", "scheme": "hmac", "algorithm": "SDK-HMAC-SHA256",
			"key": "k1", "secret": 0, "key_id": k1.ID, "method": "PUT", "host": "api.example.com", "path": "/v1/items", "remote": "192.0.2.1:1234", "skew": "1m1s"}
		if len(records) != 1 || !equalMaps(records[0], want) {
			t.Errorf("got %v, want %v", records, want)
		}
	}
}

// TestDuration: a verdict that took no time on a coarse clock took a nanosecond: 0 means that
// nothing was measured.
func TestDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := verifier(t, func(c *core.Config) {
			c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) {
				if e.Duration != 1 {
					t.Errorf("got %v", e.Duration)
				}
			})}
		})
		wantVerdict(t, v, request(t, p1), "")
	})
}

// TestBodyOfNothing: an event without a request has no body.
func TestBodyOfNothing(t *testing.T) {
	if first, held := new(core.Event).Body(10); first != nil || held != 0 {
		t.Errorf("got %q, %d", first, held)
	}
}
