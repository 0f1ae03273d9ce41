package echotest

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// TestErrorHandlerShapesTheAnswer: a custom error handler gets the refusal as
// *core.Error, and the response has the body and the content type that it writes.
func TestErrorHandlerShapesTheAnswer[M any](t *testing.T, f Echo[M]) {
	v := newVerifier(t, nil)
	for _, tt := range []struct {
		name              string
		handler           func(error, Context, http.ResponseWriter)
		status            int
		contentType, body string
	}{
		{"its own JSON", func(err error, c Context, _ http.ResponseWriter) {
			c.JSON(core.StatusCode(err), map[string]string{"error": "not from the gateway"})
		}, 401, "application/json", `{"error":"not from the gateway"}` + "\n"},
		{"a page", func(err error, c Context, _ http.ResponseWriter) {
			c.HTML(http.StatusNotFound, "<p>Nothing here.</p>")
		}, 404, "text/html; charset=UTF-8", "<p>Nothing here.</p>"},
		{"nothing", func(err error, c Context, _ http.ResponseWriter) { c.NoContent(http.StatusTeapot) }, 418, "", ""},
		{"the problem of the error", func(err error, c Context, _ http.ResponseWriter) {
			c.JSON(core.StatusCode(err), f.Problem(err))
		}, 401, "application/problem+json", adaptertest.MissingCredential(t)},
		{"the problem, by core", func(err error, c Context, w http.ResponseWriter) { core.WriteProblem(w, c.Request(), err) },
			401, "application/problem+json", adaptertest.MissingCredential(t)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var refusal *core.Error
			e, runs := f.New(), new(counter)
			e.Use(f.Verify(v))
			e.Handle("", "/*", runs)
			e.OnError(func(err error, c Context, w http.ResponseWriter) {
				if !errors.As(err, &refusal) || !errors.Is(err, &core.Error{Code: core.CodeCredentialMissing}) {
					t.Errorf("the handler got %v, want a *core.Error within", err)
				}
				if text := err.Error(); !strings.Contains(text, string(core.CodeCredentialMissing)) || strings.Contains(text, "\n") {
					t.Errorf("got the error text %q, want one line with the code", text)
				}
				tt.handler(err, c, w)
			})
			w := serve(e, unsigned("GET", "/v1/items"))
			if n := runs.Take(); n != 0 {
				t.Errorf("the handler ran %d times", n)
			}
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("got %d, %s, %q; want %d, %s, %q", w.Code, w.Header().Get("Content-Type"), w.Body, tt.status, tt.contentType, tt.body)
			}
			if w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("got headers %v, want those of a refusal", w.Header())
			}
		})
	}
}

// TestVerboseTellsNoReason: an Echo that tells the text of errors, and ?pretty, indent the
// response as all JSON, and add nothing to it.
func TestVerboseTellsNoReason[M any](t *testing.T, f Echo[M]) {
	want := core.ProblemOf(core.Refuse(core.CodeCredentialMissing, ""))
	for name, start := range map[string]func() Server[M]{"New": f.New, "Verbose": f.Verbose} {
		e := start()
		e.Use(f.Verify(newVerifier(t, nil)))
		w := serve(e, unsigned("GET", "/v1/items?pretty"))
		decoder := json.NewDecoder(w.Body)
		decoder.DisallowUnknownFields()
		got := new(core.Problem)
		if err := decoder.Decode(got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, error %v; want %+v", name, got, err, want)
		}
	}
}

// TestExpect runs [adaptertest.TestExpect] with a route and without one.
func TestExpect[M any](t *testing.T, f Echo[M]) {
	for _, mount := range []adaptertest.Mount{f.Use(), f.Pre()} {
		adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
			return mount(v, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }))
		})
	}
	for _, before := range []bool{false, true} {
		adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
			e := f.New()
			if e.Use(f.Verify(v)); before {
				e.Pre(f.Verify(v))
			}
			e.OnError(func(err error, c Context, _ http.ResponseWriter) {
				if status := core.StatusCode(err); status != http.StatusServiceUnavailable {
					c.NoContent(status)
					return
				}
				c.NoContent(http.StatusConflict) // Echo's 404
			})
			return e
		})
	}
}
