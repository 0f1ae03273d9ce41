package core_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestBindingMemoChangesNoVerdict: a verifier that has seen many requests finds the binding of
// each as one that has seen none, also where method, host and path of two requests
// are one text, or share all but one of the three.
func TestBindingMemoChangesNoVerdict(t *testing.T) {
	build := func() *core.Verifier {
		return verifier(t, func(c *core.Config) {
			c.Default = ""
			c.APIs = []core.API{
				{Match: "GET /", Key: "k1"}, {Match: "GE /", Key: "k2"}, {Match: "GET /a/{x}", Key: "k2"}, {Match: "GET /a/1", Key: "k1"}, {Match: "GET /a/3", Key: "k1"},
				{Match: "POST /a/{x}", Key: "k1"}, {Match: "GET h.example.com/a/2", Key: "k1"}, {Match: "GET /open/", Open: true},
			}
		})
	}
	var requests []*http.Request
	for _, method := range []string{"GET", "GE", "PUT", "POST", "CONNECT"} {
		paths := []string{"/", "/a", "/a/", "/a/%31", "/a//1", "/a/b/../1", "/open/1", "/open/%2e%2e/a/1", "/long/" + fmt.Sprintf("%0600d", 1)}
		for n := range 40 {
			paths = append(paths, fmt.Sprintf("/a/%c", '0'+n))
		}
		for _, host := range []string{"api.example.com", "h.example.com", "i.example.com", "Th.example.com", "h.example.com:80"} {
			for _, path := range paths {
				for _, key := range []core.Key{k1, k2} {
					r := httptest.NewRequest(http.MethodGet, "/", nil)
					r.Method, r.Host, r.RequestURI, r.Body = method, host, path, http.NoBody
					if err := apig.NewSigner(key, apig.SignOptions{}).Sign(r, noBody, instant); err != nil {
						continue // a path that no signature is for
					}
					requests = append(requests, r)
				}
			}
		}
	}
	verdict := func(v *core.Verifier, r *http.Request) string {
		id, err := v.Verify(r)
		if err != nil {
			return err.Error()
		}
		return "accepted for " + id.Key()
	}
	want, count := make([]string, len(requests)), map[string]int{}
	for i, r := range requests {
		want[i] = verdict(build(), r)
		count[want[i]]++
	}
	if count["accepted for k1"] < 10 || count["accepted for k2"] < 10 || len(count) < 5 {
		t.Fatalf("the verdicts are %v", count)
	}
	v := build()
	random := rand.New(rand.NewPCG(1, 2))
	for range 40_000 {
		i := random.IntN(len(requests))
		if got := verdict(v, requests[i]); got != want[i] {
			t.Fatalf("%s %s%s: got %q, want %q", requests[i].Method, requests[i].Host, requests[i].RequestURI, got, want[i])
		}
	}
}

// hostChanger is a scheme that changes the request, as none may.
type hostChanger struct{ core.Scheme }

func (s hostChanger) Verify(r *http.Request, c *core.Credential, key *core.Key, secrets []core.Secret, payload string) (int, error) {
	i, err := s.Scheme.Verify(r, c, key, secrets, payload)
	if r.Host == "i.example.com" {
		r.Host = "h.example.com"
	}
	return i, err
}

// TestBindingMemoOfChangedRequests: a binding is remembered for what it was found for.
func TestBindingMemoOfChangedRequests(t *testing.T) {
	v := verifier(t, func(c *core.Config) {
		c.Schemes = []core.Scheme{hostChanger{hmacScheme(k1, k2)}}
		c.APIs = []core.API{{Match: "GET /a/{x}", Key: "k2"}, {Match: "GET h.example.com/a/2", Key: "k1"}}
	})
	for range 10 {
		for host, want := range map[string]core.Code{"i.example.com": "", "h.example.com": core.CodeKeyNotBound} {
			r := httptest.NewRequest(http.MethodGet, "/a/2", nil)
			r.Host, r.Body = host, http.NoBody
			testkit.Sign(apig.NewSigner(k2, apig.SignOptions{}), r, "", instant)
			if _, err := v.Verify(r); core.CodeOf(err) != want {
				t.Fatalf("%s: got %v, want %q", host, err, want)
			}
		}
	}
}
