package core_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestMethodCase_T293: the holder of one API's key cannot reach another API through a
// framework that makes methods upper-case.
func TestMethodCase_T293(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.APIs = []core.API{{Match: "DELETE /orders/{id}", Key: "k2"}, {Match: "GET /health", Open: true}, {Match: "POST /items", Key: "k1"}}
	})
	for _, tt := range []struct {
		key            core.Key
		method, target string
		code           core.Code
	}{
		{k1, "DELETE", "/orders/7", core.CodeKeyNotBound},
		{k1, "delete", "/orders/7", core.CodeRequestAmbiguous},
		{k1, "Delete", "/orders/7", core.CodeRequestAmbiguous},
		{k2, "delete", "/orders/7", core.CodeRequestAmbiguous},
		{k2, "DELETE", "/orders/7", ""},
		{k1, "get", "/health", core.CodeRequestAmbiguous},
		{k1, "get", "/orders/7", ""},  // bound alike
		{k1, "post", "/items", ""},    // the same key
		{k1, "Purge!", "/items", ""},  // a method of its own
		{k1, "head", "/orders/7", ""}, // as HEAD
		{k1, "head", "/health", core.CodeRequestAmbiguous},
	} {
		_, err := v.Verify(signed(t, tt.key, tt.method, tt.target, "", apig.SignOptions{}))
		if core.CodeOf(err) != tt.code {
			t.Errorf("%s %s with %s: got %v, want code %q", tt.method, tt.target, tt.key.Name, err, tt.code)
		}
	}
}

// TestSegments_T294: a path that routers read differently costs little, whether its slashes
// are encoded or not: it is refused where it has more than 128 segments or 8192 bytes.
func TestSegments_T294(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.APIs = []core.API{{Match: "/admin/", Key: "k2"}, {Match: "GET /health", Open: true}}
	})
	for _, segment := range []string{"/a/", "/a%2f", "/%2F%41", "//", "/.", "/a/%2e%2e", "/%61", "/" + strings.Repeat("%41", 100)} {
		slashes := strings.Count(strings.ToLower(segment), "/") + strings.Count(strings.ToLower(segment), "%2f")
		few := strings.Repeat(segment, min(126/slashes, 8000/len(segment))) + "/"
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI = few
		if _, err := v.Verify(r); core.CodeOf(err) != core.CodeCredentialMissing {
			t.Errorf("%s: got %v", few, err)
		}
		many := strings.Repeat(segment, 60_000/len(segment)) + "/"
		for _, method := range []string{"GET", "HEAD", "get"} {
			r.Method, r.RequestURI = method, many
			if _, err := v.Verify(r); core.CodeOf(err) != core.CodeRequestAmbiguous {
				t.Errorf("%d segments of %s: got %v", len(many)/len(segment), segment, err)
			}
			if n := testing.AllocsPerRun(10, func() { v.Verify(r) }); n > 60 {
				t.Errorf("%s %s: %v allocations", method, segment, n)
			}
		}
	}
	for path, code := range map[string]core.Code{
		strings.Repeat("/a", 127) + "/":         core.CodeCredentialMissing,
		strings.Repeat("/a", 128) + "/":         core.CodeRequestAmbiguous,
		"/" + strings.Repeat("a%2f", 127):       core.CodeCredentialMissing,
		"/" + strings.Repeat("a%2f", 128):       core.CodeRequestAmbiguous,
		"/" + strings.Repeat("a%2F", 127):       core.CodeCredentialMissing,
		"/" + strings.Repeat("a%2F", 128):       core.CodeRequestAmbiguous,
		"/%41" + strings.Repeat("a", 8<<10-4):   core.CodeCredentialMissing,
		"/%41" + strings.Repeat("a", 8<<10-4+1): core.CodeRequestAmbiguous,
	} {
		if _, err := v.Verify(&http.Request{Method: "GET", URL: &url.URL{}, Host: "h", RequestURI: path}); core.CodeOf(err) != code {
			t.Errorf("%d bytes, %.20s...: got %v, want %s", len(path), path, err, code)
		}
	}
	long := signed(t, k1, "GET", strings.Repeat("/a", 500), "", apig.SignOptions{}) // which all read alike
	if _, err := v.Verify(long); err != nil {
		t.Error(err)
	}
	if _, err := v.Verify(&http.Request{Method: "GET", Host: "h", RequestURI: "/%zz/"}); core.CodeOf(err) != core.CodeRequestAmbiguous {
		t.Errorf("got %v", err)
	}
}
