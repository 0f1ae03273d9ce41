package core_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestRequiredLookalikes: what must be signed cannot come in with an underscore.
func TestRequiredLookalikes(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.RequireSigned = []string{"host", "x-role", "content-length"} })
	for header, want := range map[string]core.Code{"X-Role": core.CodeHeaderNotSigned, "X_Role": core.CodeHeaderNotSigned,
		"x_role": core.CodeHeaderNotSigned, "X_Roles": "", "Xrole": ""} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
		r.Header[header] = []string{"admin"}
		_, err := v.Verify(r)
		if core.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %q", header, err, want)
		}
	}
	wantVerdict(t, v, signed(t, k1, "POST", "/", "text", apig.SignOptions{}), core.CodeHeaderNotSigned) // a length that is there
}

func contentTypeWithBody(c *core.Config) { c.RequireSignedWithBody = []string{"Content-Type"} }

// TestWithBody_T182: whether there is a body is decided without reading it, and for
// each request anew, also where its list of headers was accepted before.
func TestWithBody_T182(t *testing.T) {
	v := verifier(t, contentTypeWithBody)
	send := func(length int64, body io.ReadCloser, headers ...string) error {
		r := signed(t, k1, "POST", "/v1/items", "", apig.SignOptions{Headers: headers}, "Content-Type: text/plain")
		r.ContentLength, r.Body = length, body
		_, err := v.Verify(r)
		core.Release(r)
		return err
	}
	for range 20 {
		wantCode(t, send(0, nil), "")
		wantCode(t, send(0, http.NoBody), "")
		wantCode(t, send(0, http.MaxBytesReader(nil, http.NoBody, 10)), "") // as behind http.MaxBytesHandler
		wantCode(t, send(-1, unread{t}), core.CodeHeaderNotSigned)
		wantCode(t, send(5, unread{t}), core.CodeHeaderNotSigned)
		wantCode(t, send(5, http.NoBody), core.CodeHeaderNotSigned) // somebody has read it
		wantCode(t, send(0, http.NoBody, "content-type"), "")
	}
	r := signed(t, k1, "POST", "/v1/items", "abc", apig.SignOptions{Headers: []string{"content-type"}}, "Content-Type: text/plain")
	wantVerdict(t, v, r, "")
	core.Release(r)
}

// TestWithBodyEveryScheme_T182: the rule is that of the environment, not of a scheme.
func TestWithBodyEveryScheme_T182(t *testing.T) {
	for _, f := range families() {
		v := f.of(t, contentTypeWithBody)
		r := f.signed()
		if _, err := v.Verify(r); err != nil {
			t.Errorf("%s, no body: got %v", f.Name, err)
		}
		r.ContentLength, r.Body = 3, io.NopCloser(strings.NewReader("abc"))
		want := core.CodeHeaderNotSigned
		if f.prefix == "" {
			want = ""
		}
		_, err := v.Verify(r)
		if core.CodeOf(err) != want {
			t.Errorf("%s, a body: got %v, want %q", f.Name, err, want)
		}
		core.Release(r)
	}
}

// TestWithBodyConfig_T182: what cannot be asked for is an error with its field.
func TestWithBodyConfig_T182(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"authorization", `RequireSignedWithBody[0] "authorization": is not the name`}, {"X Y", `RequireSignedWithBody[0] "x y": is not`},
		{"", `RequireSignedWithBody[0] "": is not`}, {"X-Sdk-Kind", `AllowUnsigned[0] "x-sdk-kind": is required to be signed as well (RequireSignedWithBody)`},
	} {
		_, err := core.New(config(func(c *core.Config) {
			c.RequireSignedWithBody, c.AllowUnsigned = []string{tt.name}, []string{"x-sdk-kind"}
		}))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got error %v, want %s", tt.name, err, tt.want)
		}
	}
}
