package echoauth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// TestErrorHandlerShapesTheAnswer: a custom error handler gets the refusal as
// *core.Error, and the response has the body and the content type that it writes.
func TestErrorHandlerShapesTheAnswer(t *testing.T) {
	v := newVerifier(t, nil)
	for _, tt := range []struct {
		name              string
		handler           func(error, echo.Context)
		status            int
		contentType, body string
	}{
		{"its own JSON", func(err error, c echo.Context) {
			c.JSON(core.StatusCode(err), map[string]string{"error": "not from the gateway"})
		}, 401, "application/json", `{"error":"not from the gateway"}` + "\n"},
		{"a page", func(err error, c echo.Context) {
			c.HTML(http.StatusNotFound, "<p>Nothing here.</p>")
		}, 404, "text/html; charset=UTF-8", "<p>Nothing here.</p>"},
		{"nothing", func(err error, c echo.Context) { c.NoContent(http.StatusTeapot) }, 418, "", ""},
		{"the problem of the error's message", func(err error, c echo.Context) {
			he := err.(*echo.HTTPError)
			c.JSON(he.Code, he.Message)
		}, 401, "application/problem+json", adaptertest.MissingCredential(t)},
		{"the problem, by core", func(err error, c echo.Context) { core.WriteProblem(c.Response(), c.Request(), err) },
			401, "application/problem+json", adaptertest.MissingCredential(t)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var refusal *core.Error
			e, runs := echo.New(), new(counter)
			e.Use(echoauth.Middleware(v))
			e.Any("/*", counted(runs))
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				if !errors.As(err, &refusal) || !errors.Is(err, &core.Error{Code: core.CodeCredentialMissing}) {
					t.Errorf("the handler got %v, want a *core.Error within", err)
				}
				if text := err.Error(); !strings.Contains(text, string(core.CodeCredentialMissing)) || strings.Contains(text, "\n") {
					t.Errorf("got the error text %q, want one line with the code", text)
				}
				tt.handler(err, c)
			}
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

// TestDebugTellsNoReason: Echo's debug mode and ?pretty indent the response, as all JSON,
// and add nothing to it.
func TestDebugTellsNoReason(t *testing.T) {
	want := core.ProblemOf(core.Refuse(core.CodeCredentialMissing, ""))
	for _, debug := range []bool{true, false} {
		e := echo.New()
		e.Use(echoauth.Middleware(newVerifier(t, nil)))
		e.Debug = debug
		w := serve(e, unsigned("GET", "/v1/items?pretty"))
		decoder := json.NewDecoder(w.Body)
		decoder.DisallowUnknownFields()
		got := new(core.Problem)
		if err := decoder.Decode(got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("debug %v: got %+v, error %v; want %+v", debug, got, err, want)
		}
	}
}
