package core_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/capture"
)

// TestLateRequest: an observer of a late verdict gets the request as received, and
// not the one that the handler changes at the same time.
func TestLateRequest(t *testing.T) {
	recorder, err := capture.New(capture.Config{Dir: t.TempDir(), PerMinute: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer recorder.Wait()
	var seen http.Header
	v := verifier(t, streaming, func(c *core.Config) {
		c.Observers = []core.Observer{recorder, core.ObserverFunc(func(_ context.Context, e core.Event) {
			if e.Err != nil {
				seen = e.Request.Header.Clone()
			}
		})}
	})
	for range 50 {
		r := signed(t, k1, "POST", "/pay", "amount=100", apig.SignOptions{Payload: core.PayloadDeclared})
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("amount=999")), -1
		admission, err := v.Admit(httptest.NewRecorder(), r, core.BodyUnbuffered)
		if err != nil {
			t.Fatal(err)
		}
		q, read := admission.Request, make(chan struct{})
		go func() { // as http.Transport does with the body of a request that is passed on
			defer close(read)
			io.Copy(io.Discard, q.Body)
		}()
		for range 200 {
			q.Header.Set("X-Upstream-Key", "hunter2secret")
			q.Header.Del("X-Upstream-Key")
		}
		q.Header.Set("X-Upstream-Key", "hunter2secret")
		<-read
		admission.Release()
	}
	if seen == nil || seen.Get("X-Upstream-Key") != "" {
		t.Errorf("the observer got %v", seen)
	}
}

// TestLateRequestChanged: the same without a race.
func TestLateRequestChanged(t *testing.T) {
	var got core.Event
	v := verifier(t, streaming, func(c *core.Config) {
		c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) {
			if e.Err != nil {
				got = e
			}
		})}
	})
	r := signed(t, k1, "POST", "/pay", "amount=100", apig.SignOptions{Payload: core.PayloadDeclared})
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("amount=999")), -1
	admission, err := v.Admit(nil, r, core.BodyUnbuffered)
	if err != nil {
		t.Fatal(err)
	}
	defer admission.Release()
	q := admission.Request
	q.Header.Set("X-Upstream-Key", "hunter2secret")
	q.Host, q.Method = "upstream.example", "PUT"
	io.Copy(io.Discard, q.Body)
	if got.Request == nil || got.Request.Header.Get("X-Upstream-Key") != "" || got.Request.Host == "upstream.example" || got.Request.Method == "PUT" {
		t.Errorf("the observer got the handler's request: %+v", got.Request)
	}
}

// TestHeaderOfASchemeInRecords: the header of a refusal of the user's code is escaped in records.
func TestHeaderOfASchemeInRecords(t *testing.T) {
	var out strings.Builder
	v := verifier(t, func(c *core.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "header" && strings.ContainsAny(a.Value.String(), "\n\x1b") {
				t.Errorf("the record has the header %q", a.Value)
			}
			return a
		}}))
		c.Schemes = []core.Scheme{naming{c.Schemes[0]}}
	})
	wantVerdict(t, v, signed(t, k1, "GET", "/a", "", apig.SignOptions{}), core.CodeUnavailable)
	if !strings.Contains(out.String(), "level=ERROR") {
		t.Error(out.String())
	}
}

// naming is a scheme of the user's, which names a header as it was received.
type naming struct{ core.Scheme }

func (naming) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return 0, &core.Error{Code: core.CodeUnavailable, Header: "x\nlevel=ERROR\x1b[2J"}
}
