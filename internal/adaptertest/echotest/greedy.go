package echotest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// byDepth binds /orders/{id} to one key, and the paths below it to another.
func byDepth(c *core.Config) {
	c.APIs = []core.API{{Match: "/orders/{id}", Key: orders.Name}, {Match: "/orders/", Key: partner.Name},
		{Match: "/api/orders/{id}", Key: orders.Name}, {Match: "/api/orders/", Key: partner.Name}}
}

// Mountings are ways to mount the middleware, by name. They return the server, group or
// host with which routes are registered.
type Mountings[M any] map[string]func(e Server[M], verify M) adaptertest.Router[M]

// mountings returns the ways that all versions of Echo have, and more.
func mountings[M any](more Mountings[M]) Mountings[M] {
	all := Mountings[M]{
		"Use": func(e Server[M], verify M) adaptertest.Router[M] { e.Use(verify); return e.Group("") },
		"Pre": func(e Server[M], verify M) adaptertest.Router[M] { e.Pre(verify); return e.Group("") },
		"a group": func(e Server[M], verify M) adaptertest.Router[M] {
			return e.Group("", verify)
		},
		"Pre and Use": func(e Server[M], verify M) adaptertest.Router[M] {
			e.Pre(verify)
			e.Use(verify)
			return e.Group("")
		},
	}
	maps.Copy(all, more)
	return all
}

// TestGreedyParameter: wherever the middleware is mounted, a request is refused if
// the last parameter of its route would match more than one segment, and accepted if
// there is a longer route.
func TestGreedyParameter[M any](t *testing.T, f Echo[M], more Mountings[M]) {
	for name, mount := range mountings(more) {
		t.Run(name, func(t *testing.T) {
			runs := new(counter)
			greedy, longer := f.New(), f.New()
			mount(greedy, f.Verify(newVerifier(t, byDepth))).Handle("GET", "/orders/:id", runs)
			group := mount(longer, f.Verify(newVerifier(t, byDepth)))
			group.Handle("GET", "/orders/:id", runs)
			group.Handle("GET", "/orders/:id/lines", runs)
			group.Handle("GET", "/files/*", runs)
			group.Handle("GET", "/files/:name/:version", runs)
			runs.Check(t, greedy, []exchange{
				expect("one segment", signed(orders, "GET", "/orders/7", ""), 200, 1),
				expect("two", signed(partner, "GET", "/orders/7/x", ""), 400, 0),
				expect("a final slash", signed(partner, "GET", "/orders/7/", ""), 400, 0),
				expect("an empty one", signed(partner, "GET", "/orders/7//", ""), 400, 0),
				expect("unsigned", unsigned("GET", "/orders/7/x"), 401, 0),
				expect("another key", signed(orders, "GET", "/orders/7/x", ""), 403, 0),
				expect("no such route", signed(partner, "GET", "/orders/", ""), 404, 0),
			})
			runs.Check(t, longer, []exchange{
				expect("one segment", signed(orders, "GET", "/orders/7", ""), 200, 1),
				expect("two", signed(partner, "GET", "/orders/7/lines", ""), 200, 1),
				expect("two others", signed(partner, "GET", "/orders/7/x", ""), 404, 0),
				expect("a wildcard", signed(orders, "GET", "/files/a/b/c", ""), 400, 0), // of /files/:name/:version
				expect("a wildcard of one", signed(orders, "GET", "/files/a", ""), 200, 1),
			})
			prefixed := http.StripPrefix("/api", greedy)
			runs.Check(t, prefixed, []exchange{
				expect("one segment behind StripPrefix", signed(orders, "GET", "/api/orders/7", ""), 200, 1),
				expect("two behind StripPrefix", signed(partner, "GET", "/api/orders/7/x", ""), 400, 0),
			})
		})
	}
}

// TestGreedyParameterBehindRewrite: the route counts that Echo has found, although middleware
// in front has given the request another path since.
func TestGreedyParameterBehindRewrite[M any](t *testing.T, f Echo[M]) {
	runs, e := new(counter), f.New()
	e.Use(f.Through(func(_ http.ResponseWriter, r *http.Request, next func(*http.Request) error) error {
		rewritten := r.Clone(r.Context())
		rewritten.URL.Path = "/orders/7"
		return next(rewritten)
	}), f.Verify(newVerifier(t, byDepth)))
	e.Handle("GET", "/orders/:id", runs)
	runs.Check(t, e, []exchange{
		expect("one segment", signed(orders, "GET", "/orders/7", ""), 200, 1),
		expect("two", signed(partner, "GET", "/orders/7/x", ""), 400, 0),
	})
}

// TestGreedyParameterReported: in report mode such a request is accepted, and its
// refusal is reported.
func TestGreedyParameterReported[M any](t *testing.T, f Echo[M], more Mountings[M]) {
	for name, mount := range mountings(more) {
		codes := new(testkit.Codes)
		v := newVerifier(t, func(c *core.Config) {
			byDepth(c)
			c.Mode = core.Report
			c.Observers = []core.Observer{codes}
		})
		e, key := f.New(), ""
		mount(e, f.Verify(v)).Handle("GET", "/orders/:id", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			key = testkit.KeyName(r)
		}))
		w := serve(e, signed(partner, "GET", "/orders/7/x", ""))
		if verdicts := codes.Take(); w.Code != 200 || key != "nobody" || verdicts[0] != core.CodeRequestAmbiguous {
			t.Errorf("%s: got %d, identity %q, verdicts %v; want 200, nobody, request_ambiguous", name, w.Code, key, verdicts)
		}
	}
}

// TestRoutesServeTheirDepth: for random routes, a handler runs only for paths with
// as many segments as its route, or more if the route ends in a wildcard.
func TestRoutesServeTheirDepth[M any](t *testing.T, f Echo[M], more Mountings[M]) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	ran, greedy := 0, 0
	for range 300 {
		routes := make(map[string]bool)
		for range 1 + random.IntN(5) {
			route := ""
			for range 1 + random.IntN(3) {
				route += "/" + pick("a", "b", ":x", ":y", "c:z")
			}
			routes[route+pick("", "", "", "/", "/*")] = true
		}
		for name, mount := range mountings(more) {
			e, served := f.New(), ""
			group := mount(e, f.Verify(newVerifier(t, nil)))
			for route := range routes {
				group.Handle("GET", route, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = route }))
			}
			for range 10 {
				path := ""
				for range 1 + random.IntN(4) {
					path += "/" + pick("a", "b", "ab", "c1", "7", "")
				}
				served = ""
				w := serve(e, signed(orders, "GET", path, ""))
				if w.Code == 400 {
					greedy++
				}
				if served == "" {
					continue
				}
				ran++
				depth, want := strings.Count(path, "/"), strings.Count(served, "/")
				if depth != want && !(strings.HasSuffix(served, "*") && depth >= want-1) {
					t.Fatalf("%s: %s was served by %s of %v", name, path, served, fmt.Sprint(routes))
				}
			}
		}
	}
	if ran < 1000 || greedy < 100 {
		t.Errorf("only %d handlers ran and %d requests were ambiguous: change the generator", ran, greedy)
	}
}
