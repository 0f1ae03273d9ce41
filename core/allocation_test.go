//go:build !race

package core_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The race detector makes pools forget, so this file is not for it.

// TestPatterns_T139: where APIs are bound by patterns, net/http's ServeMux finds
// them, and takes what it takes for it; but not again for a path that was just
// accepted.
func TestPatterns_T139(t *testing.T) {
	for _, match := range []string{"GET /v1/projects/{project}/orders/{order}", "/v1/", "/elsewhere"} {
		v := verifier(t, func(c *core.Config) { c.APIs = []core.API{{Match: match, Key: "k1"}} })
		r := usual(apig.NewSigner(k1, apig.SignOptions{Headers: further}))
		if got := testing.AllocsPerRun(200, func() { v.Verify(r) }); got > 1 {
			t.Errorf("%s: got %v allocations, want at most 1", match, got)
		}
		paths, n := []string{r.RequestURI, strings.Replace(r.RequestURI, "42", "43", 1)}, 0
		if got := testing.AllocsPerRun(200, func() {
			n++
			r.RequestURI = paths[n%2]
			v.Verify(r)
		}); got > 4 {
			t.Errorf("%s: got %v allocations where every other path is refused, want at most 4", match, got)
		}
	}
}

// TestPolicyAllocations_T183: what a policy adds to the rules costs nothing more.
func TestPolicyAllocations_T183(t *testing.T) {
	list := func(c *core.Config) {
		c.Hosts = []string{"*.internal:8443", "[2001:db8::1]", "API.example.com"}
		c.RequireSignedWithBody, c.AllowUnsigned = []string{"content-type"}, []string{"x-sdk-nonce"}
	}
	r := usual(apig.NewSigner(k1, apig.SignOptions{Headers: further}))
	r.Header.Set("X-Amz-Cf-Id", "1")
	r.Header.Set("X-Sdk-Nonce", "1")
	for name, change := range map[string]func(*core.Config){
		"accepted": func(*core.Config) {}, "another host": func(c *core.Config) { c.Hosts = c.Hosts[:2] }, "a header too many": func(c *core.Config) { c.AllowUnsigned = nil },
	} {
		v := verifier(t, list, change)
		most := 0.0
		switch name {
		case "accepted":
			most = 1 // the identity
		case "a header too many":
			most = 2 // the error, which names the header
		}
		if got := testing.AllocsPerRun(200, func() {
			if _, err := v.Verify(r); (err == nil) != (name == "accepted") {
				t.Fatal(err)
			}
		}); got > most {
			t.Errorf("%s: got %v allocations, want at most %v", name, got, most)
		}
	}
}

// TestTurns_T139: senders that sign different headers may take turns.
func TestTurns_T139(t *testing.T) {
	v := verifier(t)
	var requests []*http.Request
	for n := range further {
		requests = append(requests, usual(apig.NewSigner(k1, apig.SignOptions{Headers: further[n:]})))
	}
	n := 0
	if got := testing.AllocsPerRun(300, func() {
		n++
		if _, err := v.Verify(requests[n%len(requests)]); err != nil {
			t.Fatal(err)
		}
	}); got > 1 {
		t.Errorf("got %v allocations for each request, want at most 1", got)
	}
}

// TestAllocations_T139: accepting costs the identity and nothing else, refusing
// costs nothing, whatever the reason. Allocations are exact: a single one more
// is a finding.
func TestAllocations_T139(t *testing.T) {
	for _, p := range testkit.Pairs(further...) {
		if !slices.Contains([]string{"hmac", "aksk", "v11", "sigv4"}, p.Name) {
			continue // asymmetric, or not of the usual form
		}
		now := instant
		v := verifier(t, func(c *core.Config) {
			c.Schemes, c.Default = []core.Scheme{p.Scheme}, p.Key.Name
			c.Now = func() time.Time { return now }
			c.Replay.Store = firstTime{}
		})
		run := func(name string, most float64, at time.Time, want core.Code, change func(*http.Request)) {
			t.Run(p.Name+" "+name, func(t *testing.T) {
				r := usual(p.Signer)
				now = at
				change(r)
				got := testing.AllocsPerRun(200, func() {
					if _, err := v.Verify(r); core.CodeOf(err) != want {
						t.Fatalf("got %v, want %q", err, want)
					}
				})
				if got > most {
					t.Errorf("got %v allocations, want at most %v", got, most)
				}
			})
		}
		replace := func(from, to string) func(*http.Request) {
			return func(r *http.Request) {
				auth := r.Header.Get("Authorization")
				if !strings.Contains(auth, from) {
					t.Fatalf("no %q in %s", from, auth)
				}
				r.Header.Set("Authorization", strings.Replace(auth, from, to, 1))
			}
		}
		run("accepted", 1, instant, "", func(*http.Request) {}) // the identity
		run("no credential", 0, instant, core.CodeCredentialMissing, func(r *http.Request) { r.Header.Del("Authorization") })
		run("malformed", 0, instant, core.CodeCredentialMalformed, replace("Signature=", "Signature=0"))
		run("unknown key", 0, instant, core.CodeKeyUnknown, replace(p.Key.ID, "NOPE"))
		run("expired", 0, instant.Add(time.Hour), core.CodeSignatureExpired, func(*http.Request) {})
		run("host not signed", 0, instant, core.CodeHeaderNotSigned, replace("host;", ""))
		run("path in two readings", 0, instant, core.CodeRequestAmbiguous, func(r *http.Request) { r.RequestURI = "/a%00" })
		run("forged", 0, instant, core.CodeSignatureMismatch, func(r *http.Request) { r.Method = "PUT" })
	}
}

// TestLongList_T134: a list of very many signed headers takes no memory for its names.
func TestLongList_T134(t *testing.T) {
	v := verifier(t)
	r := usual(apig.NewSigner(k1, apig.SignOptions{Headers: further}))
	credential := r.Header["Authorization"]
	credential[0] = strings.Replace(credential[0], "SignedHeaders=", "SignedHeaders="+strings.Repeat(";", 7800), 1)
	if got := testing.AllocsPerRun(100, func() {
		_, err := v.Verify(r)
		wantCode(t, err, core.CodeCredentialMalformed)
	}); got > 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}
