package core_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// sequenceChanges are what happens to requests behind the gateway.
var sequenceChanges = []struct {
	name  string
	apply func(*http.Request)
}{
	{"another value", func(r *http.Request) { r.Header.Set("X-Project-Id", "other") }},
	{"a role", func(r *http.Request) { r.Header.Set("X-Role", "admin") }},
	{"no role", func(r *http.Request) { r.Header.Del("X-Role") }},
	{"one header less", func(r *http.Request) { r.Header.Del("X-Project-Id") }},
	{"a header without a value", func(r *http.Request) { r.Header["X-Project-Id"] = nil }},
	{"a second value", func(r *http.Request) { r.Header.Add("X-Project-Id", "second") }},
	{"a blank at the end of a value", func(r *http.Request) { r.Header.Set("X-Project-Id", "p ") }},
	{"a name in lower case", func(r *http.Request) {
		r.Header["x-project-id"] = r.Header["X-Project-Id"]
		delete(r.Header, "X-Project-Id")
	}},
	{"a lookalike", func(r *http.Request) { r.Header.Set("X_Project_Id", "lookalike") }},
	{"a header of gateways", func(r *http.Request) { r.Header.Set("X-Apig-User", "admin") }},
	{"x-sdk-foo", func(r *http.Request) { r.Header.Set("X-Sdk-Foo", "unsigned") }},
	{"x-sdk-more", func(r *http.Request) { r.Header.Set("X-Sdk-More", "unsigned") }},
	{"x-amz-foo", func(r *http.Request) { r.Header.Set("X-Amz-Foo", "unsigned") }},
	{"another method", func(r *http.Request) { r.Header.Set("X-Http-Method-Override", "DELETE") }},
	{"a connection option", func(r *http.Request) { r.Header.Set("Connection", "X-Project-Id") }},
	{"a host header", func(r *http.Request) { r.Header.Set("Host", "other.example.com") }},
	{"another host", func(r *http.Request) { r.Host = "other.example.com" }},
	{"no host", func(r *http.Request) { r.Host = "" }},
	{"a further parameter", func(r *http.Request) { r.RequestURI += "&more=1" }},
	{"a bad parameter", func(r *http.Request) { r.RequestURI += "?%zz" }},
	{"another path", func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/a", "/b", 1) }},
	{"no URL", func(r *http.Request) { r.URL = nil }},
	{"ended", func(r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		*r = *r.WithContext(ctx)
	}},
	{"no Authorization", func(r *http.Request) { r.Header.Del("Authorization") }},
	{"another scheme", func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc=") }},
	{"a longer signature", credentials("Signature=", "Signature=0")},
	{"two signatures", credentials("Signature=", "Signature=, Signature=")},
	{"a blank behind the credential", credentials("$", " ")},
	{"a second id", credentials("$", ", Access=ID-hmac2")},
	{"the id of the other key", credentials("ID-hmac", "ID-hmac2")},
	{"an unknown id", credentials("ID-", "NO-")},
	{"a header less in the list", credentials("x-project-id;", "")},
	{"host not in the list", credentials("host;", "")},
	{"a forged signature", func(r *http.Request) {
		for _, value := range r.Header["Authorization"] {
			i := len(value) - 1
			r.Header["Authorization"] = []string{value[:i] + nextDigit(value[i])}
		}
	}},
	{"another body", func(r *http.Request) {
		if r.ContentLength > 0 {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat("y", int(r.ContentLength))))
		}
	}},
	{"a shorter body", func(r *http.Request) { r.Body = http.NoBody }},
	{"a body that may be empty", func(r *http.Request) { r.Body = struct{ io.ReadCloser }{r.Body} }},
	{"a body without its length", func(r *http.Request) { r.ContentLength = -1 }},
	{"a body that was read in part", func(r *http.Request) { io.ReadFull(r.Body, make([]byte, 2)) }},
	{"a body that cannot be read", func(r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 2), readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF })))
	}},
	{"a trailer", func(r *http.Request) { r.Trailer = http.Header{"X-Late": {"1"}} }},
	{"14 more headers", func(r *http.Request) {
		for i := range 14 {
			r.Header.Set(fmt.Sprint("X-More-", i), "1")
		}
	}},
}

// credentials returns a change of the Authorization header; $ is its end.
func credentials(from, to string) func(*http.Request) {
	return func(r *http.Request) {
		for i, value := range r.Header["Authorization"] {
			if from == "$" {
				r.Header["Authorization"][i] = value + to
			} else {
				r.Header["Authorization"][i] = strings.Replace(value, from, to, 1)
			}
		}
	}
}
