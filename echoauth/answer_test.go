package echoauth_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// newServer has one handler for every path behind the adapter.
func newServer(v *core.Verifier) *echo.Echo {
	e := echo.New()
	e.Use(echoauth.Middleware(v))
	e.Any("/*", func(c echo.Context) error { return c.String(http.StatusOK, keyName(c.Request())) })
	return e
}

// refusals are requests with the status that each is answered with, where
// bodies are at most 8 bytes.
var refusals = []struct {
	name    string
	status  int
	request func() *http.Request
}{
	{"no credential", 401, func() *http.Request { return unsigned("GET", "/v1/items") }},
	{"another body", 401, func() *http.Request {
		r := signed(orders, "POST", "/v1/items", "a=1")
		r.Body = io.NopCloser(strings.NewReader("a=2"))
		return r
	}},
	{"no credential, HEAD", 401, func() *http.Request { return unsigned("HEAD", "/v1/items") }},
	{"another API's key", 403, func() *http.Request { return signed(partner, "GET", "/v1/items", "") }},
	{"two readings", 400, func() *http.Request { return unsigned("GET", "/v1/items?a;b") }},
	{"too large", 413, func() *http.Request { return signed(orders, "POST", "/v1/items", "123456789") }},
}

// TestAnswersAreThoseOfNetHTTP_T128 compares what arrives on the client's side.
func TestAnswersAreThoseOfNetHTTP_T128(t *testing.T) {
	for _, exposed := range []bool{false, true} {
		v := newVerifier(t, func(c *core.Config) { c.MaxBody, c.ExposeReason = 8, exposed })
		for _, tt := range refusals {
			compare(t, v, tt.name, tt.status, tt.request)
		}
	}
	compare(t, new(core.Verifier), "no policy", 503, func() *http.Request { return unsigned("GET", "/v1/items") })
}

func compare(t *testing.T, v *core.Verifier, name string, status int, request func() *http.Request) {
	t.Helper()
	got, want := ask(t, newServer(v), request()), ask(t, nethttp.Middleware(v)(http.NotFoundHandler()), request())
	if request().Method == http.MethodHead {
		want.Header.Del("Content-Length") // Echo does not tell it
	}
	if got.Status != status || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%+v, want status %d and\n%+v", name, got, status, want)
	}
}

// answer is what arrives on the client's side.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func ask(t *testing.T, h http.Handler, r *http.Request) answer {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	address, _ := url.Parse(server.URL)
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", address.Host, ""
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	res.Header.Del("Date")
	return answer{res.StatusCode, res.Header, string(body)}
}

// TestErrorHandlerShapesTheAnswer: a custom error handler gets the refusal as
// *core.Error, and sends what it writes with the content type of that.
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
		}, 401, "application/problem+json", problem(t)},
		{"the problem, by core", func(err error, c echo.Context) { core.WriteProblem(c.Response(), c.Request(), err) },
			401, "application/problem+json", problem(t)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var refusal *core.Error
			e := newServer(v)
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				if !errors.As(err, &refusal) || !errors.Is(err, &core.Error{Code: core.CodeCredentialMissing}) {
					t.Errorf("the handler got %v, want a *core.Error within", err)
				}
				if text := err.Error(); !strings.Contains(text, string(core.CodeCredentialMissing)) || strings.Contains(text, "\n") {
					t.Errorf("got the text %q, want one line with the code", text)
				}
				tt.handler(err, c)
			}
			w := serve(e, unsigned("GET", "/v1/items"))
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("got %d, %s, %q; want %d, %s, %q", w.Code, w.Header().Get("Content-Type"), w.Body, tt.status, tt.contentType, tt.body)
			}
			if w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("got headers %v, want those of a refusal", w.Header())
			}
		})
	}
}

func problem(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(core.ProblemOf(core.Refuse(core.CodeCredentialMissing, "")))
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// TestDebugTellsNoReason: Echo's debug mode and ?pretty indent the answer, as
// they do with all JSON, and add nothing to it.
func TestDebugTellsNoReason(t *testing.T) {
	want := core.ProblemOf(core.Refuse(core.CodeCredentialMissing, ""))
	for _, debug := range []bool{true, false} {
		e := newServer(newVerifier(t, nil))
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
