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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

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

func equalMaps(a, b map[string]any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
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
		`{"level":"DEBUG","msg":"request verified",` + common + credential + `"secret":0,"key_id":"AKTESTAKTEST0001","method":"GET","host":"api.example.com","path":"/v1/items","remote":"192.0.2.1:1234","skew":"1s"}`,
		`{"level":"WARN","msg":"request refused","code":"signature_mismatch","error":"ERROR",` + common + credential + `"key_id":"AKTESTAKTEST0001","method":"GET","host":"api.example.com","path":"/v1/other","remote":"192.0.2.1:1234","skew":"1s","hint":"HINT","doc":"https://github.com/gatewayauth/gatewayauth/blob/main/docs/troubleshooting.md#signature_mismatch"}`,
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
			got["error"], got["hint"] = "ERROR", "HINT"
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
