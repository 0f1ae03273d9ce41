package authorization_test

import (
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// headers are accepted ones, and what could be taken for them.
var headers = []string{
	"A Access=a, SignedHeaders=h;i, Signature=0a1b", "A Access=a, SignedHeaders=h;i, Signature=ffff", "A Access=b, SignedHeaders=h;i, Signature=0a1b",
	"A Access=a,SignedHeaders=h;i,Signature=0a1b", "A Access=a, SignedHeaders=h;i, \tSignature=0a1b", "B Access=a, SignedHeaders=h;i, Signature=0a1b",
	"A Access=a, SignedHeaders=h;i, Signature=", "A Access=a, SignedHeaders=h;i, Signature=0a1b ", "A Access=a, SignedHeaders=h;i, Signature=0A1B",
	"A Access=a, SignedHeaders=h;i, Signature=0a, Access=b", "A Access=a, SignedHeaders=h;i, Signature=0a,", "A Access=a, SignedHeaders=h;i, Signature==",
	"A Signature=0a1b, Access=Signature=0a", "A Signature=0, Access=Signature=0", "A Signature=0a1b", "A Signature=0a1b, Access=a", "A Access=a, xSignature=0a",
	"A Access=a, SignedHeaders=, Signature=0a", "A", "", "A ,Signature=0", "A Access=a, Signature =0", "A Access=a, Signature=0, Signature=0",
}

// TestReader: what is remembered is read as if it was not.
func TestReader(t *testing.T) {
	for _, remembered := range headers {
		for _, value := range headers {
			var r authorization.Reader
			r.Read(remembered, "A")
			r.Remember(remembered)
			check(t, &r, value)
			check(t, &r, remembered)
		}
	}
}

func check(t *testing.T, r *authorization.Reader, value string) {
	t.Helper()
	token, text := authorization.Cut(value)
	want, wantErr := authorization.Parse(text)
	got, err := r.Read(value, "A")
	if token != "A" {
		if got != nil || err != nil {
			t.Errorf("%q: got %+v, %v", value, got, err)
		}
		return
	}
	if got == nil || *got != want || err != wantErr {
		t.Errorf("%q: got %+v, %v; want %+v, %v", value, got, err, want, wantErr)
	}
}

// TestReaderTakesTurns: after a while another header is remembered, and only the
// one that was accepted.
func TestReaderTakesTurns(t *testing.T) {
	var r authorization.Reader
	for i := range 100 {
		value := headers[i/40]
		check(t, &r, value)
		r.Remember(value)
		check(t, &r, headers[1])
		check(t, &r, strings.Replace(value, "Access=", "Access=a", 1))
	}
}

func FuzzReader(f *testing.F) {
	for _, h := range headers {
		f.Add(h, headers[0])
	}
	f.Fuzz(func(t *testing.T, remembered, value string) {
		var r authorization.Reader
		r.Read(remembered, "A")
		r.Remember(remembered)
		check(t, &r, value)
		check(t, &r, remembered)
		check(t, &r, remembered+"0")
	})
}

// TestReaderForgets: what belonged to one header alone does not stay, whether or not
// the header before it was the one that is remembered.
func TestReaderForgets(t *testing.T) {
	const header, credential = "A Credential=k/d/r/s/end, SignedHeaders=h, Signature=0a", "k/d/r/s/end"
	for _, remembered := range []bool{false, true} {
		var r authorization.Reader
		if remembered {
			r.Read(header, "A")
			r.Remember(header)
			r.Forget()
			r.Read(header, "A")
			r.Scope(credential, "end")
			r.Forget()
		}
		scope := r.Scope("other/d/r/s/end", "end")
		if scope == nil || scope.KeyID != "other" {
			t.Fatalf("got %+v", scope)
		}
		r.Forget()
		if *scope != (authorization.Scope{}) {
			t.Errorf("remembered %v: what is left is %+v", remembered, scope)
		}
		fields, _ := r.Read("A Credential=other, SignedHeaders=h, Signature=0b", "A")
		r.Forget()
		if *fields != (authorization.Fields{}) {
			t.Errorf("remembered %v: what is left is %+v", remembered, fields)
		}
		if fields, _ := r.Read(header, "A"); fields.Signature != "0a" {
			t.Errorf("got %+v", fields)
		}
		r.Forget()
		if fields, _ := r.Read("A Credential=k, SignedHeaders=h, Signature=0b", "A"); fields.Credential != "k" {
			t.Errorf("got %+v", fields)
		}
	}
}
