package ginauth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

func TestRetries_T193(t *testing.T) {
	for name, handler := range map[string]func(http.Handler) gin.HandlerFunc{
		"net/http's": gin.WrapH,
		"Gin's": func(next http.Handler) gin.HandlerFunc {
			return func(c *gin.Context) { next.ServeHTTP(c.Writer, c.Request) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestRetries(t, func(v *core.Verifier, next http.Handler) http.Handler {
				e := gin.New()
				e.Use(ginauth.Middleware(v))
				e.Any("/*path", handler(next))
				return e
			})
		})
	}
}

// TestRetriesAfterHints_T193 is that a request which was answered with 103 and then with 200
// is not sent once more. Gin keeps the status 103.
func TestRetriesAfterHints_T193(t *testing.T) {
	for name, answer := range map[string]gin.HandlerFunc{
		"a body":  func(c *gin.Context) { c.String(http.StatusOK, "text") },
		"flushed": func(c *gin.Context) { c.Writer.Flush() },
		"nothing": func(*gin.Context) {},
	} {
		store, err := replay.New(replay.Config{})
		if err != nil {
			t.Fatal(err)
		}
		v := testkit.New(t, testkit.Policy(func(c *core.Config) {
			c.Replay = core.Replay{Store: store, Retries: core.Retries{Methods: []string{"GET"}, Within: time.Second}}
		}))
		e := gin.New()
		e.Use(ginauth.Middleware(v))
		runs := 0
		e.GET("/*path", func(c *gin.Context) {
			runs++
			c.Writer.WriteHeader(http.StatusEarlyHints)
			c.Writer.WriteHeaderNow()
			answer(c)
		})
		for range 2 {
			e.ServeHTTP(httptest.NewRecorder(), testkit.SignedBy(t, testkit.K1, "GET", "/v1/items", "", apig.SignOptions{}))
		}
		if runs != 1 {
			t.Errorf("%s: the handler ran %d times, want once", name, runs)
		}
	}
}

// TestHeaderNow_T193 is that a handler of a request that may be retried can send the header
// by itself.
func TestHeaderNow_T193(t *testing.T) {
	store, err := replay.New(replay.Config{})
	if err != nil {
		t.Fatal(err)
	}
	v := testkit.New(t, testkit.Policy(func(c *core.Config) {
		c.Replay = core.Replay{Store: store, Retries: core.Retries{Methods: []string{"PUT"}, Within: time.Second}}
	}))
	e := gin.New()
	e.Use(ginauth.Middleware(v))
	e.PUT("/v1/items", func(c *gin.Context) {
		c.Status(http.StatusTeapot)
		c.Writer.WriteHeaderNow()
		if !c.Writer.Written() {
			t.Error("the header is not written")
		}
		c.Status(http.StatusOK)
	})
	if w := testkit.Serve(e, testkit.SignedBy(t, testkit.K1, "PUT", "/v1/items", "text", apig.SignOptions{})); w.Code != http.StatusTeapot {
		t.Errorf("got %d, want 418", w.Code)
	}
}

// TestPanicAfterHeader_T193 is that a request is not sent once more if the handler has sent
// the header of its answer, and panics after that.
func TestPanicAfterHeader_T193(t *testing.T) {
	for sent, want := range map[bool]int{true: 1, false: 2} {
		store, err := replay.New(replay.Config{})
		if err != nil {
			t.Fatal(err)
		}
		v := testkit.New(t, testkit.Policy(func(c *core.Config) {
			c.Replay = core.Replay{Store: store, Retries: core.Retries{Methods: []string{"GET"}, Within: time.Second}}
		}))
		e := gin.New()
		e.Use(gin.RecoveryWithWriter(io.Discard), ginauth.Middleware(v))
		runs := 0
		e.GET("/*path", func(c *gin.Context) {
			runs++
			if sent {
				c.Writer.WriteHeaderNow()
			}
			panic("the handler fails")
		})
		for range 2 {
			e.ServeHTTP(httptest.NewRecorder(), testkit.SignedBy(t, testkit.K1, "GET", "/v1/items", "", apig.SignOptions{}))
		}
		if runs != want {
			t.Errorf("header sent %v: the handler ran %d times, want %d", sent, runs, want)
		}
	}
}
