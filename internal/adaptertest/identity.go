package adaptertest

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

type applicationKey struct{}

// TestIdentity: handlers find the identity although the application has other values in the
// context, and after middleware has replaced the request.
func TestIdentity[M any](t *testing.T, f Framework[M]) {
	replacing := func(replace func(*http.Request) *http.Request) M {
		return f.Step(func(_ http.ResponseWriter, r *http.Request, next func(*http.Request)) { next(replace(r)) })
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
	signed := func() *http.Request { return testkit.Signed(testkit.Orders, "GET", "/x", "") }
	forged := testkit.Signed(testkit.Orders, "GET", "/health", "")
	forged.Header.Set("Authorization", strings.Replace(forged.Header.Get("Authorization"), "Signature=", "Signature=0", 1))
	verify := f.Verify(testkit.Verifier(t, nil))
	for _, tt := range []struct {
		name    string
		request *http.Request
		want    string
		behind  []M
	}{
		{"the identity", signed(), testkit.Orders.Name, nil},
		{"another key's", testkit.Signed(testkit.Partner, "GET", "/partner/x", ""), testkit.Partner.Name, nil},
		{"with the application's values", signed(), testkit.Orders.Name, []M{values}},
		{"in a clone of the request", signed(), testkit.Orders.Name, []M{values, clone}},
		{"in a context that is not the request's", signed(), "nobody", []M{forget}},
		{"the application's values alone", testkit.Unsigned("GET", "/health"), "nobody", []M{values}},
		{"a wrong signature on the open API", forged, "nobody", nil},
	} {
		router := f.use(named(nil), append([]M{verify}, tt.behind...)...)
		if w := testkit.Serve(router, tt.request); w.Code != 200 || w.Body.String() != tt.want {
			t.Errorf("%s: got %d %q, want 200 %q", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

// named returns a handler that responds with the key of the identity and the body.
func named(runs *testkit.Counter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if runs != nil {
			runs.ServeHTTP(discard{}, r)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		io.WriteString(w, testkit.KeyName(r)+string(body))
	})
}

// TestMountedTwice: if the adapter is mounted on the server and on a group, the handler
// runs once, with one identity.
func TestMountedTwice[M any](t *testing.T, f Framework[M]) {
	verify, runs := f.Verify(testkit.Verifier(t, nil)), new(testkit.Counter)
	router := f.New()
	router.Use(verify)
	router.Group("/v1", verify).Handle("POST", "/items", named(runs))
	w := testkit.Serve(router, testkit.Signed(testkit.Orders, "POST", "/v1/items", "a=1"))
	if n := runs.Take(); w.Code != 200 || w.Body.String() != testkit.Orders.Name+"a=1" || n != 1 {
		t.Errorf("got %d %q, %d runs; want 200 %q and one", w.Code, w.Body, n, testkit.Orders.Name+"a=1")
	}
	runs.Check(t, router, []testkit.Exchange{testkit.Expect("unsigned", testkit.Unsigned("POST", "/v1/items"), 401, 0)})
}

// TestBodiesAreReleased: the memory of the body is released when the handler has
// returned, also if it panics or returns an error.
func TestBodiesAreReleased[M any](t *testing.T, f Framework[M]) {
	v := testkit.Verifier(t, nil)
	router := f.New()
	router.Use(f.Recover, f.Verify(v))
	router.Handle("POST", "/panic", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if v.Buffered() == 0 {
			t.Error("Buffered() = 0 while the handler runs")
		}
		panic("handler")
	}))
	router.Handle("POST", "/error", http.NotFoundHandler(), f.Fail)
	for _, target := range []string{"/panic", "/error"} {
		w := testkit.Serve(router, testkit.Signed(testkit.Orders, "POST", target, "a=1"))
		if n := v.Buffered(); w.Code != 500 || n != 0 {
			t.Errorf("%s: got %d, Buffered() = %d; want 500 and 0", target, w.Code, n)
		}
	}
}

// TestMultipartFilesAreRemoved: net/http removes the files of a form that the
// handler parsed, as it does without the adapter.
func TestMultipartFilesAreRemoved(t *testing.T, mount Mount) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	files := func() int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Error(err)
		}
		return len(entries)
	}
	runs := new(testkit.Counter)
	server := mount(testkit.Verifier(t, nil), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil || files() != 1 {
			t.Errorf("got %v, %d files while the handler runs; want one", err, files())
		}
		runs.ServeHTTP(w, r)
	}))
	const form = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n"
	body := form + strings.Repeat("a", 11<<20) + "\r\n--x--\r\n" // more than a form keeps in memory
	r := testkit.Signed(testkit.Orders, "POST", "/upload", body, "Content-Type: multipart/form-data; boundary=x")
	if got := Ask(t, server, r); got.Status != 200 || runs.Take() != 1 || files() != 0 {
		t.Errorf("got %d, %d files left; want 200, one run of the handler and none", got.Status, files())
	}
}
