package core_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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
		v := verifier(t, func(c *core.Config) { c.Mode, c.AllowUnsigned = tt.mode, []string{"x-amz-cf-id"} })
		r := signed(t, k1, "POST", "/", "text", apig.SignOptions{Headers: []string{"x-apig-signed"}}, "X-Apig-Signed: 1")
		lower := "x_apig_mode"
		kept := []string{"X-Apigs", "X-Amz-Cf-Id", "X_other", "X-Sdk-Content-Sha256", "Accept"}
		for _, name := range append([]string{"X-Apig-Mode", lower, "X-Apig-"}, kept...) {
			r.Header[name] = []string{"1"}
		}
		r.Trailer = http.Header{"X-Role": {"admin"}}
		if !tt.verified {
			r.RequestURI = "/other"
		}
		admitted := admit(t, v, r, core.BodyForHandler).Request
		if _, ok := core.FromContext(admitted.Context()); ok != tt.verified {
			t.Fatalf("%+v: verified is %v", tt, ok)
		}
		for _, name := range []string{"X-Apig-Mode", lower, "X-Apig-"} {
			if kept := admitted.Header[name] != nil; kept == tt.verified {
				t.Errorf("%+v: the handler gets %s: %v", tt, name, kept)
			}
		}
		for _, name := range append(kept, "X-Apig-Signed") {
			if admitted.Header[name] == nil {
				t.Errorf("%+v: the handler does not get %s", tt, name)
			}
		}
		if kept := admitted.Trailer != nil; kept == tt.verified {
			t.Errorf("%+v: the handler gets the trailers: %v", tt, kept)
		}
		if len(r.Header["X-Apig-Mode"]) != 1 || len(r.Header[lower]) != 1 || r.Trailer == nil {
			t.Errorf("%+v: the request was changed: %v %v", tt, r.Header, r.Trailer)
		}
	}
}

// TestLateTrailers: the trailers that the server has read behind a body reach the handler of a
// request that report mode lets through, as they do without a verifier.
func TestLateTrailers(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.Mode = core.Report })
	for target, want := range map[string]bool{"/": false, "/other": true} { // "/" is what was signed
		r := signed(t, k1, "POST", "/", "text", apig.SignOptions{})
		r.RequestURI = target
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("text"), readerFunc(func([]byte) (int, error) {
			r.Trailer = http.Header{"X-Checksum": {"1"}}
			return 0, io.EOF
		})))
		if admitted := admit(t, v, r, core.BodyForHandler).Request; (admitted.Trailer != nil) != want {
			t.Errorf("%s: the handler gets the trailers %v", target, admitted.Trailer)
		}
	}
}

// beforeWriter is a ResponseWriter that runs functions when it writes the header, as Echo's does.
type beforeWriter struct {
	*httptest.ResponseRecorder
	before []func()
}

func (w *beforeWriter) Before(f func()) { w.before = append(w.before, f) }

func (w *beforeWriter) WriteHeader(status int) {
	for _, f := range w.before {
		f()
	}
	w.ResponseRecorder.WriteHeader(status)
}

// TestReplace: the request that the framework goes on with is the admitted one. The
// connection ends with the answer where the server would else read on before it answers,
// whatever the handler says about it.
func TestReplace(t *testing.T) {
	v := verifier(t, streaming, func(c *core.Config) { c.Mode = core.Report })
	for _, tt := range []struct {
		name           string
		payload        core.Payload // declared: the handler reads the body; hashed: it is held
		verified       bool
		length         int64
		coding, expect string
		major          int
		want           bool
	}{
		{"a known length", core.PayloadDeclared, true, 4, "", "", 1, false},
		{"an unknown length", core.PayloadDeclared, true, -1, "", "", 1, true},
		{"in chunks, its length set", core.PayloadDeclared, true, 4, "chunked", "", 1, true},
		{"in chunks, over HTTP/2", core.PayloadDeclared, true, -1, "chunked", "", 2, false},
		{"in chunks, held", core.PayloadHashed, true, -1, "chunked", "", 1, false},
		{"in chunks, not verified", core.PayloadDeclared, false, -1, "chunked", "", 1, false},
		{"waiting", core.PayloadDeclared, true, 4, "", "100-continue", 1, true},
		{"waiting, not verified", core.PayloadDeclared, false, 4, "", "100-continue", 1, true},
		{"waiting, over HTTP/2", core.PayloadDeclared, true, 4, "", "100-continue", 2, false},
		{"waiting, held", core.PayloadHashed, true, 4, "", "100-continue", 1, false},
	} {
		for _, tells := range []bool{false, true} { // the writer tells when it writes the header
			r := signed(t, k1, "POST", "/upload", "text", apig.SignOptions{Payload: tt.payload})
			r.ContentLength, r.ProtoMajor = tt.length, tt.major
			if tt.coding != "" {
				r.TransferEncoding = []string{tt.coding}
			}
			if tt.expect != "" {
				r.Header.Set("Expect", tt.expect)
			}
			if !tt.verified {
				r.Header.Del("Authorization")
			}
			admission := admit(t, v, r, core.BodyForHandler)
			recorder := httptest.NewRecorder()
			var w http.ResponseWriter = recorder
			if tells {
				w = &beforeWriter{ResponseRecorder: recorder}
			}
			admission.Replace(w, r)
			if _, ok := core.FromContext(r.Context()); ok != tt.verified {
				t.Errorf("%s: the request is verified: %v", tt.name, ok)
			}
			if closes := recorder.Header().Get("Connection") == "close"; closes != tt.want {
				t.Errorf("%s: the connection ends with the answer: %v, want %v", tt.name, closes, tt.want)
			}
			w.Header().Set("Connection", "keep-alive")
			w.WriteHeader(http.StatusOK)
			if closes := recorder.Header().Get("Connection") == "close"; closes != (tt.want && tells) {
				t.Errorf("%s, the handler sets Connection: the connection ends with the answer: %v", tt.name, closes)
			}
			if got, err := io.ReadAll(r.Body); string(got) != "text" || err != nil {
				t.Errorf("%s: the handler read %q, %v", tt.name, got, err)
			}
		}
	}
}

// TestReplaceEmptyBody: a body that is announced to be empty keeps the connection.
func TestReplaceEmptyBody(t *testing.T) {
	v := verifier(t, streaming)
	r := signed(t, k1, "POST", "/upload", "", apig.SignOptions{Payload: core.PayloadDeclared})
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("")), 0
	w := httptest.NewRecorder()
	if admit(t, v, r, core.BodyForHandler).Replace(w, r); w.Header().Get("Connection") != "" {
		t.Errorf("got the header %v", w.Header())
	}
}

// TestReplaceWithoutBody: where there is no body, the request has none afterwards either.
func TestReplaceWithoutBody(t *testing.T) {
	for _, mode := range []core.Mode{core.Enforce, core.Off} {
		v := verifier(t, func(c *core.Config) { c.Mode = mode })
		for _, body := range []io.ReadCloser{nil, http.NoBody} {
			r := request(t, p1)
			r.Body = body
			r.Header.Set("Expect", "100-continue")
			admission := admit(t, v, r, core.BodyForHandler)
			w := httptest.NewRecorder()
			if admission.Replace(w, r); r.Body != body && r.Body != http.NoBody || len(w.Header()) > 0 {
				t.Errorf("%v: got the body %v and the header %v", mode, r.Body, w.Header())
			}
		}
	}
}

// TestReplacedBody: the server has the last word on the body that it shares with the
// handler, and the handler of a verified request does not see its trailers.
func TestReplacedBody(t *testing.T) {
	for _, verified := range []bool{true, false} {
		v := verifier(t, streaming, func(c *core.Config) { c.Mode = core.Report })
		r := signed(t, k1, "POST", "/upload", "text", apig.SignOptions{Payload: core.PayloadDeclared})
		if !verified {
			r.Header.Del("Authorization")
		}
		source := &counted{Reader: io.MultiReader(strings.NewReader("text"), readerFunc(func([]byte) (int, error) {
			r.Trailer = http.Header{"X-Role": {"admin"}} // as the server does at the end
			return 0, io.EOF
		}))}
		r.Body, r.ContentLength = source, -1
		admission := admit(t, v, r, core.BodyForHandler)
		admission.Replace(httptest.NewRecorder(), r)
		got, err := io.ReadAll(r.Body)
		if string(got) != "text" || err != nil {
			t.Errorf("verified %v: the handler read %q, %v", verified, got, err)
		}
		if kept := r.Trailer != nil; kept == verified {
			t.Errorf("verified %v: the handler sees the trailers %v", verified, r.Trailer)
		}
		if err := r.Body.Close(); err != nil || source.closed != 0 {
			t.Errorf("verified %v: closing gave %v, and the server's body was closed %d times", verified, err, source.closed)
		}
		if n, err := r.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("verified %v: reading on gave %d, %v", verified, n, err)
		}
	}
}
