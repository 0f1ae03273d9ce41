package core_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestBudgetFollowsWhatArrived: a body holds at most twice the bytes received.
func TestBudgetFollowsWhatArrived(t *testing.T) {
	v := verifier(t)
	for _, n := range []int{1, 4096, 4097, 20000, 100000, 1 << 20} {
		r := signed(t, k1, "POST", "/", strings.Repeat("x", n), apig.SignOptions{})
		if _, err := v.Verify(r); err != nil {
			t.Fatal(err)
		}
		if held := v.Buffered(); held > max(4096, 2*int64(n)) {
			t.Errorf("%d bytes are held for %d", held, n)
		}
		core.Release(r)
	}
}

// TestMemoryBudget: bodies over the budget get 503, and the memory comes back.
func TestMemoryBudget(t *testing.T) {
	const limit = 100 << 10
	v := verifier(t, func(c *core.Config) { c.MaxBody, c.MaxBuffered = limit, limit })
	body := strings.Repeat("x", limit)
	first := signed(t, k1, "POST", "/", body, apig.SignOptions{})
	if _, err := v.Verify(first); err != nil {
		t.Fatalf("a body of the size of the budget: %v", err)
	}
	if held := v.Buffered(); held < limit || held > limit+64<<10 {
		t.Errorf("%d bytes are held for %d", held, limit)
	}
	second := signed(t, k1, "POST", "/", "y", apig.SignOptions{})
	wantVerdict(t, v, second, core.CodeUnavailable)
	core.Release(first)
	core.Release(first)
	if v.Buffered() != 0 {
		t.Errorf("%d bytes are held after all were released", v.Buffered())
	}
	if _, err := first.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("reading after Release: %v", err)
	}
	third := signed(t, k1, "POST", "/", "y", apig.SignOptions{})
	if _, err := v.Verify(third); err != nil {
		t.Errorf("after Release: %v", err)
	}
	core.Release(third)
}

// panickingBody gives a few bytes, and then panics, as bodies of middleware do that
// aborts.
type panickingBody struct{ io.Reader }

func (b panickingBody) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	panic(http.ErrAbortHandler)
}

func (panickingBody) Close() error { return nil }

// panickingScheme panics when the body was read.
type panickingScheme struct{ core.Scheme }

func (panickingScheme) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	panic("scheme")
}

// TestPanicsHoldNoMemory: a panic of the application's code while a request is judged
// goes on to the server, and takes nothing of the memory budget with it.
func TestPanicsHoldNoMemory(t *testing.T) {
	for name, v := range map[string]*core.Verifier{
		"body":   verifier(t),
		"scheme": verifier(t, func(c *core.Config) { c.Schemes = []core.Scheme{panickingScheme{hmacScheme(k1)}} }),
	} {
		for road, admit := range map[string]func(r *http.Request){
			"for a handler": func(r *http.Request) { v.Admit(httptest.NewRecorder(), r, core.BodyForHandler) },
			"consumed":      func(r *http.Request) { v.Admit(nil, r, core.BodyConsumed) },
		} {
			r := signed(t, k1, "POST", "/v1/items", "hello", apig.SignOptions{})
			if name == "body" {
				r.Body = panickingBody{strings.NewReader("hel")}
			}
			panicked := func() (v any) {
				defer func() { v = recover() }()
				admit(r)
				return nil
			}()
			if panicked == nil || v.Buffered() != 0 {
				t.Errorf("%s, %s: panicked with %v, and %d bytes are held", name, road, panicked, v.Buffered())
			}
		}
	}
}

// TestStreamMemory: a body costs a constant when it is streamed, and one copy of
// itself when it is held.
func TestStreamMemory(t *testing.T) {
	const size = 12 << 20
	digest := digestOf(t, size, 'a')
	for _, tt := range []struct {
		target string
		most   uint64
	}{{"/upload", 256 << 10}, {"/items", size + size/8}} {
		v := verifier(t, streaming)
		r := httptest.NewRequest("POST", tt.target, &pieces{left: size, fill: 'a'})
		r.Host, r.ContentLength = "api.example.com", size
		if err := apig.NewSigner(k1, apig.SignOptions{Payload: core.PayloadDeclared}).Sign(r, digest, instant); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		admission, err := v.Admit(nil, r, core.BodyForHandler)
		admitted := admission.Request
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, struct{ io.Reader }{admitted.Body})
		runtime.ReadMemStats(&after)
		admission.Release()
		if err != nil || n != size {
			t.Errorf("%s: read %d bytes, %v", tt.target, n, err)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > tt.most {
			t.Errorf("%s: %d bytes allocated for a body of %d, want at most %d", tt.target, allocated, size, tt.most)
		}
	}
}
