package core_test

import (
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

// TestBindings tells which key each request must be signed with, seen from
// outside: k1 and k2 sign it, and one of them at most is let in.
func TestBindings(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.APIs = []core.API{
			{Match: "GET /orders/{id}", Key: "k2"},
			{Match: "/payments.v1.Payments/", Key: "k2"},
			{Match: "GET /healthz", Open: true},
			{Match: "/public/", Open: true},
		}
	})
	for _, tt := range []struct {
		method, target string
		k1, k2         core.Code
	}{
		{"GET", "/orders/7", core.CodeKeyNotBound, ""},
		{"HEAD", "/orders/7", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous}, // T173: routers other than ServeMux run another route
		{"GET", "/orders/7?healthz=/healthz", core.CodeKeyNotBound, ""},
		{"POST", "/orders/7", "", core.CodeKeyNotBound},
		{"GET", "/orders/7/8", "", core.CodeKeyNotBound},
		{"GET", "/orders//7", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "//orders/7", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/payments.v1.Payments/Pay", core.CodeKeyNotBound, ""},
		{"POST", "/payments.v1.Payments", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"POST", "/payments.v1.payments/Pay", "", core.CodeKeyNotBound},
		// T120: an API is open under its exact path alone.
		{"POST", "/healthz", "", core.CodeKeyNotBound},
		{"GET", "/healthz/", "", core.CodeKeyNotBound},
		{"GET", "//healthz", "", core.CodeKeyNotBound},
		{"GET", "/healthz;/x", "", core.CodeKeyNotBound},
		{"GET", "/HEALTHZ", "", core.CodeKeyNotBound},
		{"GET", "/x/healthz", "", core.CodeKeyNotBound},
		{"GET", "/x?/healthz", "", core.CodeKeyNotBound},
	} {
		for _, try := range []struct {
			key  core.Key
			want core.Code
		}{{k1, tt.k1}, {k2, tt.k2}} {
			t.Run(tt.method+" "+tt.target+" by "+try.key.Name, func(t *testing.T) {
				wantVerdict(t, v, signed(t, try.key, tt.method, tt.target, "", apig.SignOptions{}), try.want)
			})
		}
	}
	for target, want := range map[string]core.Code{
		"/healthz": "", "/healthz?x": "", "/public/a": "", "/public/a%20b": "",
		"/healthz%2f..%2fadmin": core.CodeCredentialMissing, "/public/%2e%2e/admin": core.CodeRequestAmbiguous,
		"/public/..%2fadmin": core.CodeRequestAmbiguous, "/public/../admin": core.CodeCredentialMissing,
		"/admin?x=/healthz": core.CodeCredentialMissing, "/health%7a": core.CodeRequestAmbiguous,
		"/public/caf%C3%A9": "", "/healthz%20": core.CodeCredentialMissing,
	} {
		t.Run("open "+target, func(t *testing.T) {
			r := httptest.NewRequest("GET", target, nil)
			id, err := v.Verify(r)
			wantCode(t, err, want)
			if id.Verified() {
				t.Error("an unsigned request is verified")
			}
			if err == nil {
				if admission, err := v.Admit(nil, r, core.BodyForHandler); err != nil {
					t.Error(err)
				} else if _, ok := core.FromContext(admission.Request.Context()); ok {
					t.Error("an open API has an identity") // T121
				}
			}
		})
	}
}

// TestPatternsMustWork: a setting of the program that takes ServeMux's patterns
// away is an error, not a policy that binds nothing.
func TestPatternsMustWork(t *testing.T) {
	if os.Getenv("GATEWAYAUTH_TEST_MUX") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPatternsMustWork$")
		cmd.Env = append(os.Environ(), "GATEWAYAUTH_TEST_MUX=1", "GODEBUG=httpmuxgo121=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if _, err := core.New(config(func(c *core.Config) { c.APIs = []core.API{{Match: "GET /admin", Key: "k2"}} })); err == nil || !strings.Contains(err.Error(), "APIs: net/http.ServeMux runs without its patterns") {
		t.Errorf("got %v", err)
	}
}

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
		{Match: "/orders", Key: "admin"},
		{Match: "/partner/", Key: "other"},
		{Match: "GET /status", Open: true},
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
		// A final slash, which some router takes off.
		{"GET", "/orders", "", core.CodeKeyNotBound},
		{"GET", "/orders/", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/orders//", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/partner/", core.CodeKeyNotBound, ""},
		{"GET", "/partner/x/", core.CodeKeyNotBound, ""},
		{"GET", "/others/", core.CodeKeyNotBound, ""},
		{"GET", "/status/", core.CodeKeyNotBound, ""},
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

// TestEncodedInterpretations_T173: the interpretations of a path with encoded characters,
// or with dot segments as values of parameters, are found in patterns that have them.
func TestEncodedInterpretations_T173(t *testing.T) {
	_, with := passwords(t, []core.API{
		{Match: "/a%20b/", Key: "admin"},
		{Match: "/p%20q/r/", Key: "admin"}, {Match: "/p%20q/", Key: "admin"}, {Match: "/p%20q/s/", Key: "other"},
		{Match: "/x/y/", Key: "admin"}, {Match: "/x/", Key: "admin"},
		{Match: "/v/{t}", Key: "admin"}, {Match: "/w/{t}/", Key: "admin"},
		{Match: "GET /open/{x}", Open: true}, {Match: "/open/", Key: "other"}, {Match: "/s/{$}", Key: "admin"},
	})
	for _, tt := range []struct {
		method, target string
		admin, other   core.Code
	}{
		{"GET", "/a%20b/c", "", core.CodeKeyNotBound},
		{"GET", "/a%20b//c", "", core.CodeKeyNotBound},
		{"GET", "/a%20b/../c", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/a%20b", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous}, // the paths below are bound to admin, it and those above to other
		// ServeMux redirects these to the API below; another router takes them for one of the API above.
		{"GET", "/x/y", "", core.CodeKeyNotBound},
		{"GET", "/p%20q/r", "", core.CodeKeyNotBound},
		{"GET", "/p%20q/s", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/w/%2e%2e", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/v/%2e%2e/", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/v/../", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
		{"GET", "/s//c", core.CodeKeyNotBound, ""}, // below /s/, which only /s/ itself is bound for
		{"GET", "/s/", "", core.CodeKeyNotBound},
		// Open in ServeMux's interpretation alone.
		{"GET", "/open/a%2Fb", core.CodeRequestAmbiguous, core.CodeRequestAmbiguous},
	} {
		for key, want := range map[string]core.Code{"admin": tt.admin, "other": tt.other} {
			if err := with(key, tt.method, tt.target); core.CodeOf(err) != want {
				t.Errorf("%s %s by %s: got %v, want %q", tt.method, tt.target, key, err, want)
			}
		}
	}
}

// TestEachInterpretation_T173: paths that reach the API of another key in one interpretation
// alone, and one that does in none.
func TestEachInterpretation_T173(t *testing.T) {
	for _, tt := range []struct {
		admin, other, target string
		want                 core.Code
	}{
		{"/a/{x}/c", "/", "/a%2F../c", core.CodeRequestAmbiguous}, // decoded as a whole
		{"/a/c", "/", "/a%2Fb/../c", core.CodeRequestAmbiguous},   // and cleaned
		{"/{x}/c", "/", "/a%2Fb/c", core.CodeRequestAmbiguous},    // decoded by segment, or as received
		{"/c", "/", "/a%2Fb/../%63", core.CodeRequestAmbiguous},   // cleaned, then decoded by segment
		{"/{x}", "/c", "/%63", core.CodeRequestAmbiguous},         // as received
		{"/{x}", "/c", "/y/../%63", core.CodeRequestAmbiguous},    // cleaned as received
		{"/a/{x}/c", "/", "/a//c", core.CodeRequestAmbiguous},     // an empty segment is a value
		{"/a/{$}", "/", "/a//c", ""},                              // or the path is one below
		{"/a/", "/", "/a//c", core.CodeKeyNotBound},               // in all of them
		{"/a/{x}/c/{y}", "/", "/a//c/", ""},                       // a final slash is no value
		{"/a/{x}/c/", "/", "/a//c/", core.CodeRequestAmbiguous},
	} {
		_, with := passwords(t, []core.API{{Match: tt.admin, Key: "admin"}, {Match: tt.other, Key: "other"}})
		if err := with("other", "GET", tt.target); core.CodeOf(err) != tt.want {
			t.Errorf("%s of %s and %s: got %v, want %q", tt.target, tt.admin, tt.other, err, tt.want)
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

// TestOpenAndNot_T173: a path that is open in some interpretations only is refused, and the
// refusal says so, where ServeMux would take it for an open one. Where ServeMux would redirect,
// it needs a credential, and what the open API does not allow is not allowed.
func TestOpenAndNot_T173(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.APIs = []core.API{{Match: "/o/{a}/x", Open: true}, {Match: "/o/", Key: "k1", AllowUnsignedPayload: true}, {Match: "/p/{a}", Open: true}}
	})
	for _, target := range []string{"/p/a%2Fb", "/p/%2e%2e"} {
		_, err := v.Verify(httptest.NewRequest("GET", target, nil))
		if wantCode(t, err, core.CodeRequestAmbiguous); err == nil || !strings.Contains(err.Error(), `"/p/{a}" (open)`) {
			t.Errorf("%s: got %v, want it to say which API is open", target, err)
		}
	}
	wantVerdict(t, v, httptest.NewRequest("GET", "/o/1/x", nil), "")
	wantVerdict(t, v, httptest.NewRequest("GET", "/o//x", nil), core.CodeCredentialMissing)
	wantVerdict(t, v, signed(t, k2, "POST", "/o//x", "text", apig.SignOptions{}), core.CodeKeyNotBound)
	for payload, want := range map[core.Payload][2]core.Code{core.PayloadHashed: {"", ""}, core.PayloadUnsigned: {"", core.CodePayloadNotSigned}} {
		for i, target := range []string{"/o/1/y", "/o//x"} {
			wantVerdict(t, v, signed(t, k1, "POST", target, "text", apig.SignOptions{Payload: payload}), want[i])
		}
	}
}

// TestStrictestRules_T176: where interpretations of a path agree about the key, what one
// of the APIs forbids is forbidden, whichever is found first.
func TestStrictestRules_T176(t *testing.T) {
	const declared = core.PayloadDeclared
	lax := func(match string) core.API {
		return core.API{Match: match, Key: "k1", AllowUnsignedPayload: true, MaxBody: 100, Stream: true}
	}
	strict := func(match string) core.API { return core.API{Match: match, Key: "k1", MaxBody: 10} }
	v := verifier(t, func(c *core.Config) {
		c.APIs = []core.API{lax("/a/"), strict("/a/x"), strict("/b/"), lax("/b/x"), lax("/c/"), lax("/c/x")}
	})
	for target, strict := range map[string]bool{
		"/a/y": false, "/a/x": true, "/b/y": true, "/b/x": false, // one API each
		"/a/x/": true, "/b/x/": true, "/c/x/": false, // two, of which one is that of a subtree
	} {
		for _, tt := range []struct {
			payload       core.Payload
			sent, forged  string
			strictly, lax core.Code
		}{
			{core.PayloadUnsigned, "text", "", core.CodePayloadNotSigned, ""},
			{core.PayloadHashed, "0123456789", "", "", ""},
			{core.PayloadHashed, "0123456789a", "", core.CodeBodyTooLarge, ""},
			{declared, "text", "TEXT", core.CodeBodyMismatch, ""}, // which the handler of a stream learns later
		} {
			r := signed(t, k1, "POST", target, tt.sent, apig.SignOptions{Payload: tt.payload})
			if tt.forged != "" {
				r.Body = io.NopCloser(strings.NewReader(tt.forged))
			}
			admission, err := v.Admit(nil, r, core.BodyForHandler)
			admission.Release()
			want := tt.lax
			if strict {
				want = tt.strictly
			}
			if core.CodeOf(err) != want {
				t.Errorf("%s, payload %s, %d bytes: got %v, want %q", target, tt.payload, len(tt.sent), err, want)
			}
		}
	}
}
