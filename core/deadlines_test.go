package core_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// deadlineWriter records the read deadlines that are set: "set" where it is BodyTimeout from
// now, and "none" where there is no end any more.
type deadlineWriter struct {
	*httptest.ResponseRecorder
	timeout time.Duration
	since   time.Time
	list    []string
}

func (w *deadlineWriter) SetReadDeadline(deadline time.Time) error {
	switch earliest, latest := w.since.Add(w.timeout), time.Now().Add(w.timeout); {
	case deadline.IsZero():
		w.list = append(w.list, "none")
	case deadline.Before(earliest) || deadline.After(latest):
		w.list = append(w.list, fmt.Sprintf("%v, want from %v to %v", deadline, earliest, latest))
	default:
		w.list = append(w.list, "set")
	}
	return nil
}

// take returns what was recorded since the last call.
func (w *deadlineWriter) take() string {
	list := strings.Join(w.list, " ")
	w.list = nil
	return list
}

// TestReadDeadlines_F13: the connection has a deadline while a body is read for the verifier,
// and for each piece that a handler reads of a streamed one, and none afterwards. Where the
// request is refused, what is left of the body has one as well.
func TestReadDeadlines_F13(t *testing.T) {
	const timeout = 20 * time.Minute
	v := verifier(t, streaming, func(c *core.Config) {
		c.BodyTimeout = timeout
		c.APIs = append(c.APIs, core.API{Match: "/basic", Key: "user"})
	})
	with := func(body io.ReadCloser) func(*http.Request) { return func(r *http.Request) { r.Body = body } }
	served := func(read time.Duration) func(*http.Request) {
		return func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, &http.Server{ReadTimeout: read}))
		}
	}
	for _, tt := range []struct {
		name, target string
		payload      core.Payload
		change       func(*http.Request)
		admitted     bool
		early, late  string // while the verifier reads, and the handler
	}{
		{"held", "/items", core.PayloadHashed, nil, true, "set none", ""},
		{"held, with a digest", "/items", core.PayloadDeclared, nil, true, "set none", ""},
		{"held, and it breaks", "/items", core.PayloadHashed, with(&failing{Reader: strings.NewReader("te")}), false, "set set", ""},
		{"held, of another length", "/items", core.PayloadHashed, with(io.NopCloser(strings.NewReader("te"))), false, "set none set", ""},
		{"refused before it is read", "/items", core.PayloadHashed, func(r *http.Request) { r.Header.Del("Authorization") }, false, "set", ""},
		{"streamed", "/upload", core.PayloadDeclared, nil, true, "", "set set none"},
		{"held on an API that streams", "/upload", core.PayloadHashed, nil, true, "set none", ""},
		{"for the handler alone", "/basic", core.PayloadHashed, func(r *http.Request) {
			r.Header = http.Header{}
			r.SetBasicAuth(user.ID, user.Secret.Reveal())
		}, true, "", ""},
		{"no body", "/items", core.PayloadHashed, func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }, false, "", ""},
		{"nil", "/items", core.PayloadHashed, func(r *http.Request) { r.Body, r.ContentLength = nil, 0 }, false, "", ""},
		{"the server's is sooner", "/items", core.PayloadHashed, served(timeout - 1), true, "", ""},
		{"the server's is short", "/items", core.PayloadHashed, served(1), true, "", ""},
		{"the server's is the same", "/items", core.PayloadHashed, served(timeout), true, "", ""},
		{"the server's is later", "/items", core.PayloadHashed, served(timeout + 1), true, "set none", ""},
		{"the server has none", "/items", core.PayloadHashed, served(0), true, "set none", ""},
		{"the server's is sooner, streamed", "/upload", core.PayloadDeclared, served(time.Minute), true, "", ""},
	} {
		r := signed(t, k1, "POST", tt.target, "text", apig.SignOptions{Payload: tt.payload})
		if tt.change != nil {
			tt.change(r)
		}
		w := &deadlineWriter{ResponseRecorder: httptest.NewRecorder(), timeout: timeout, since: time.Now()}
		admission, err := v.Admit(w, r, core.BodyForHandler)
		if got := w.take(); (err == nil) != tt.admitted || got != tt.early {
			t.Errorf("%s: got %v and the deadlines %q, want %q", tt.name, err, got, tt.early)
		}
		if err == nil {
			if text, err := io.ReadAll(admission.Request.Body); string(text) != "text" || err != nil {
				t.Errorf("%s: the handler read %q, %v", tt.name, text, err)
			}
			if got := w.take(); got != tt.late {
				t.Errorf("%s: while the handler reads, got the deadlines %q, want %q", tt.name, got, tt.late)
			}
		}
		admission.Release()
	}
}

// TestShortReadDeadlines_F13: a BodyTimeout may be shorter than a second.
func TestShortReadDeadlines_F13(t *testing.T) {
	const timeout = time.Millisecond
	v := verifier(t, func(c *core.Config) { c.BodyTimeout = timeout })
	w := &deadlineWriter{ResponseRecorder: httptest.NewRecorder(), timeout: timeout, since: time.Now()}
	admission, err := v.Admit(w, signed(t, k1, "POST", "/items", "text", apig.SignOptions{}), core.BodyForHandler)
	if got := w.take(); err != nil || got != "set none" {
		t.Errorf("got %v and the deadlines %q", err, got)
	}
	admission.Release()
}

// TestNoBodyWithWriter: a request without a body has none for its handler, whoever is asked for
// deadlines.
func TestNoBodyWithWriter(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.Default = "user" })
	for _, body := range []io.ReadCloser{nil, http.NoBody} {
		for _, w := range []http.ResponseWriter{nil, httptest.NewRecorder()} {
			r := httptest.NewRequest("GET", "/", nil)
			r.SetBasicAuth(user.ID, user.Secret.Reveal())
			r.Body = body
			admission, err := v.Admit(w, r, core.BodyForHandler)
			if err != nil || admission.Request.Body != http.NoBody {
				t.Errorf("body %v, writer %v: got %v and the body %v", body, w != nil, err, admission.Request)
			}
		}
	}
}

// TestSlowBody_T235: a body that has not arrived in time is refused with the time, its field
// and what had arrived.
func TestSlowBody_T235(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.BodyTimeout = 2 * time.Second })
	hint := "Raise body_timeout if bodies may take longer; otherwise look for what is slow between the sender and this service."
	for announced, want := range map[int64]string{9: "3 of 9 bytes had", -1: "3 bytes had"} {
		r := signed(t, k1, "POST", "/items", "123456789", apig.SignOptions{})
		r.ContentLength = announced
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("123"), readerFunc(func([]byte) (int, error) { return 0, os.ErrDeadlineExceeded })))
		w := &deadlineWriter{ResponseRecorder: httptest.NewRecorder()}
		admission, err := v.Admit(w, r, core.BodyForHandler)
		admission.Release()
		wantCode(t, err, core.CodeBodyMismatch)
		if want = "the body did not arrive within 2s (body_timeout): " + want; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if core.HintOf(err) != hint || !slices.Contains(troubleshooting(t)[core.CodeBodyMismatch], hint) {
			t.Errorf("got the hint %q, which must be in docs/troubleshooting.md", core.HintOf(err))
		}
	}
}
