//go:build !race

package core_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// TestRememberedIsNoOtherRequest: what a verifier remembers of accepted requests
// changes no verdict on others. Requests of several keys, schemes and lists of
// signed headers, right and wrong ones, come in any order and all at the same
// address, with the same map of headers; each is judged as by a verifier that has
// seen no other.
func TestRememberedIsNoOtherRequest(t *testing.T) {
	k2 := core.Key{Name: "k2", ID: k1.ID + "2", Secret: core.NewSecret("another-secret")}
	scoped := core.Key{Name: "k3", ID: "SCOPED", Secret: core.NewSecret("a-third-secret"), Region: "r", Service: "s"}
	build := func() *core.Verifier {
		return verifier(t, func(c *core.Config) {
			c.Schemes = []core.Scheme{apig.New(apig.Config{Keys: core.Keys(k1, k2)}), sigv4.New(sigv4.Config{Keys: core.Keys(scoped)})}
			c.APIs = []core.API{{Match: "GET /", Key: "k1"}, {Match: "PUT /", Key: "k2"}, {Match: "PATCH /", Key: "k3"}}
		})
	}
	var requests []*http.Request
	add := func(r *http.Request, changes ...func(*http.Request)) {
		for _, change := range append(changes, func(*http.Request) {}) {
			changed := r.Clone(t.Context())
			change(changed)
			requests = append(requests, changed)
		}
	}
	changes := []func(*http.Request){
		func(r *http.Request) { r.Header.Set("X-Project-Id", "other") },
		func(r *http.Request) { r.Header.Del("X-Project-Id") },
		func(r *http.Request) { r.Header["X-Project-Id"] = nil },
		func(r *http.Request) { r.Header.Add("X-Project-Id", "second") },
		func(r *http.Request) {
			r.Header["x-project-id"] = r.Header["X-Project-Id"]
			delete(r.Header, "X-Project-Id")
		},
		func(r *http.Request) { r.Header.Set("X_Project_Id", "twin") },
		func(r *http.Request) { r.Header.Set("X-Sdk-Foo", "unsigned") },
		func(r *http.Request) { r.Header.Set("X-Sdk-More", "unsigned") }, // which some sign
		func(r *http.Request) { r.Header.Set("X-Http-Method-Override", "DELETE") },
		func(r *http.Request) { r.Header.Set("Connection", "X-Request-Id") },
		func(r *http.Request) { r.Header.Set("Host", "other.example.com") },
		func(r *http.Request) { r.Host = "other.example.com" },
		func(r *http.Request) { r.RequestURI += "&more=1" },
		func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/v1", "/v2", 1) },
		func(r *http.Request) { replaceIn(r, "Signature=", "Signature=0") },
		func(r *http.Request) { replaceIn(r, "Signature=", "Signature=, Signature=") },
		func(r *http.Request) { r.Header["Authorization"][0] += " " },
		func(r *http.Request) { r.Header["Authorization"][0] += ", Access=" + k2.ID },
		func(r *http.Request) { replaceIn(r, k1.ID, k2.ID) },
		func(r *http.Request) { replaceIn(r, k1.ID, "NOPE") },
		func(r *http.Request) { replaceIn(r, "x-project-id;", "") },
		func(r *http.Request) { replaceIn(r, "host;", "") },
	}
	sign := func(method string, s signs, also ...string) {
		r := get(t, func(r *http.Request) error {
			r.Method = method
			for _, name := range also {
				r.Header.Set(name, "also")
			}
			return s.Sign(r, noBody, instant)
		})
		add(r, changes...)
	}
	options := apig.SignOptions{Headers: further}
	more := apig.SignOptions{Headers: append(slices.Clone(further), "x-sdk-more", "accept")}
	sign("GET", apig.NewSigner(k1, options))
	sign("PUT", apig.NewSigner(k2, options))
	sign("GET", apig.NewSigner(k2, options)) // not bound
	sign("GET", apig.NewSigner(k1, more))
	sign("PUT", apig.NewSigner(k2, more), "X-Sdk-More")
	sign("PATCH", sigv4.NewSigner(scoped, sigv4.SignOptions{Headers: further}))

	verdict := func(v *core.Verifier, r *http.Request) string {
		id, err := v.Verify(r)
		if err != nil {
			return string(core.CodeOf(err)) + ": " + err.Error()
		}
		return fmt.Sprint(id.Environment(), id.Scheme(), id.Algorithm(), id.Key(), id.KeyID(), id.SignedHeaders(), id.Covers(), id.SignedAt())
	}
	want, accepted := make([]string, len(requests)), 0
	for i, r := range requests {
		want[i] = verdict(build(), r)
		if strings.Contains(want[i], "hmac") || strings.Contains(want[i], "sigv4") {
			accepted++
		}
	}
	if accepted < 6 || accepted > len(requests)/2 {
		t.Fatalf("%d of %d are accepted", accepted, len(requests))
	}
	v, at, header := build(), new(http.Request), http.Header{}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 40_000 {
		i := random.IntN(len(requests))
		if n%3 == 0 { // a right one, so that something is remembered
			i = (random.IntN(6)+1)*(len(changes)+1) - 1
		}
		clear(header)
		maps.Copy(header, requests[i].Header)
		*at = *requests[i]
		at.Header = header
		if got := verdict(v, at); got != want[i] {
			t.Fatalf("request %d: got %s\nwant %s", i, got, want[i])
		}
	}
}

type signs interface {
	Sign(r *http.Request, digest string, at time.Time) error
}
