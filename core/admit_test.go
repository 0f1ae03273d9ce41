package core_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestAdmitNil: no request is a refused request, which observers are told of.
func TestAdmitNil(t *testing.T) {
	var codes testkit.Codes
	v := verifier(t, func(c *core.Config) { c.Observers = []core.Observer{&codes} })
	admission, err := v.Admit(nil, nil, core.BodyForHandler)
	wantCode(t, err, core.CodeRequestAmbiguous)
	if admission.Request != nil {
		t.Error("there is a request for the handler")
	}
	if got := codes.Text(); got != "request_ambiguous" {
		t.Errorf("got the verdicts %q", got)
	}
}

// TestRouteOfAnotherHost: a router that has routes for another spelling of the host than
// the one received, and has not taken them, is refused where APIs are bound by host, and
// nowhere else.
func TestRouteOfAnotherHost(t *testing.T) {
	byHost := []core.API{{Match: "admin.example.com/", Key: "k2"}}
	byPath := []core.API{{Match: "/admin/", Key: "k2"}, {Match: "/open", Open: true}}
	for _, tt := range []struct {
		apis  []core.API
		route core.Route
		want  core.Code
	}{
		{byHost, core.Route{OtherHost: true}, core.CodeRequestAmbiguous},
		{byHost, core.Route{}, ""},
		{byPath, core.Route{OtherHost: true}, ""},
		{byPath, core.Route{}, ""},
		{nil, core.Route{OtherHost: true}, ""},
	} {
		v := verifier(t, func(c *core.Config) { c.APIs = tt.apis })
		admission, err := v.Admit(nil, request(t, p1), core.BodyForHandler, tt.route)
		admission.Release()
		if core.CodeOf(err) != tt.want {
			t.Errorf("%v, %+v: got %v, want %q", tt.apis, tt.route, err, tt.want)
		}
	}
	v := verifier(t, func(c *core.Config) { c.APIs = byPath })
	for segment, want := range map[string]core.Code{"a": "", "a/b": core.CodeRequestAmbiguous} {
		_, err := v.Admit(nil, httptest.NewRequest("GET", "/open", nil), core.BodyForHandler, core.Route{Segments: []string{"x", segment}})
		if core.CodeOf(err) != want {
			t.Errorf("open, parameter %q: got %v, want %q", segment, err, want)
		}
	}
}

// TestUnverifiedParts: the handler of a verified request does not get what nobody can
// have signed, and the request that was passed in keeps it.
func TestUnverifiedParts(t *testing.T) {
	for _, tt := range []struct {
		mode     core.Mode
		verified bool
	}{{core.Enforce, true}, {core.Report, true}, {core.Report, false}} {
		v := verifier(t, func(c *core.Config) { c.Mode = tt.mode })
		r := signed(t, k1, "POST", "/", "text", apig.SignOptions{Headers: []string{"x-apig-signed"}}, "X-Apig-Signed: 1")
		r.Header["X-Apig-Mode"], r.Header["x_apig_mode"], r.Header["X-Apigs"] = []string{"debug"}, []string{"debug"}, []string{"1"}
		r.Trailer = http.Header{"X-Role": {"admin"}}
		if !tt.verified {
			r.RequestURI = "/other"
		}
		admitted := admit(t, v, r, core.BodyForHandler).Request
		if _, ok := core.FromContext(admitted.Context()); ok != tt.verified {
			t.Fatalf("%+v: verified is %v", tt, ok)
		}
		for _, name := range []string{"X-Apig-Mode", "x_apig_mode"} {
			if kept := admitted.Header[name] != nil; kept == tt.verified {
				t.Errorf("%+v: the handler gets %s: %v", tt, name, kept)
			}
		}
		if admitted.Header["X-Apig-Signed"] == nil || admitted.Header["X-Apigs"] == nil {
			t.Errorf("%+v: the handler gets the headers %v", tt, admitted.Header)
		}
		if kept := admitted.Trailer != nil; kept == tt.verified {
			t.Errorf("%+v: the handler gets the trailers: %v", tt, kept)
		}
		if len(r.Header["X-Apig-Mode"]) != 1 || len(r.Header["x_apig_mode"]) != 1 || r.Trailer == nil {
			t.Errorf("%+v: the request was changed: %v %v", tt, r.Header, r.Trailer)
		}
	}
}
