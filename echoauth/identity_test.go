package echoauth_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

type applicationKey struct{}

// TestIdentity_T115 is found whatever the application puts beside it, also
// after other middleware replaced the request.
func TestIdentity_T115(t *testing.T) {
	replacing := func(replace func(*http.Request) *http.Request) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				c.Set("identity", "root")
				c.Set("user", "root")
				c.SetRequest(replace(c.Request()))
				return next(c)
			}
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
		behind  []echo.MiddlewareFunc
	}{
		{"the identity", signed(orders, "GET", "/x", ""), orders.Name, nil},
		{"another key's", signed(partner, "GET", "/partner/x", ""), partner.Name, nil},
		{"beside the application's values", signed(orders, "GET", "/x", ""), orders.Name, []echo.MiddlewareFunc{values}},
		{"in a clone of the request", signed(orders, "GET", "/x", ""), orders.Name, []echo.MiddlewareFunc{values, clone}},
		{"in a context that is not the request's", signed(orders, "GET", "/x", ""), "nobody", []echo.MiddlewareFunc{forget}},
		{"the application's values alone", unsigned("GET", "/health"), "nobody", []echo.MiddlewareFunc{values}},
		{"T121 a wrong signature on the open API", forged, "nobody", nil},
	} {
		e := echo.New()
		e.Use(echoauth.Middleware(v))
		e.Use(tt.behind...)
		e.Any("/*", func(c echo.Context) error { return c.String(http.StatusOK, keyName(c.Request())) })
		if w := serve(e, tt.request); w.Code != 200 || w.Body.String() != tt.want {
			t.Errorf("%s: got %d %q, want 200 %q", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

// TestNoNeighboursIdentity_T116: ten thousand requests of two users by turns.
// Each handler leaves a goroutine behind, which looks at the request's context
// when Echo has its own back, and all contexts are looked at again in the end.
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
	e := echo.New()
	e.Use(echoauth.Middleware(newVerifier(t, nil)))
	e.POST("/*", func(c echo.Context) error {
		r := c.Request()
		v := visit{r.Context().Value(applicationKey{}).(context.Context), r.Context(), keyName(r)}
		late.Go(func() {
			<-v.over.Done()
			right(v)
		})
		mu.Lock()
		visits = append(visits, v)
		mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		return c.String(http.StatusOK, v.name+string(body))
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
				if w := serve(e, r); w.Body.String() != user.want {
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

// TestPanicsReleaseMemory: the verifier holds the body while the handler runs,
// and no longer, however that ends.
func TestPanicsReleaseMemory(t *testing.T) {
	v := newVerifier(t, nil)
	e := echo.New()
	e.Use(recovering, echoauth.Middleware(v))
	e.POST("/panic", func(echo.Context) error {
		if v.Buffered() == 0 {
			t.Error("Buffered() = 0 while the handler runs")
		}
		panic("handler")
	})
	e.POST("/error", func(echo.Context) error { return io.ErrUnexpectedEOF })
	for _, target := range []string{"/panic", "/error"} {
		w := serve(e, signed(orders, "POST", target, "a=1"))
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
		if w := serve(newServer(v), r); w.Code != 200 || w.Body.String() != name {
			t.Errorf("got %d %q, want 200 %q", w.Code, w.Body, name)
		}
	}
}

// TestMountedTwice_T171: for the server and on the group, one run and one identity.
func TestMountedTwice_T171(t *testing.T) {
	v, runs := newVerifier(t, nil), new(atomic.Int32)
	e := echo.New()
	e.Use(echoauth.Middleware(v))
	e.Group("/v1", echoauth.Middleware(v)).POST("/items", func(c echo.Context) error {
		runs.Add(1)
		body, err := io.ReadAll(c.Request().Body)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, keyName(c.Request())+string(body))
	})
	w := serve(e, signed(orders, "POST", "/v1/items", "a=1"))
	if w.Code != 200 || w.Body.String() != orders.Name+"a=1" || runs.Load() != 1 {
		t.Errorf("got %d %q, %d runs; want 200 %q and one", w.Code, w.Body, runs.Load(), orders.Name+"a=1")
	}
	check(t, e, runs, []exchange{{"unsigned", unsigned("POST", "/v1/items"), 401, 0}})
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
	h := echo.New()
	h.Use(echoauth.Middleware(newVerifier(t, nil)))
	h.POST("/upload", func(c echo.Context) error {
		if err := c.Request().ParseMultipartForm(1); err != nil || files() != 1 {
			t.Errorf("got %v, %d files while the handler runs; want one", err, files())
		}
		return nil
	})
	r := signed(orders, "POST", "/upload", body, "Content-Type: multipart/form-data; boundary=x")
	if got := ask(t, h, r); got.Status != 200 || files() != 0 {
		t.Errorf("got %d, %d files left; want 200 and none", got.Status, files())
	}
}

func TestExpect_T056(t *testing.T) {
	for _, pre := range []bool{false, true} {
		adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler {
			e := echo.New()
			if pre {
				e.Pre(echoauth.Middleware(v))
			} else {
				e.Use(echoauth.Middleware(v))
			}
			e.Any("/*", func(c echo.Context) error { return c.NoContent(http.StatusConflict) })
			return e
		})
		adaptertest.TestExpect(t, func(v *core.Verifier) http.Handler { // no route at all
			e := echo.New()
			if e.Use(echoauth.Middleware(v)); pre {
				e.Pre(echoauth.Middleware(v))
			}
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				if status := core.StatusCode(err); status != http.StatusServiceUnavailable {
					c.NoContent(status)
					return
				}
				c.NoContent(http.StatusConflict) // Echo's 404
			}
			return e
		})
	}
}
