package ginauth_test

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

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// newEngine has one handler for every path behind these middlewares.
func newEngine(chain ...gin.HandlerFunc) *gin.Engine {
	engine := gin.New()
	engine.Use(chain...)
	engine.Any("/*path", func(c *gin.Context) { c.String(http.StatusOK, keyName(c.Request)) })
	return engine
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

// refusals are requests with the status that each is answered with, where
// bodies are at most 8 bytes.
var refusals = []struct {
	name    string
	status  int
	request func() *http.Request
}{
	{"no credential", 401, func() *http.Request { return unsigned("GET", "/v1/items") }},
	{"no credential, HEAD", 401, func() *http.Request { return unsigned("HEAD", "/v1/items") }},
	{"another API's key", 403, func() *http.Request { return signed(partner, "GET", "/v1/items", "") }},
	{"two readings", 400, func() *http.Request { return unsigned("GET", "/v1/items?a;b") }},
	{"too large", 413, func() *http.Request { return signed(orders, "POST", "/v1/items", "123456789") }},
}

// TestAnswersAreThoseOfNetHTTP_T128, also where error middleware does not look
// whether the answer was written.
func TestAnswersAreThoseOfNetHTTP_T128(t *testing.T) {
	compare := func(v *core.Verifier, name string, status int, request func() *http.Request) {
		t.Helper()
		want := ask(t, nethttp.Middleware(v)(http.NotFoundHandler()), request())
		for _, chain := range [][]gin.HandlerFunc{
			{ginauth.Middleware(v)},
			{errorHandler, ginauth.Middleware(v)},
		} {
			got := ask(t, newEngine(chain...), request())
			if got.Status != status || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got\n%+v, want status %d and\n%+v", name, got, status, want)
			}
		}
	}
	for _, exposed := range []bool{false, true} {
		v := newVerifier(t, func(c *core.Config) { c.MaxBody, c.ExposeReason = 8, exposed })
		for _, tt := range refusals {
			compare(v, tt.name, tt.status, tt.request)
		}
	}
	compare(new(core.Verifier), "no policy", 503, func() *http.Request { return unsigned("GET", "/v1/items") })
}

// errorHandler is the error middleware of Gin's documentation.
func errorHandler(c *gin.Context) {
	c.Next()
	if len(c.Errors) > 0 {
		err := c.Errors.Last().Err
		c.JSON(http.StatusInternalServerError, map[string]any{"success": false, "message": err.Error()})
	}
}

// TestErrorMiddlewareShapesTheAnswer: with LeaveAnswer, error middleware gets
// the refusal as *core.Error, and sends what it writes with the content type
// of that.
func TestErrorMiddlewareShapesTheAnswer(t *testing.T) {
	v := newVerifier(t, nil)
	for _, tt := range []struct {
		name              string
		write             func(*gin.Context, error)
		status            int
		contentType, body string
	}{
		{"its own JSON", func(c *gin.Context, err error) {
			c.JSON(core.StatusCode(err), gin.H{"error": "not from the gateway"})
		}, 401, "application/json; charset=utf-8", `{"error":"not from the gateway"}`},
		{"with the status that is set", func(c *gin.Context, err error) { c.JSON(-1, gin.H{}) }, 401, "application/json; charset=utf-8", `{}`},
		{"a text with another status", func(c *gin.Context, err error) { c.String(http.StatusNotFound, "nothing here") },
			404, "text/plain; charset=utf-8", "nothing here"},
		{"nothing", func(*gin.Context, error) {}, 401, "", ""},
		{"the problem, by core", func(c *gin.Context, err error) { core.WriteProblem(c.Writer, c.Request, err) },
			401, "application/problem+json", problem(t)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(t, newEngine(func(c *gin.Context) {
				c.Next()
				err := c.Errors.Last()
				var refusal *core.Error
				if !errors.As(err, &refusal) || refusal.Code != core.CodeCredentialMissing || len(c.Errors) != 1 {
					t.Errorf("got the errors %v, want one with a *core.Error within", c.Errors)
				}
				if !c.IsAborted() || c.Writer.Written() || c.Writer.Status() != 401 {
					t.Errorf("got aborted %v, written %v, status %d; want true, false, 401", c.IsAborted(), c.Writer.Written(), c.Writer.Status())
				}
				tt.write(c, err)
			}, ginauth.Middleware(v, ginauth.LeaveAnswer())), unsigned("GET", "/v1/items"))
			if got.Status != tt.status || got.Body != tt.body || got.Header.Get("Content-Type") != tt.contentType {
				t.Errorf("got %+v, want %d, %s, %q", got, tt.status, tt.contentType, tt.body)
			}
			if got.Header.Get("WWW-Authenticate") == "" || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("got headers %v, want those of a refusal", got.Header)
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

// TestDocumentedErrorMiddleware writes its answer where it was left to it, and
// one that finds the answer written changes nothing.
func TestDocumentedErrorMiddleware(t *testing.T) {
	v := newVerifier(t, nil)
	left := ask(t, newEngine(errorHandler, ginauth.Middleware(v, ginauth.LeaveAnswer())), unsigned("GET", "/v1/items"))
	if left.Status != 500 || !strings.Contains(left.Body, string(core.CodeCredentialMissing)) || !json.Valid([]byte(left.Body)) {
		t.Errorf("left: got %+v, want the middleware's answer", left)
	}
	behind := ask(t, newEngine(ginauth.Middleware(v), errorHandler), unsigned("GET", "/v1/items"))
	if behind.Status != 401 || behind.Body != problem(t) {
		t.Errorf("behind the adapter: got %+v, want the problem", behind)
	}
}

// TestLeaveAnswerWhereNoRouteMatches: Gin's own 404 does not replace it.
func TestLeaveAnswerWhereNoRouteMatches(t *testing.T) {
	engine := gin.New()
	engine.Use(ginauth.Middleware(newVerifier(t, nil), ginauth.LeaveAnswer()))
	if got := ask(t, engine, unsigned("GET", "/nothing")); got.Status != 401 || got.Body != "" {
		t.Errorf("got %+v, want 401 without a body", got)
	}
}
