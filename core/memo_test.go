//go:build !race

package core_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/aescfb"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// TestMemosChangeNoVerdict: a verifier that has seen other requests judges as one that
// has seen none. Requests of several keys, all schemes and several lists of signed
// headers, right and wrong ones, come in any order and all at the same address, with
// the same map of headers.
func TestMemosChangeNoVerdict(t *testing.T) {
	k2 := core.Key{Name: "k2", ID: k1.ID + "2", Secret: core.NewSecret("another-secret")}
	flat, scoped := apig.Config{Keys: core.Keys(k1, k2)}, core.Key{Region: "r", Service: "s"}
	// Each further scheme has a key of its own, bound to a method of its own.
	var apis []core.API
	key := func(name, method string, like core.Key) core.Key {
		like.Name, like.ID, like.Secret = name, "ID-"+name, core.NewSecret("secret-of-"+name)
		apis = append(apis, core.API{Match: method + " /", Key: name})
		return like
	}
	aksk, v11, p256 := key("aksk", "PATCH", scoped), key("v11", "POST", scoped), key("p256", "DELETE", core.Key{})
	v4, v4a := key("sigv4", "OPTIONS", scoped), key("sigv4a", "LINK", scoped)
	sm3, sm2, password := key("sm3", "UNLINK", core.Key{}), key("sm2", "COPY", core.Key{}), key("basic", "MOVE", core.Key{})
	block := aescfb.Key{Name: "aes", Key: core.NewSecret("0123456789abcdef"), Vector: core.NewSecret("fedcba9876543210")}
	apis = append(apis, core.API{Match: "GET /", Key: "k1"}, core.API{Match: "PUT /", Key: "k2"}, core.API{Match: "LOCK /", Key: "aes"})
	one := func(k core.Key) apig.Config { return apig.Config{Keys: core.Keys(k)} }
	build := func() *core.Verifier {
		return verifier(t, func(c *core.Config) {
			c.APIs = apis
			c.Schemes = []core.Scheme{apig.New(flat), apig.NewScoped(one(aksk)), apig.NewV11(one(v11)), apig.NewECDSA(one(p256)),
				sigv4.New(sigv4.Config{Keys: core.Keys(v4)}), sigv4.NewA(sigv4.ConfigA{Keys: core.Keys(v4a)}), sm.New(one(sm3)), sm.NewSM2(one(sm2)),
				basic.New(basic.Config{Keys: core.Keys(password)}), aescfb.New(aescfb.Config{Keys: []aescfb.Key{block}})}
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
		r := get(t, func(r *http.Request) error {
			r.Method = method
			for _, name := range also {
				r.Header.Set(name, "also")
			}
			digest := ""
			if h := s.NewHash(); h != nil {
				digest = hex.EncodeToString(h.Sum(nil))
			}
			return s.Sign(r, digest, instant)
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
	sign("PATCH", apig.NewScopedSigner(aksk, options))
	sign("POST", apig.NewV11Signer(v11, options))
	sign("DELETE", apig.NewECDSASigner(p256, options))
	sign("OPTIONS", sigv4.NewSigner(v4, sigv4.SignOptions{Headers: further}))
	sign("LINK", sigv4.NewSignerA(v4a, sigv4.SignOptions{Headers: further}))
	sign("UNLINK", sm.NewSigner(sm3, options))
	sign("COPY", sm.NewSM2Signer(sm2, options))
	sign("MOVE", basic.NewSigner(password))
	sign("LOCK", aescfb.NewSigner(block, aescfb.SignOptions{Headers: further}))

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
