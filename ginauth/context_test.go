package ginauth_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestWrongAccessor_T115: core.FromContext finds no identity in Gin's context, except
// with ContextWithFallback. It never finds the identity of another request.
func TestWrongAccessor_T115(t *testing.T) {
	for _, fallback := range []bool{false, true} {
		engine := gin.New()
		engine.ContextWithFallback = fallback
		engine.Use(ginauth.Middleware(newVerifier(t, nil)))
		engine.GET("/*path", func(c *gin.Context) {
			id, ok := core.FromContext(c)
			copied, alike := core.FromContext(c.Copy())
			if ok != alike || id != copied || ok && id.Key() != testkit.KeyName(c.Request) {
				t.Errorf("got %v %v, and %v %v from a copy; want the same", id, ok, copied, alike)
			}
			c.JSON(http.StatusOK, ok)
		})
		if w := serve(engine, signed(orders, "GET", "/x", "")); w.Body.String() != strconv.FormatBool(fallback) {
			t.Errorf("fallback %v, signed: got %s", fallback, w.Body)
		}
		if w := serve(engine, unsigned("GET", "/health")); w.Body.String() != "false" {
			t.Errorf("fallback %v, not verified: got %s, want false", fallback, w.Body)
		}
	}
}

// TestHandleContext_T172: Engine.HandleContext verifies the request again, with the
// received target. A body that was read or changed is refused.
func TestHandleContext_T172(t *testing.T) {
	v, runs := newVerifier(t, nil), new(counter)
	engine := gin.New()
	engine.Use(ginauth.Middleware(v))
	again := func(before func(*http.Request)) gin.HandlerFunc {
		return func(c *gin.Context) {
			before(c.Request)
			c.Request.URL.Path = "/new"
			engine.HandleContext(c)
		}
	}
	engine.POST("/new", counted(runs))
	engine.POST("/old", again(func(*http.Request) {}))
	engine.POST("/read", again(func(r *http.Request) { io.Copy(io.Discard, r.Body) }))
	engine.POST("/changed", again(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("a=2")) }))
	engine.POST("/moved", again(func(r *http.Request) { r.RequestURI = "/new" }))
	runs.Check(t, engine, []exchange{
		expect("as received", signed(orders, "POST", "/old", "a=1"), 200, 1),
		expect("body read", signed(orders, "POST", "/read", "a=1"), 401, 0),
		expect("body changed", signed(orders, "POST", "/changed", "a=1"), 401, 0),
		expect("target changed", signed(orders, "POST", "/moved", "a=1"), 401, 0),
		expect("unsigned", unsigned("POST", "/old"), 401, 0),
	})
}
