package core_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
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
		if header == "X-Role" && !strings.HasSuffix(fmt.Sprint(err), "this environment requires it to be signed: x-role") {
			t.Errorf("%s: got %v, want the name of the header", header, err)
		}
	}
	wantVerdict(t, v, signed(t, k1, "POST", "/", "text", apig.SignOptions{}), core.CodeHeaderNotSigned) // a length that is there
	underscored := verifier(t, func(c *core.Config) { c.RequireSigned = []string{"host", "x_role"} })
	for header, want := range map[string]core.Code{"X-Role": core.CodeHeaderNotSigned, "X_role": core.CodeHeaderNotSigned, "X-Roles": ""} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{})
		r.Header[header] = []string{"admin"}
		wantVerdict(t, underscored, r, want)
	}
}

// TestLookalikes_T030 is that no unsigned header has the name that a signed one has for
// readers such as CGI, and no other header that of one that must be signed.
func TestLookalikes_T030(t *testing.T) {
	spellings := []string{"x-role-of", "x_role-of", "x-role_of", "x_role_of", "x-roles-of", "y_role_of", "xarole-of"}
	cgi := strings.NewReplacer("-", "_")
	for _, required := range append(spellings, "") {
		v := verifier(t, func(c *core.Config) {
			if required != "" {
				c.RequireSigned = []string{"host", required}
			}
		})
		for _, a := range spellings {
			for _, b := range spellings {
				for _, list := range [][]string{nil, {a}, {b}, {a, b}} {
					for range 2 { // the list is remembered then
						var lines []string
						for _, name := range slices.Compact(slices.Clone(list)) {
							lines = append(lines, name+": admin")
						}
						r := signed(t, k1, "GET", "/", "", apig.SignOptions{Headers: list}, lines...)
						for _, name := range []string{a, b} { // what signers refuse to send
							r.Header.Set(name, "admin")
						}
						_, err := v.Verify(r)
						refuse := false
						for _, name := range []string{a, b} {
							unsigned := !slices.Contains(list, name)
							for _, other := range list {
								refuse = refuse || unsigned && cgi.Replace(name) == cgi.Replace(other)
							}
							refuse = refuse || (unsigned || name != required) && cgi.Replace(name) == cgi.Replace(required)
						}
						if (err != nil) != refuse {
							t.Errorf("%s and %s with %v signed, %q required: got %v, want it refused: %v", a, b, list, required, err, refuse)
						}
					}
				}
			}
		}
	}
}

// TestLookalikesAreSorted: an error names headers in the same order each time.
func TestLookalikesAreSorted(t *testing.T) {
	v := verifier(t)
	for range 20 {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{Headers: []string{"x-a-a", "x-b-b", "x-c-c"}}, "x-a-a: 1", "x-b-b: 1", "x-c-c: 1")
		for _, name := range []string{"X_c_c", "X_b_b", "X_a_a"} {
			r.Header[name] = []string{"2"}
		}
		_, err := v.Verify(r)
		if e, ok := errors.AsType[*core.Error](err); !ok || e.Header != "X_a_a, X_b_b, X_c_c" {
			t.Fatalf("got %v", err)
		}
	}
}

// TestTwoSchemesInTheQuery_T012 is that the order of the schemes does not decide which
// credential of a query counts.
func TestTwoSchemesInTheQuery_T012(t *testing.T) {
	pairs := testkit.PairsOf(func(name string) core.Key {
		return core.Key{Name: name, ID: "ID" + name, Secret: core.NewSecret("secret-of-" + name + "-0123456789")}
	})
	schemes := testkit.Schemes(pairs)
	for range 2 {
		slices.Reverse(schemes)
		for _, pair := range pairs {
			v := testkit.New(t, core.Config{Environment: "prod", Schemes: schemes, Default: pair.Key.Name, Now: testkit.Now,
				AllowPresigned: true, AllowUnsignedPayload: true})
			for _, name := range []string{"Algorithm", "Credential", "Signature"} {
				for prefix, inQuery := range map[string]string{"X-Sdk-": "sigv4", "X-Amz-": "hmac aksk"} {
					r := httptest.NewRequest("GET", "/v1/items?"+prefix+name+"=a", nil)
					r.Host = "api.example.com"
					other := pair.Signer
					if !strings.HasSuffix(pair.Name, "query") || !strings.Contains(inQuery, strings.Fields(pair.Name)[0]) {
						continue
					}
					digest := ""
					if other.NewHash() != nil {
						digest = testkit.NoBody
					}
					if err := other.Sign(r, digest, testkit.Now()); err != nil {
						continue // a signer refuses to sign it
					}
					r.RequestURI = r.URL.RequestURI()
					_, err := v.Verify(r)
					wantCode(t, err, core.CodeRequestAmbiguous)
				}
			}
		}
	}
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
