package echotest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

func methodOverride(r *http.Request) {
	if to := r.Header.Get("X-Http-Method-Override"); r.Method == http.MethodPost && to != "" {
		r.Method = to
	}
}

// rewrite changes the path /old/... to /v1/..., but not the received target.
func rewrite(r *http.Request) {
	if rest, ok := strings.CutPrefix(r.RequestURI, "/old/"); ok {
		r.URL, _ = r.URL.Parse("/v1/" + rest)
	}
}

// removeTrailingSlash changes the path and the received target.
func removeTrailingSlash(r *http.Request) {
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	r.RequestURI = r.URL.Path
}

// TestMethodOverrideAndRewrite: a header that changes a request after the verdict
// must be signed. If the request is changed before, the changed request is verified.
func TestMethodOverrideAndRewrite[M any](t *testing.T, f Echo[M]) {
	const override = "X-Http-Method-Override"
	v, deleted := newVerifier(t, nil), new(counter)
	mount := func(first ...M) Server[M] {
		e := f.New()
		e.Pre(first...)
		e.Handle("POST", "/v1/items", new(counter))
		e.Handle("DELETE", "/v1/items", deleted)
		return e
	}
	added := func(r *http.Request) *http.Request {
		r.Header.Set(override, "DELETE")
		return r
	}
	post := func(lines ...string) *http.Request { return signed(orders, "POST", "/v1/items", "a=1", lines...) }

	deleted.Check(t, mount(f.Verify(v), f.before(methodOverride)), []exchange{
		expect("not overridden", post(), 200, 0),
		expect("unsigned override", added(post()), 401, 0),
		expect("signed override", post(override+": DELETE"), 200, 1),
		expect("override without signature", added(unsigned("POST", "/v1/items")), 401, 0),
		expect("override on the open API", added(unsigned("GET", "/health")), 401, 0),
	})
	deleted.Check(t, mount(f.before(methodOverride), f.Verify(v)), []exchange{
		expect("overridden before, unsigned", added(post()), 401, 0),
		expect("overridden before, signed", post(override+": DELETE"), 401, 0),
		expect("signed as what it becomes", signed(orders, "DELETE", "/v1/items", ""), 200, 1),
	})

	for name, e := range map[string]Server[M]{
		"rewritten after":  mount(f.Verify(v), f.before(rewrite)),
		"rewritten before": mount(f.before(rewrite), f.Verify(v)),
	} {
		deleted.Check(t, e, []exchange{
			expect(name, signed(orders, "DELETE", "/old/items", ""), 200, 1),
			expect(name+", unsigned", unsigned("DELETE", "/old/items"), 401, 0),
		})
	}
}

// TestUnknownRoutes: mounted for the server, the adapter refuses requests before the
// router answers them. Mounted on a group, it covers the prefix; mounted on a route, only
// the route.
func TestUnknownRoutes[M any](t *testing.T, f Echo[M]) {
	v, runs := newVerifier(t, nil), new(counter)
	global, first, parts := f.New(), f.New(), f.New()
	global.Use(f.Verify(v))
	first.Pre(f.Verify(v))
	for _, e := range []Server[M]{global, first} {
		e.Handle("GET", "/v1/items", runs)
		runs.Check(t, e, []exchange{
			expect("unknown", unsigned("GET", "/nothing"), 401, 0),
			expect("wrong method", unsigned("DELETE", "/v1/items"), 401, 0),
			expect("unknown method", unsigned("BREW", "/v1/items"), 401, 0),
			expect("OPTIONS", unsigned("OPTIONS", "/v1/items"), 401, 0),
			expect("a final slash", unsigned("GET", "/v1/items/"), 401, 0),
			expect("two slashes", unsigned("GET", "//v1/items"), 401, 0),
			expect("unknown, signed", signed(orders, "GET", "/nothing", ""), 404, 0),
			expect("wrong method, signed", signed(orders, "DELETE", "/v1/items", ""), 405, 0),
			expect("OPTIONS, signed", signed(orders, "OPTIONS", "/v1/items", ""), 204, 0),
		})
	}
	parts.Handle("GET", "/one", runs, f.Verify(v))
	group := parts.Group("/v1", f.Verify(v))
	group.Handle("GET", "/items", runs)
	runs.Check(t, parts, []exchange{
		expect("group, unknown", unsigned("GET", "/v1/nothing"), 401, 0),
		expect("group, wrong method", unsigned("DELETE", "/v1/items"), 401, 0),
		expect("group, OPTIONS", unsigned("OPTIONS", "/v1/items"), 401, 0),
		expect("group, wrong method, signed", signed(orders, "DELETE", "/v1/items", ""), 404, 0), // Echo answers 404 in groups
		expect("outside the group", unsigned("GET", "//v1/items"), 404, 0),
		expect("route, wrong method", unsigned("POST", "/one"), 405, 0),
		expect("route, OPTIONS", unsigned("OPTIONS", "/one"), 204, 0),
		expect("unknown", unsigned("GET", "/nothing"), 404, 0),
	})
	parts.Handle("", "/*", runs)
	runs.Check(t, parts, []exchange{
		expect("group, unknown, and an open catch-all route", unsigned("GET", "/v1/nothing"), 401, 0),
		expect("group, wrong method, and an open catch-all route", unsigned("DELETE", "/v1/items"), 401, 0),
		expect("the catch-all", unsigned("GET", "/nothing"), 200, 1),
	})
}

// TestGroupUseComesFirst: as the package comments warn, Group.Use covers only routes
// that are registered after it.
func TestGroupUseComesFirst[M any](t *testing.T, f Echo[M]) {
	v, runs := newVerifier(t, nil), new(counter)
	e := f.New()
	e.Handle("GET", "/root", runs)
	e.Use(f.Verify(v)) // for all routes, also those registered before it
	runs.Check(t, e, []exchange{expect("a route before Echo.Use", unsigned("GET", "/root"), 401, 0)})

	e = f.New()
	group := e.Group("/v1")
	group.Handle("GET", "/before", runs)
	group.Use(f.Verify(v))
	group.Handle("GET", "/after", runs)
	runs.Check(t, e, []exchange{
		expect("a route before Group.Use", unsigned("GET", "/v1/before"), 200, 1),
		expect("a route after Group.Use", unsigned("GET", "/v1/after"), 401, 0),
	})
}

// TestOnlyTheOpenRouteIsOpen runs [adaptertest.TestOnlyTheOpenRouteIsOpen].
func TestOnlyTheOpenRouteIsOpen[M any](t *testing.T, f Echo[M]) {
	adaptertest.TestOnlyTheOpenRouteIsOpen(t, func(v *core.Verifier, open, other http.Handler) http.Handler {
		e := f.New()
		e.Use(f.Verify(v))
		e.Handle("GET", "/health", open)
		e.Handle("GET", "/files/*", open)
		e.Handle("", "/*", other)
		return e
	})
}

// TestRemovedSlash: removing a slash after the verdict does not make a route open.
func TestRemovedSlash[M any](t *testing.T, f Echo[M]) {
	open := new(counter)
	e := f.New()
	e.Pre(f.Verify(newVerifier(t, nil)), f.before(removeTrailingSlash))
	e.Handle("GET", "/health", open)
	open.Check(t, e, []exchange{expect("a slash", unsigned("GET", "/health/"), 401, 0)})
}

// TestGreedyParameterBesideOpenAPI: Echo's last parameter matches slashes, so a
// route could serve a path that the policy binds to another key or opens. Such requests
// are refused.
func TestGreedyParameterBesideOpenAPI[M any](t *testing.T, f Echo[M]) {
	v := newVerifier(t, func(c *core.Config) {
		c.APIs = []core.API{{Match: "GET /users/{id}/avatar", Open: true}}
	})
	e, runs := f.New(), new(counter)
	e.Use(f.Verify(v))
	e.Handle("GET", "/users/:id", runs)
	e.Handle("GET", "/files/*", runs)
	sent := func(target string) *http.Request { return signed(orders, "GET", target, "") }
	runs.Check(t, e, []exchange{
		expect("one segment", sent("/users/7"), 200, 1),
		expect("the open API", unsigned("GET", "/users/7/avatar"), 400, 0),
		expect("two segments", sent("/users/7/orders"), 400, 0),
		expect("a wildcard", sent("/files/a/b"), 200, 1),
	})
}
