package core_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

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
	digest := "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of hello
	for name, v := range map[string]*core.Verifier{
		"body":   verifier(t),
		"scheme": verifier(t, func(c *core.Config) { c.Schemes = []core.Scheme{panickingScheme{hmacScheme(k1)}} }),
	} {
		for road, admit := range map[string]func(r *http.Request){
			"for a handler": func(r *http.Request) { v.Admit(httptest.NewRecorder(), r, core.BodyForHandler) },
			"consumed":      func(r *http.Request) { v.Admit(nil, r, core.BodyConsumed) },
		} {
			r := httptest.NewRequest(http.MethodPost, "/v1/items", strings.NewReader("hello"))
			if err := apig.NewSigner(k1, apig.SignOptions{}).Sign(r, digest, instant); err != nil {
				t.Fatal(err)
			}
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
