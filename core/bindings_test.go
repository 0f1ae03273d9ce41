package core_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

// passwords returns a verifier of Basic credentials, which every path can have,
// and a request with those of a key.
func passwords(t *testing.T, apis []core.API) (v *core.Verifier, with func(key, method, target string) error) {
	t.Helper()
	keys := []core.Key{{Name: "admin", ID: "admin", Secret: core.NewSecret("password-of-admin")},
		{Name: "other", ID: "other", Secret: core.NewSecret("password-of-other")}}
	v = verifier(t, func(c *core.Config) {
		c.Schemes, c.Default = []core.Scheme{basic.New(basic.Config{Keys: core.Keys(keys...)})}, "other"
		c.APIs = apis
	})
	return v, func(key, method, target string) error {
		r := httptest.NewRequest(method, "/", nil)
		r.URL.Path, r.URL.RawPath, r.RequestURI = "/routed/by/somebody", "", target
		r.SetBasicAuth(key, "password-of-"+key)
		_, err := v.Verify(r)
		return err
	}
}

// TestInterpretations_T173: whoever holds the key of one API, or none, is refused
// where some router would reach another API.
func TestInterpretations_T173(t *testing.T) {
	_, with := passwords(t, []core.API{
		{Match: "/admin/", Key: "admin"},
		{Match: "/tenants/{t}/users", Key: "admin"},
		{Match: "GET /public/{file}", Open: true},
		{Match: "POST /only/{x}", Key: "admin"},
	})
	for _, tt := range []struct {
		method, target string
		admin, other   core.Code
	}{
		// As it stands, decoded, cleaned, or decoded and cleaned.
		{"POST", "/admin/../x", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/admin/..", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/admin/./../x", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/admin/%2e%2e/x", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/admin%2F..%2Fx", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/admin%2fx", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/x/../admin/y", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/%61dmin/y", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "//admin/y", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/admin", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		// Empty segments as parameters, or not.
		{"GET", "/tenants//users", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/tenants/./users", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/tenants/../users", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/tenants/a%2Fb/users", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		// An open API needs all interpretations to be open.
		{"GET", "/public/..", core.CodeKeyNotBound, ""},
		{"GET", "/public/%2e%2e", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/public/a%2Fb", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/public//a", core.CodeKeyNotBound, ""},
		// Bound alike in all of them.
		{"POST", "/admin/x/../y", "", core.CodeKeyNotBound},
		{"POST", "/admin//x", "", core.CodeKeyNotBound},
		{"POST", "/admin/%2e/x", "", core.CodeKeyNotBound},
		{"POST", "/x/../y", core.CodeKeyNotBound, ""},
		{"POST", "/public/..", core.CodeKeyNotBound, ""},
		{"GET", "/only/%2e%2e", core.CodeKeyNotBound, ""},
		// Plain paths, and percent sequences that every client writes so.
		{"GET", "/tenants/7/users", "", core.CodeKeyNotBound},
		{"GET", "/tenants/a%20b/users", "", core.CodeKeyNotBound},
		{"GET", "/tenants/users", core.CodeKeyNotBound, ""},
		{"GET", "/tenants/", core.CodeKeyNotBound, ""},
		{"GET", "/", core.CodeKeyNotBound, ""},
		{"GET", "/public/a", "", ""},
	} {
		wantCode(t, with("admin", tt.method, tt.target), tt.admin)
		wantCode(t, with("other", tt.method, tt.target), tt.other)
		if t.Failed() {
			t.Fatalf("%s %s", tt.method, tt.target)
		}
	}
}

// TestDoubleSlash_T176: where all interpretations are bound alike, that is the
// binding.
func TestDoubleSlash_T176(t *testing.T) {
	_, with := passwords(t, []core.API{
		{Match: "/s3/", Key: "admin"}, {Match: "GET /buckets/{b}/{rest...}", Key: "admin"}, {Match: "/open/", Open: true},
	})
	for _, target := range []string{"/s3/a//b", "/s3//", "/s3//a", "/s3/a//", "/s3/a/./b", "/s3/a/b/../c", "/s3/%2F/a",
		"/buckets/b//a", "/buckets/b/a//b/"} {
		wantCode(t, with("admin", "GET", target), "")
		wantCode(t, with("other", "GET", target), core.CodeKeyNotBound)
		if t.Failed() {
			t.Fatal(target)
		}
	}
	for _, target := range []string{"/open//a", "/open/a/../b", "/open//"} {
		wantCode(t, with("nobody", "GET", target), "")
	}
	wantCode(t, with("admin", "GET", "/buckets//a"), core.CodeRequestAmbiguous) // no bucket, to some
}
