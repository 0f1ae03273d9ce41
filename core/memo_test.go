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

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestMemosChangeNoVerdict: a verifier that has seen other requests judges as one that
// has seen none. Requests of several keys, all schemes and several lists of signed
// headers, right and wrong ones, come in any order and all at the same address, with
// the same map of headers.
func TestMemosChangeNoVerdict(t *testing.T) {
	// Each scheme has a key of its own, bound to a method of its own.
	apis := []core.API{{Match: "GET /", Key: "k1"}, {Match: "PUT /", Key: "k2"}}
	bound := map[string]bool{}
	pairs := testkit.PairsOf(func(name string) core.Key {
		if name == "hmac" {
			return k1
		}
		if !bound[name] {
			bound[name] = true
			apis = append(apis, core.API{Match: strings.ToUpper(name) + " /", Key: name})
		}
		return core.Key{Name: name, ID: "ID-" + name, Secret: core.NewSecret("secret-of-" + name)}
	}, further...)
	pairs = slices.DeleteFunc(pairs, func(p testkit.Pair) bool { return strings.Contains(p.Name, "query") })
	k2 := core.Key{Name: "k2", ID: k1.ID + "2", Secret: core.NewSecret("another-secret")}
	build := func() *core.Verifier {
		return verifier(t, func(c *core.Config) {
			c.APIs, c.AllowUnsignedPayload = apis, true
			c.Schemes = testkit.Schemes(pairs)
			c.Schemes[0] = hmacScheme(k1, k2)
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
	sign := func(method string, s signer.Signer, also ...string) {
		r := usual(s, func(r *http.Request) {
			r.Method = method
			for _, name := range also {
				r.Header.Set(name, "also")
			}
		})
		add(r, changes...)
	}
	for _, p := range pairs {
		method := strings.ToUpper(p.Key.Name)
		if p.Key.Name == "k1" {
			method = "GET"
		}
		sign(method, p.Signer)
	}
	options := apig.SignOptions{Headers: further}
	more := apig.SignOptions{Headers: append(slices.Clone(further), "x-sdk-more", "accept")}
	sign("PUT", apig.NewSigner(k2, options))
	sign("GET", apig.NewSigner(k2, options)) // not bound
	sign("GET", apig.NewSigner(k1, more))
	sign("PUT", apig.NewSigner(k2, more), "X-Sdk-More")

	verdict := func(v *core.Verifier, r *http.Request) string {
		id, err := v.Verify(r)
		if err != nil {
			return string(core.CodeOf(err)) + ": " + err.Error()
		}
		return fmt.Sprint(id.Environment(), id.Scheme(), id.Algorithm(), id.Key(), id.KeyID(), id.SignedHeaders(), id.Covers(), id.SignedAt())
	}
	want, accepted, schemes := make([]string, len(requests)), 0, map[string]bool{}
	for i, r := range requests {
		v := build()
		want[i] = verdict(v, r)
		if id, err := v.Verify(r); err == nil {
			accepted++
			schemes[id.Scheme()] = true
		}
	}
	if accepted < 15 || accepted > len(requests)/2 || len(schemes) != 10 {
		t.Fatalf("%d of %d are accepted, of the schemes %v", accepted, len(requests), schemes)
	}
	v, at, header := build(), new(http.Request), http.Header{}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 30_000 {
		i := random.IntN(len(requests))
		if n%3 == 0 { // a right one, so that something is remembered
			i = (random.IntN(len(requests)/(len(changes)+1))+1)*(len(changes)+1) - 1
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
