package apig_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// TestMutation_T141 changes every byte of what was signed, in three ways.
func TestMutation_T141(t *testing.T) {
	for _, s := range schemes {
		for _, o := range options(s.presigned) {
			signer := s.signer(key(s.scoped), o)
			c := config(s.scheme(apig.Config{Keys: core.Keys(key(s.scoped))}))
			c.AllowPresigned, c.AllowUnsignedPayload = true, true
			v := verifier(t, c)
			signed := received(t, "POST /v1/items?b=2&k=-1 HTTP/1.1\r\nHost: api.example.com\r\nX-Tag: one two\r\nContent-Length: 4\r\n\r\ntext")
			if err := signer.Sign(signed, bodyHash(signer, "text"), instant); err != nil {
				t.Fatal(err)
			}
			for _, p := range partsOf(signed, o.Payload != core.PayloadUnsigned) {
				for i, changed := range mutations(p.text) {
					r := signed.Clone(signed.Context())
					r.Body = io.NopCloser(strings.NewReader("text"))
					p.set(r, changed)
					if got := verify(t, v, r); (got == "") != (i == 0) {
						t.Errorf("%s, %v: the %s changed from %q to %q: got %q", s.name, o.Payload, p.name, p.text, changed, got)
					}
				}
			}
		}
	}
}

// part is a text of a request, and what changes it.
type part struct {
	name, text string
	set        func(*http.Request, string)
}

func partsOf(r *http.Request, body bool) []part {
	parts := []part{
		{"method", r.Method, func(r *http.Request, s string) { r.Method = s }},
		{"target", r.RequestURI, func(r *http.Request, s string) { r.RequestURI = s }},
		{"host", r.Host, func(r *http.Request, s string) { r.Host = s }},
	}
	for name, values := range r.Header {
		if name != "Content-Length" { // not signed
			parts = append(parts, part{name, values[0], func(r *http.Request, s string) { r.Header[name] = []string{s} }})
		}
	}
	if body {
		parts = append(parts, part{"body", "text", func(r *http.Request, s string) { r.Body = io.NopCloser(strings.NewReader(s)) }})
	}
	return parts
}

// mutations returns the text, and the text with each byte in three other ways;
// but not with the digits of a percent sequence in the other case, which mean
// the same.
func mutations(text string) []string {
	all := []string{text}
	plain, err := url.PathUnescape(text)
	for i := range len(text) {
		for _, b := range []byte{text[i] ^ 1, text[i] ^ 0x20, 'x'} {
			changed := text[:i] + string(rune(b)) + text[i+1:]
			if same, err2 := url.PathUnescape(changed); changed != text && (err != nil || err2 != nil || same != plain) {
				all = append(all, changed)
			}
		}
	}
	return all
}
