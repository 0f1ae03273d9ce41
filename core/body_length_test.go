package core_test

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestAnnouncedLength_T174: a body is as long as the request says in each of the
// places where it says so.
func TestAnnouncedLength_T174(t *testing.T) {
	body := func(text string) func() io.ReadCloser {
		return func() io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
	}
	none := func() io.ReadCloser { return http.NoBody }
	null := func() io.ReadCloser { return nil }
	for _, tt := range []struct {
		name   string
		signed string
		body   func() io.ReadCloser
		length int64
		field  []string // Content-Length
		coding []string // TransferEncoding
		want   core.Code
	}{
		{"no body", "", none, 0, nil, nil, ""},
		{"nil", "", null, 0, nil, nil, ""},
		{"an empty reader", "", body(""), 0, nil, nil, ""},
		{"an empty body with its length", "", none, 0, []string{"0"}, nil, ""},
		{"a body", "text", body("text"), 4, []string{"4"}, nil, ""},
		{"a body of unknown length", "text", body("text"), -1, nil, nil, ""},
		{"a body in chunks", "text", body("text"), -1, nil, []string{"chunked"}, ""},
		{"a body in chunks, put back with its length", "text", body("text"), 4, nil, []string{"chunked"}, ""},
		{"a length in the field alone", "text", body("text"), -1, []string{"4"}, nil, ""},
		{"the length twice", "text", body("text"), 4, []string{"4", "4"}, nil, ""},
		{"a byte of unknown length", "x", body("x"), -1, nil, nil, ""},

		{"NoBody of unknown length", "", none, -1, nil, nil, core.CodeBodyMismatch},
		{"nil of unknown length", "", null, -1, nil, nil, core.CodeBodyMismatch},
		{"an empty reader of unknown length", "", body(""), -1, nil, nil, core.CodeBodyMismatch},
		{"NoBody in chunks", "", none, -1, nil, []string{"chunked"}, core.CodeBodyMismatch},
		{"NoBody in chunks, the length set to 0", "", none, 0, nil, []string{"chunked"}, core.CodeBodyMismatch},
		{"an empty reader in chunks, the length set to 0", "", body(""), 0, nil, []string{"chunked"}, core.CodeBodyMismatch},
		{"NoBody with a length", "", none, 10, []string{"10"}, nil, core.CodeBodyMismatch},
		{"nil with a length", "", null, 10, nil, nil, core.CodeBodyMismatch},
		{"an empty reader with a length", "", body(""), 10, nil, nil, core.CodeBodyMismatch},
		{"NoBody, the length set to 0", "", none, 0, []string{"10"}, nil, core.CodeBodyMismatch},
		{"an empty reader, the length set to -1", "", body(""), -1, []string{"10"}, nil, core.CodeBodyMismatch},
		{"another body, the length set to its own", "text", body("text"), 4, []string{"10"}, nil, core.CodeBodyMismatch},
		{"another body, the length set to -1", "text", body("text"), -1, []string{"10"}, nil, core.CodeBodyMismatch},
		{"the rest of a body", "text", body("text"), 10, nil, nil, core.CodeBodyMismatch},
		{"more than announced", "text", body("text"), 3, nil, nil, core.CodeBodyMismatch},
		{"two lengths", "text", body("text"), 4, []string{"4", "5"}, nil, core.CodeBodyMismatch},
		{"no length", "text", body("text"), 4, []string{"four"}, nil, core.CodeBodyMismatch},
		{"no length and no body", "", none, 0, []string{"zero"}, nil, core.CodeBodyMismatch},
		{"a length of 64 bits", "text", body("text"), -1, []string{"18446744073709551615"}, nil, core.CodeBodyMismatch},
		{"its length in the field, and another one set", "text", body("text"), 3, []string{"4"}, nil, core.CodeBodyMismatch},
		{"in chunks, put back with another length", "text", body("text"), 3, nil, []string{"chunked"}, core.CodeBodyMismatch},
	} {
		for name, how := range map[string]struct {
			payload core.Payload
			stream  bool
		}{"hashed": {core.PayloadHashed, false}, "declared": {core.PayloadDeclared, false}, "streamed": {core.PayloadDeclared, true}} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				var reported core.Code
				for _, mode := range []core.Mode{core.Enforce, core.Report} {
					v := verifier(t, func(c *core.Config) {
						c.Mode = mode
						c.APIs = []core.API{{Match: "/", Key: "k1", Stream: how.stream}}
						c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { reported = e.Code })}
					})
					r := signed(t, k1, "POST", "/", tt.signed, apig.SignOptions{Payload: how.payload})
					r.Body, r.ContentLength, r.TransferEncoding = tt.body(), tt.length, tt.coding
					if tt.field != nil {
						r.Header["Content-Length"] = tt.field
					}
					admission, err := v.Admit(nil, r, core.BodyForHandler)
					admitted := admission.Request
					covered := false
					if err == nil {
						id, ok := core.FromContext(admitted.Context())
						covered = ok && id.Covers().Body
						if admitted.Body != nil { // report mode leaves it as it was
							_, err = io.ReadAll(admitted.Body)
						}
					}
					admission.Release()
					if mode == core.Enforce {
						wantCode(t, err, tt.want)
					}
					if reported != tt.want || covered != (tt.want == "" && !how.stream) {
						t.Errorf("%v: got event %q, covered %v; want %q", mode, reported, covered, tt.want)
					}
				}
			})
		}
	}
}

// TestTestRequests_T174: the requests of httptest are what its callers mean.
func TestTestRequests_T174(t *testing.T) {
	v := verifier(t)
	for name, body := range map[string]io.Reader{"nil": nil, "NoBody": http.NoBody, "an empty string": strings.NewReader("")} {
		r := httptest.NewRequest("POST", "/", body)
		r.Header = signed(t, k1, "POST", "/", "", apig.SignOptions{}).Header
		r.Host = "api.example.com"
		if _, err := v.Verify(r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		core.Release(r)
	}
}

// TestParsedForms_T174: a request whose form was parsed had another body, whatever its
// body is now.
func TestParsedForms_T174(t *testing.T) {
	for name, parsed := range map[string]func(*http.Request){
		"a form":                 func(r *http.Request) { r.PostForm = url.Values{"a": {"1"}} },
		"an empty form":          func(r *http.Request) { r.MultipartForm = new(multipart.Form) },
		"both":                   func(r *http.Request) { r.PostForm, r.MultipartForm = url.Values{"a": {"1"}}, new(multipart.Form) },
		"none, but it was tried": func(r *http.Request) { r.PostForm = url.Values{} },
	} {
		want := core.CodeBodyMismatch
		if strings.HasPrefix(name, "none") {
			want = ""
		}
		for _, body := range []string{"", "text"} {
			for _, payload := range []core.Payload{core.PayloadHashed, core.PayloadDeclared} {
				r := signed(t, k1, "POST", "/", body, apig.SignOptions{Payload: payload})
				parsed(r)
				wantVerdict(t, verifier(t), r, want)
			}
		}
	}
}

// TestAbsentBody_T174: the refusal of a body that did not arrive says what may have become of
// it, and that of another length does not.
func TestAbsentBody_T174(t *testing.T) {
	const absent = "no byte of the body arrived"
	for name, tt := range map[string]struct {
		body   io.ReadCloser
		length int64
		want   bool
	}{
		"NoBody of unknown length":           {http.NoBody, -1, true},
		"an empty reader of unknown length":  {io.NopCloser(strings.NewReader("")), -1, true},
		"NoBody with a length":               {http.NoBody, 4, false},
		"an empty reader with a length":      {io.NopCloser(strings.NewReader("")), 4, false},
		"a body of another length than said": {io.NopCloser(strings.NewReader("text")), 3, false},
	} {
		r := signed(t, k1, "POST", "/", "", apig.SignOptions{})
		r.Body, r.ContentLength = tt.body, tt.length
		_, err := verifier(t).Verify(r)
		core.Release(r)
		wantCode(t, err, core.CodeBodyMismatch)
		if strings.Contains(err.Error(), absent) != tt.want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
