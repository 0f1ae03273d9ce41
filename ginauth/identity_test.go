package ginauth_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

type applicationKey struct{}

// TestIdentity_T115 is found whatever the application puts beside it, also
// after other middleware replaced the request.
func TestIdentity_T115(t *testing.T) {
	replacing := func(replace func(*http.Request) *http.Request) gin.HandlerFunc {
		return func(c *gin.Context) {
			c.Set("identity", "root")
			c.Set("user", "root")
			c.Request = replace(c.Request)
		}
	}
	values := replacing(func(r *http.Request) *http.Request {
		ctx := r.Context()
		for _, key := range []any{"identity", "user", applicationKey{}} {
			ctx = context.WithValue(ctx, key, "root")
		}
		return r.WithContext(ctx)
	})
	clone := replacing(func(r *http.Request) *http.Request { return r.Clone(r.Context()) })
	forget := replacing(func(r *http.Request) *http.Request { return r.WithContext(context.Background()) })
	forged := signed(orders, "GET", "/health", "")
	forged.Header.Set("Authorization", strings.Replace(forged.Header.Get("Authorization"), "Signature=", "Signature=0", 1))
	v := newVerifier(t, nil)
	for _, tt := range []struct {
		name    string
		request *http.Request
		want    string
		behind  []gin.HandlerFunc
	}{
		{"the identity", signed(orders, "GET", "/x", ""), orders.Name, nil},
		{"another key's", signed(partner, "GET", "/partner/x", ""), partner.Name, nil},
		{"beside the application's values", signed(orders, "GET", "/x", ""), orders.Name, []gin.HandlerFunc{values}},
		{"in a clone of the request", signed(orders, "GET", "/x", ""), orders.Name, []gin.HandlerFunc{values, clone}},
		{"in a context that is not the request's", signed(orders, "GET", "/x", ""), "nobody", []gin.HandlerFunc{forget}},
		{"the application's values alone", unsigned("GET", "/health"), "nobody", []gin.HandlerFunc{values}},
		{"T121 a wrong signature on the open API", forged, "nobody", nil},
	} {
		engine := newEngine(append([]gin.HandlerFunc{ginauth.Middleware(v)}, tt.behind...)...)
		if w := serve(engine, tt.request); w.Code != 200 || w.Body.String() != tt.want {
			t.Errorf("%s: got %d %q, want 200 %q", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

// TestNoNeighboursIdentity_T116: ten thousand requests of two users by turns.
// Each handler leaves a goroutine behind, which looks at the request's context
// when Gin has its own back, and all contexts are looked at again in the end.
func TestNoNeighboursIdentity_T116(t *testing.T) {
	const clients, each = 8, 1250
	type visit struct {
		over context.Context // done when the answer is out
		ctx  context.Context
		name string
	}
	right := func(v visit) {
		if id, ok := core.FromContext(v.ctx); !ok || id.Key() != v.name {
			t.Errorf("the identity of %s became %v", v.name, id)
		}
	}
	var mu sync.Mutex
	var visits []visit
	var late sync.WaitGroup
	engine := gin.New()
	engine.Use(ginauth.Middleware(newVerifier(t, nil)))
	engine.POST("/*path", func(c *gin.Context) {
		r := c.Request
		v := visit{r.Context().Value(applicationKey{}).(context.Context), r.Context(), keyName(r)}
		late.Go(func() {
			<-v.over.Done()
			right(v)
		})
		mu.Lock()
		visits = append(visits, v)
		mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		c.String(http.StatusOK, v.name+string(body))
	})
	users := []struct {
		request    *http.Request
		body, want string
	}{
		{signed(orders, "POST", "/x", "12"), "12", orders.Name + "12"},
		{signed(partner, "POST", "/partner/x", "345"), "345", partner.Name + "345"},
	}
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			for i := range each {
				user := users[(n+i)%len(users)]
				over, end := context.WithCancel(context.Background())
				r := user.request.Clone(context.WithValue(context.Background(), applicationKey{}, over))
				r.Body = io.NopCloser(strings.NewReader(user.body))
				if w := serve(engine, r); w.Body.String() != user.want {
					t.Errorf("client %d, request %d: got %d %q, want %q", n, i, w.Code, w.Body, user.want)
				}
				end()
			}
		})
	}
	all.Wait()
	late.Wait()
	for _, v := range visits {
		right(v)
	}
	if len(visits) != clients*each {
		t.Errorf("the handler ran %d times, want %d", len(visits), clients*each)
	}
}

// TestWrongAccessor_T115: Gin's context is no request's context unless the
// engine says so, and it never finds another request's identity.
func TestWrongAccessor_T115(t *testing.T) {
	for _, fallback := range []bool{false, true} {
		engine := gin.New()
		engine.ContextWithFallback = fallback
		engine.Use(ginauth.Middleware(newVerifier(t, nil)))
		engine.GET("/*path", func(c *gin.Context) {
			id, ok := core.FromContext(c)
			copied, alike := core.FromContext(c.Copy())
			if ok != alike || id != copied || ok && id.Key() != keyName(c.Request) {
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

// TestPanicsReleaseMemory: the verifier holds the body while the handler runs,
// and no longer, however that ends.
func TestPanicsReleaseMemory(t *testing.T) {
	v := newVerifier(t, nil)
	engine := gin.New()
	engine.Use(gin.RecoveryWithWriter(io.Discard), ginauth.Middleware(v))
	engine.POST("/panic", func(c *gin.Context) {
		if v.Buffered() == 0 {
			t.Error("Buffered() = 0 while the handler runs")
		}
		panic("handler")
	})
	engine.POST("/abort", func(c *gin.Context) { c.AbortWithError(http.StatusInternalServerError, io.ErrUnexpectedEOF) })
	for _, target := range []string{"/panic", "/abort"} {
		w := serve(engine, signed(orders, "POST", target, "a=1"))
		if n := v.Buffered(); w.Code != 500 || n != 0 {
			t.Errorf("%s: got %d, Buffered() = %d; want 500 and 0", target, w.Code, n)
		}
	}
}

// TestReportOnly_T168 lets everything through, and gives an identity to what
// verifies.
func TestReportOnly_T168(t *testing.T) {
	v := newVerifier(t, func(c *core.Config) { c.Mode = core.Report })
	for name, r := range map[string]*http.Request{orders.Name: signed(orders, "GET", "/x", ""), "nobody": unsigned("GET", "/x")} {
		if w := serve(newEngine(ginauth.Middleware(v)), r); w.Code != 200 || w.Body.String() != name {
			t.Errorf("got %d %q, want 200 %q", w.Code, w.Body, name)
		}
	}
}

// reading answers with the identity and the body.
func reading(runs *atomic.Int32) gin.HandlerFunc {
	return func(c *gin.Context) {
		runs.Add(1)
		body, _ := io.ReadAll(c.Request.Body)
		c.String(http.StatusOK, keyName(c.Request)+string(body))
	}
}

// TestMountedTwice_T171: for the engine and on the group, one run and one identity.
func TestMountedTwice_T171(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	engine := gin.New()
	engine.Use(ginauth.Middleware(v))
	engine.Group("/v1", ginauth.Middleware(v)).POST("/items", reading(runs))
	if w := serve(engine, signed(orders, "POST", "/v1/items", "a=1")); w.Code != 200 || w.Body.String() != orders.Name+"a=1" || runs.Load() != 1 {
		t.Errorf("got %d %q, %d runs; want 200 %q and one", w.Code, w.Body, runs.Load(), orders.Name+"a=1")
	}
	check(t, engine, runs, []exchange{{"unsigned", unsigned("POST", "/v1/items"), 401, 0}})
}

// TestHandleContext_T172 routes a verified request again: it is verified anew, on
// the target that was received, and a body that was read or changed is refused.
func TestHandleContext_T172(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	engine := gin.New()
	engine.Use(ginauth.Middleware(v))
	again := func(before func(*http.Request)) gin.HandlerFunc {
		return func(c *gin.Context) {
			before(c.Request)
			c.Request.URL.Path = "/new"
			engine.HandleContext(c)
		}
	}
	engine.POST("/new", reading(runs))
	engine.POST("/old", again(func(*http.Request) {}))
	engine.POST("/read", again(func(r *http.Request) { io.Copy(io.Discard, r.Body) }))
	engine.POST("/changed", again(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("a=2")) }))
	engine.POST("/moved", again(func(r *http.Request) { r.RequestURI = "/new" }))
	check(t, engine, runs, []exchange{
		{"as received", signed(orders, "POST", "/old", "a=1"), 200, 1},
		{"body read", signed(orders, "POST", "/read", "a=1"), 401, 0},
		{"body changed", signed(orders, "POST", "/changed", "a=1"), 401, 0},
		{"target changed", signed(orders, "POST", "/moved", "a=1"), 401, 0},
		{"unsigned", unsigned("POST", "/old"), 401, 0},
	})
}

// TestMultipartFilesAreRemoved by net/http, as without the adapter.
func TestMultipartFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	files := func() int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Error(err)
		}
		return len(entries)
	}
	const form = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n"
	body := form + strings.Repeat("a", 11<<20) + "\r\n--x--\r\n"
	h := gin.New()
	h.Use(ginauth.Middleware(newVerifier(t, nil)))
	h.POST("/upload", func(c *gin.Context) {
		if err := c.Request.ParseMultipartForm(1); err != nil || files() != 1 {
			t.Errorf("got %v, %d files while the handler runs; want one", err, files())
		}
	})
	r := signed(orders, "POST", "/upload", body, "Content-Type: multipart/form-data; boundary=x")
	if got := ask(t, h, r); got.Status != 200 || files() != 0 {
		t.Errorf("got %d, %d files left; want 200 and none", got.Status, files())
	}
}

func TestExpect_T056(t *testing.T) {
	adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
		g := gin.New()
		g.Use(ginauth.Middleware(v))
		g.Any("/*path", func(c *gin.Context) { c.Status(http.StatusConflict) })
		return g
	})
}
