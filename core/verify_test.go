package core_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestRewrite verifies as the gateway sent it what a proxy changed: a prefix
// stripped, the host replaced. Bindings see what arrived.
func TestRewrite(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Rewrite = core.Rewrite{AddPrefix: "/v1", Host: "api.example.com"}
		c.APIs, c.Default = []core.API{{Match: "/items", Key: "k1"}}, "k2"
	})
	raw := strings.NewReplacer("/v1/items", "/items", "Host: api.example.com", "Host: backend.internal").Replace(p1)
	r := request(t, raw)
	id, err := v.Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	if id.Covers().Host {
		t.Error("the received host counts as covered, and nobody signed it")
	}
	if r.Host != "backend.internal" || r.RequestURI != "/items" {
		t.Errorf("the request was changed: %s %s", r.Host, r.RequestURI)
	}
	wantVerdict(t, v, request(t, p1), core.CodeSignatureMismatch)
	withQuery := signed(t, k2, "GET", "/v1/x?b=1&a=2", "", apig.SignOptions{})
	withQuery.RequestURI = "/x?b=1&a=2"
	if _, err := v.Verify(withQuery); err != nil {
		t.Errorf("with a query: %v", err)
	}
}

// TestRewriteOfOne: a proxy may change the path alone, or the host alone.
func TestRewriteOfOne(t *testing.T) {
	const prefix, host = "/v1", "api.example.com"
	for _, tt := range []struct {
		rewrite      core.Rewrite
		target, host string
		want         core.Code
	}{
		{core.Rewrite{AddPrefix: prefix}, "/items", host, ""},
		{core.Rewrite{AddPrefix: prefix}, "/v1/items", host, core.CodeSignatureMismatch},
		{core.Rewrite{AddPrefix: prefix}, "/items", "backend.internal", core.CodeSignatureMismatch},
		{core.Rewrite{Host: host}, "/v1/items", "backend.internal", ""},
		{core.Rewrite{Host: host}, "/v1/items", host, ""},
		{core.Rewrite{Host: host}, "/items", "backend.internal", core.CodeSignatureMismatch},
		{core.Rewrite{}, "/v1/items", host, ""},
	} {
		r := request(t, p1)
		r.RequestURI, r.Host = tt.target, tt.host
		id, err := verifier(t, func(c *core.Config) { c.Rewrite = tt.rewrite }).Verify(r)
		if core.CodeOf(err) != tt.want {
			t.Errorf("%+v, %s%s: got %v, want %q", tt.rewrite, tt.host, tt.target, err, tt.want)
		} else if err == nil && id.Covers().Host != (tt.rewrite.Host == "") {
			t.Errorf("%+v: the received host counts as covered: %v", tt.rewrite, id.Covers().Host)
		}
	}
}

// TestLinesInMethods: a method that would break the canonical request into other lines is
// refused before anything is computed from it.
func TestLinesInMethods(t *testing.T) {
	for _, method := range []string{"\n", "\r", "GET\n", "\nGET", "GET\r", "\rGET", "GE\rT", "\r\n"} {
		r := request(t, p1)
		r.Method = method
		_, err := verifier(t).Verify(r)
		if wantCode(t, err, core.CodeRequestAmbiguous); err != nil && !strings.Contains(err.Error(), "the method is not a token") {
			t.Errorf("%q: got %v", method, err)
		}
	}
}

// TestEmptyTarget_T036: net/http lets CONNECT through with an empty target, which looks
// like a request that no server has read. It is not the signed "/".
func TestEmptyTarget_T036(t *testing.T) {
	const connect = "CONNECT / HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\n" +
		"Authorization: SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=6f43270133e8535c188410e40f79f5073f7fe8746f43700a30c9b597c7225bed\r\n\r\n"
	v := verifier(t)
	wantVerdict(t, v, request(t, connect), "")
	wantVerdict(t, v, request(t, strings.Replace(connect, "/", "", 1)), core.CodeRequestAmbiguous)
}

// TestLongTargets cost nothing to refuse.
func TestLongTargets(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RequestURI = "/" + strings.Repeat("a/b%20", 100000)
	r.URL = &url.URL{Path: "/"}
	v := verifier(t, func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/", Key: "k1"}} })
	if got := testing.AllocsPerRun(10, func() { v.Verify(r) }); got > 10 {
		t.Errorf("%v allocations", got)
	}
	wantVerdict(t, v, r, core.CodeRequestAmbiguous)
}

// TestOuterBlanks: a blank that the canonical form does not show must not reach
// the handler. Folded lines keep one through net/http; HTTP/2 lets any through.
func TestOuterBlanks(t *testing.T) {
	for _, value := range []string{"guest ", " guest", "guest\t", "\t"} {
		r := signed(t, k1, "GET", "/", "", apig.SignOptions{Headers: []string{"x-role"}}, "X-Role: guest")
		r.Header["X-Role"] = []string{value}
		wantVerdict(t, verifier(t), r, core.CodeRequestAmbiguous)
	}
}

// TestOddRequests_T142 and T143, T144: no panic, no verdict in favour.
func TestOddRequests_T142(t *testing.T) {
	v := verifier(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		r    *http.Request
		want core.Code
	}{
		"nil":             {nil, core.CodeRequestAmbiguous},
		"empty":           {&http.Request{}, core.CodeRequestAmbiguous},
		"no header":       {&http.Request{Host: "h", URL: request(t, p1).URL}, core.CodeCredentialMissing},
		"T144 cancelled":  {request(t, p1).WithContext(cancelled), core.CodeUnavailable},
		"newline in it":   {&http.Request{Method: "GET\nx", Host: "h", URL: request(t, p1).URL, Header: request(t, p1).Header}, core.CodeRequestAmbiguous},
		"T143 as client":  {func() *http.Request { r := request(t, p1); r.RequestURI = ""; return r }(), ""},
		"T143 nil body":   {func() *http.Request { r := request(t, p1); r.Body = nil; return r }(), ""},
		"T143 no address": {func() *http.Request { r := request(t, p1); r.RemoteAddr = ""; return r }(), ""},
		"T143 moved URL":  {func() *http.Request { r := request(t, p1); r.URL.Path = "/elsewhere"; return r }(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := v.Verify(tt.r)
			wantCode(t, err, tt.want)
			if (id == nil) == (err == nil) {
				t.Errorf("got identity %v and error %v", id, err)
			}
		})
	}
	_, err := v.Verify(request(t, p1).WithContext(cancelled))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error does not wrap the context's: %v", err)
	}
	r := request(t, p1)
	for range 2 {
		if _, err := v.Verify(r); err != nil {
			t.Errorf("served twice: %v", err)
		}
	}
}

// wild is a scheme that misbehaves.
type wild struct{ secret int }

func (wild) Name() string { return "wild" }

func (wild) Algorithms() []string { return []string{"WILD"} }

func (wild) Keys() core.KeySource { return core.Keys(k1) }

func (wild) Parse(_ *http.Request, c *core.Credential) error {
	c.KeyID = k1.ID
	return nil
}

func (w wild) Verify(*http.Request, *core.Credential, *core.Key, []core.Secret, string) (int, error) {
	return w.secret, nil
}

// TestSchemeMustNameASecret: a scheme that returns no error and no secret has
// not accepted.
func TestSchemeMustNameASecret(t *testing.T) {
	for _, n := range []int{-1, 1, 99} {
		v := verifier(t, func(c *core.Config) { c.Schemes = []core.Scheme{wild{n}} })
		wantVerdict(t, v, request(t, p1), core.CodeSignatureMismatch)
	}
}
