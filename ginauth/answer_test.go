package ginauth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// engineOf returns an engine with one handler for every path behind this middleware.
func engineOf(handler http.Handler, chain ...gin.HandlerFunc) *gin.Engine {
	engine := gin.New()
	engine.Use(chain...)
	engine.Any("/*path", gin.WrapH(handler))
	return engine
}

// errorHandler is the error middleware of Gin's documentation.
func errorHandler(c *gin.Context) {
	c.Next()
	if len(c.Errors) > 0 {
		err := c.Errors.Last().Err
		c.JSON(http.StatusInternalServerError, map[string]any{"success": false, "message": err.Error()})
	}
}

// TestErrorMiddlewareShapesTheAnswer: with LeaveAnswer, error middleware gets the refusal
// as *core.Error, and the response has the body and the content type that it writes.
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
			401, "application/problem+json", adaptertest.MissingCredential(t)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runs := new(counter)
			got := adaptertest.Ask(t, engineOf(runs, func(c *gin.Context) {
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
			if n := runs.Take(); n != 0 {
				t.Errorf("the handler ran %d times", n)
			}
			if got.Status != tt.status || got.Body != tt.body || got.Header.Get("Content-Type") != tt.contentType {
				t.Errorf("got %+v, want %d, %s, %q", got, tt.status, tt.contentType, tt.body)
			}
			if got.Header.Get("WWW-Authenticate") == "" || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("got headers %v, want those of a refusal", got.Header)
			}
		})
	}
}

// TestDocumentedErrorMiddleware: with LeaveAnswer, the error middleware of Gin's
// documentation writes the response. Without it, the response is already written, and the
// middleware does not change it.
func TestDocumentedErrorMiddleware(t *testing.T) {
	v := newVerifier(t, nil)
	left := adaptertest.Ask(t, engineOf(new(counter), errorHandler, ginauth.Middleware(v, ginauth.LeaveAnswer())), unsigned("GET", "/v1/items"))
	if left.Status != 500 || !strings.Contains(left.Body, string(core.CodeCredentialMissing)) || !json.Valid([]byte(left.Body)) {
		t.Errorf("left: got %+v, want the middleware's answer", left)
	}
	behind := adaptertest.Ask(t, engineOf(new(counter), ginauth.Middleware(v), errorHandler), unsigned("GET", "/v1/items"))
	if behind.Status != 401 || behind.Body != adaptertest.MissingCredential(t) {
		t.Errorf("behind the adapter: got %+v, want the problem", behind)
	}
}

// TestLeaveAnswerWhereNoRouteMatches: Gin's own 404 does not replace the response to a
// refused request.
func TestLeaveAnswerWhereNoRouteMatches(t *testing.T) {
	engine := gin.New()
	engine.Use(ginauth.Middleware(newVerifier(t, nil), ginauth.LeaveAnswer()))
	if got := adaptertest.Ask(t, engine, unsigned("GET", "/nothing")); got.Status != 401 || got.Body != "" {
		t.Errorf("got %+v, want 401 without a body", got)
	}
}
