package coretest

import (
	"bytes"
	"io"
	"net/http"
	"slices"

	"github.com/gatewayauth/gatewayauth/core"
)

// Bodies that middleware in front of the adapter has read. The verifier must not take
// such a request for one without a body: it may have been signed without a body and sent
// with one.
func drainedCases() []testCase {
	added := k1.sign(p1().as("POST"), plain).carrying("amount=900").with("Content-Type: application/x-www-form-urlencoded")
	var cases []testCase
	for _, front := range []struct {
		name string
		read func(r *http.Request)
	}{
		{"read", func(*http.Request) {}},
		{"read, and replaced by http.NoBody", func(r *http.Request) { r.Body = http.NoBody }},
		{"read, and set to nil", func(r *http.Request) { r.Body = nil }},
		{"read, and replaced by an empty buffer", func(r *http.Request) { r.Body = io.NopCloser(new(bytes.Buffer)) }},
		{"read, and its length set to 0", func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }},
	} {
		read := func(r *http.Request) {
			io.Copy(io.Discard, r.Body)
			front.read(r)
		}
		cases = append(cases, inFront("an added body "+front.name, read, refused(core.CodeBodyMismatch), added, added.chunked(3))...)
		cases = append(cases, inFront("a signed body "+front.name, read, refused(core.CodeBodyMismatch), p2(), p2().chunked(3))...)
	}
	again := func(r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(text))
	}
	return slices.Concat(cases,
		inFront("an added body parsed as a form", func(r *http.Request) { r.ParseForm() }, refused(core.CodeBodyMismatch), added, added.chunked(3)),
		inFront("a signed body read, and put back", again, accepted, p1(), p2(), p2().chunked(3)),
		inFront("an added body read, and put back", again, mismatch, added, added.chunked(3)),
		rows("T174", accepted, row{"an empty body with its length", p1().carrying("")}),
		// It cannot be distinguished from a body that was read.
		rows("T174", refused(core.CodeBodyMismatch), row{"an empty body in chunks", p1().chunked(1)}),
		[]testCase{{name: "T174 HTTP/2, an added body that was read", script: func(b *bench) {
			verified := b.handler
			b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				r.Body = http.NoBody
				verified.ServeHTTP(w, r)
			})
			a, err := b.http2()(added)
			if err != nil {
				b.Errorf("%v", err)
				return
			}
			b.settle()
			b.check(added, refused(core.CodeBodyMismatch), a)
		}}})
}

// inFront returns cases of messages whose bodies middleware in front of the adapter reads.
func inFront(name string, read func(*http.Request), want verdict, messages ...message) []testCase {
	var cases []testCase
	for _, m := range messages {
		framing := "with a length"
		if m.framed != "" {
			framing = "in chunks"
		}
		cases = append(cases, testCase{name: "T174 " + name + ": " + m.method + " " + framing, script: func(b *bench) {
			verified := b.handler
			b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				read(r)
				verified.ServeHTTP(w, r)
			})
			b.expect(m, want)
		}})
	}
	return cases
}
