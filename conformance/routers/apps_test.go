package routers

import (
	"cmp"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	echoauth5 "github.com/gatewayauth/gatewayauth/echoauth/v5"
	"github.com/gatewayauth/gatewayauth/ginauth"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// An app builds an application with the routes behind v. The handler of a route calls ran
// with the index of the route and its request. The handler of all other paths calls it
// with fallback. build may panic if the router refuses the routes.
type app struct {
	router string
	name   string
	build  func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler
	// takes reports whether the router supports a route; nil means that it supports all.
	takes func(route) bool
	// givesUp is true if the handler of all other paths also runs for some paths that a
	// route matches. Gin's router does not backtrack to another parameter.
	givesUp bool
	// strips is true if final slashes are removed behind the verifier. Then /a/ is not
	// below /a/, and is not tested.
	strips bool
}

// apps returns the applications by router.
func apps() map[string][]app {
	all := []app{
		{router: "ServeMux", name: "around", build: around(newServeMux)},
		{router: "ServeMux", name: "on routes", build: func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
			return newServeMux(routes, ran, nethttp.Middleware(v))
		}},
		{router: "chi", name: "around", build: around(newChi())},
		{router: "chi", name: "Use", build: func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
			return newChi(nethttp.Middleware(v))(routes, ran)
		}},
		{router: "chi", name: "StripSlashes", build: around(newChi(chimiddleware.StripSlashes)), strips: true},
		{router: "chi", name: "CleanPath", build: around(newChi(chimiddleware.CleanPath)), strips: true},
		{router: "gorilla/mux", name: "around", build: around(newGorilla(mux.NewRouter))},
		{router: "gorilla/mux", name: "around, encoded paths", build: around(newGorilla(func() *mux.Router { return mux.NewRouter().UseEncodedPath() })), takes: route.ascii},
		{router: "gorilla/mux", name: "around, paths as sent", build: around(newGorilla(func() *mux.Router { return mux.NewRouter().SkipClean(true) }))},
		{router: "gorilla/mux", name: "Use", build: func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
			return newGorilla(mux.NewRouter, nethttp.Middleware(v))(routes, ran)
		}},
		{router: "Echo v5", name: "Use", build: newEcho5(func(e *echo5.Echo, m echo5.MiddlewareFunc) []echo5.MiddlewareFunc { e.Use(m); return nil })},
		{router: "Echo v5", name: "Pre", build: newEcho5(func(e *echo5.Echo, m echo5.MiddlewareFunc) []echo5.MiddlewareFunc { e.Pre(m); return nil })},
		{router: "Echo v5", name: "on routes", build: newEcho5(func(_ *echo5.Echo, m echo5.MiddlewareFunc) []echo5.MiddlewareFunc { return []echo5.MiddlewareFunc{m} })},
		{router: "Echo v5", name: "around", build: around(func(routes []route, ran func(int, *http.Request), _ ...middleware) http.Handler {
			return newEcho5(nil)(routes, nil, ran)
		}), takes: endsInNoParameter},
		{router: "Echo", name: "Use", build: newEcho(func(e *echo.Echo, m echo.MiddlewareFunc) []echo.MiddlewareFunc { e.Use(m); return nil })},
		{router: "Echo", name: "Pre", build: newEcho(func(e *echo.Echo, m echo.MiddlewareFunc) []echo.MiddlewareFunc { e.Pre(m); return nil })},
		{router: "Echo", name: "on routes", build: newEcho(func(_ *echo.Echo, m echo.MiddlewareFunc) []echo.MiddlewareFunc { return []echo.MiddlewareFunc{m} })},
		{router: "Echo", name: "around", build: around(func(routes []route, ran func(int, *http.Request), _ ...middleware) http.Handler {
			return newEcho(nil)(routes, nil, ran)
		}), takes: endsInNoParameter},
	}
	for _, what := range []struct {
		name            string
		read            func(*http.Request) string
		decoded, strips bool
	}{
		{"URL.Path", func(r *http.Request) string { return r.URL.Path }, true, false},
		{"EscapedPath", func(r *http.Request) string { return r.URL.EscapedPath() }, false, false},
		{"RequestURI", func(r *http.Request) string { p, _, _ := strings.Cut(r.RequestURI, "?"); return p }, false, false},
		{"cleaned URL.Path", func(r *http.Request) string { return path.Clean(r.URL.Path) }, true, true},
		{"cleaned EscapedPath", func(r *http.Request) string { return path.Clean(r.URL.EscapedPath()) }, false, true},
	} {
		all = append(all, app{router: "by hand", name: what.name, build: around(newPatterns(what.read)),
			takes: func(r route) bool { return what.decoded || r.ascii() }, strips: what.strips})
	}
	byRouter := map[string][]app{}
	for _, a := range append(all, ginApps()...) {
		byRouter[a.router] = append(byRouter[a.router], a)
	}
	return byRouter
}

// ginApps returns Gin with every combination of the options that change how it matches
// paths.
func ginApps() (all []app) {
	for options := range 1 << 6 {
		on := func(bit int) bool { return options&(1<<bit) != 0 }
		name := "options"
		for bit, option := range []string{"UseRawPath", "UseEscapedPath", "UnescapePathValues", "RemoveExtraSlash", "RedirectFixedPath", "no RedirectTrailingSlash"} {
			if on(bit) {
				name += " " + option
			}
		}
		engine := func() *gin.Engine {
			e := gin.New()
			e.UseRawPath, e.UseEscapedPath, e.UnescapePathValues = on(0), on(1), on(2)
			e.RemoveExtraSlash, e.RedirectFixedPath, e.RedirectTrailingSlash = on(3), on(4), !on(5)
			return e
		}
		all = append(all,
			app{router: "Gin", name: name, givesUp: true, build: func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
				e := engine()
				e.Use(ginauth.Middleware(v))
				return addGin(e, routes, ran)
			}},
			app{router: "Gin", name: name + ", on routes", givesUp: true, build: func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
				return addGin(engine(), routes, ran, ginauth.Middleware(v))
			}},
			app{router: "Gin", name: name + ", around", givesUp: true, build: around(func(routes []route, ran func(int, *http.Request), _ ...middleware) http.Handler {
				return addGin(engine(), routes, ran)
			})})
	}
	return all
}

type middleware = func(http.Handler) http.Handler

// around puts nethttp's middleware around a router.
func around(build func([]route, func(int, *http.Request), ...middleware) http.Handler) func([]route, *core.Verifier, func(int, *http.Request)) http.Handler {
	return func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
		return nethttp.Middleware(v)(build(routes, ran))
	}
}

func calling(ran func(int, *http.Request), i int) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ran(i, r) })
}

func newServeMux(routes []route, ran func(int, *http.Request), behind ...middleware) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, i int) {
		h := calling(ran, i)
		for _, m := range behind {
			h = m(h)
		}
		mux.Handle(pattern, h)
	}
	for i, r := range routes {
		handle(r.pattern(), i)
	}
	if !registered(routes, "/") {
		handle("/", fallback)
	}
	return mux
}

func registered(routes []route, pattern string) bool {
	for _, r := range routes {
		if r.pattern() == pattern {
			return true
		}
	}
	return false
}

// byMethod returns the indexes of the routes, those for every method first, because a
// route that is registered later for one method replaces them.
func byMethod(routes []route) []int {
	order := make([]int, len(routes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(min(len(routes[i].method), 1), min(len(routes[j].method), 1))
	})
	return order
}

func newChi(use ...middleware) func([]route, func(int, *http.Request), ...middleware) http.Handler {
	return func(routes []route, ran func(int, *http.Request), _ ...middleware) http.Handler {
		c := chi.NewRouter()
		c.Use(use...)
		for _, i := range byMethod(routes) {
			if r, pattern := routes[i], routes[i].write("{", "}", "*"); r.method != "" {
				c.Method(r.method, pattern, calling(ran, i))
			} else {
				c.Handle(pattern, calling(ran, i))
			}
		}
		c.NotFound(calling(ran, fallback).ServeHTTP)
		return c
	}
}

func newEcho(mount func(*echo.Echo, echo.MiddlewareFunc) []echo.MiddlewareFunc) func([]route, *core.Verifier, func(int, *http.Request)) http.Handler {
	return func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
		e := echo.New()
		var onRoutes []echo.MiddlewareFunc
		if mount != nil {
			onRoutes = mount(e, echoauth.Middleware(v))
		}
		handler := func(i int) echo.HandlerFunc {
			return func(c echo.Context) error { ran(i, c.Request()); return nil }
		}
		for _, i := range byMethod(routes) {
			if r, pattern := routes[i], routes[i].write(":", "", "*"); r.method != "" {
				e.Add(r.method, pattern, handler(i), onRoutes...)
			} else {
				e.Any(pattern, handler(i), onRoutes...)
			}
		}
		e.RouteNotFound("/*", handler(fallback), onRoutes...)
		return e
	}
}

func newEcho5(mount func(*echo5.Echo, echo5.MiddlewareFunc) []echo5.MiddlewareFunc) func([]route, *core.Verifier, func(int, *http.Request)) http.Handler {
	return func(routes []route, v *core.Verifier, ran func(int, *http.Request)) http.Handler {
		e := echo5.New()
		var onRoutes []echo5.MiddlewareFunc
		if mount != nil {
			onRoutes = mount(e, echoauth5.Middleware(v))
		}
		handler := func(i int) echo5.HandlerFunc {
			return func(c *echo5.Context) error { ran(i, c.Request()); return nil }
		}
		for _, i := range byMethod(routes) {
			r := routes[i]
			e.Add(cmp.Or(r.method, echo5.RouteAny), r.write(":", "", "*"), handler(i), onRoutes...)
		}
		e.RouteNotFound("/*", handler(fallback), onRoutes...)
		return e
	}
}

// newGorilla registers the most specific route first, since gorilla/mux runs the first
// that matches.
func newGorilla(create func() *mux.Router, use ...middleware) func([]route, func(int, *http.Request), ...middleware) http.Handler {
	return func(routes []route, ran func(int, *http.Request), _ ...middleware) http.Handler {
		m := create()
		for _, verify := range use {
			m.Use(mux.MiddlewareFunc(verify))
		}
		order := byMethod(routes)
		slices.SortStableFunc(order, func(i, j int) int { return routes[j].comparePrecedence(routes[i]) })
		for _, i := range order {
			r := routes[i]
			var added *mux.Route
			if pattern := r.write("{", "}", ""); r.subtree {
				added = m.PathPrefix(pattern)
			} else {
				added = m.Path(pattern)
			}
			if added.Handler(calling(ran, i)); r.method != "" {
				added.Methods(r.method)
			}
		}
		m.PathPrefix("/").Handler(calling(ran, fallback))
		return m
	}
}

func addGin(e *gin.Engine, routes []route, ran func(int, *http.Request), onRoutes ...gin.HandlerFunc) http.Handler {
	handlers := func(i int) []gin.HandlerFunc {
		return append(onRoutes[:len(onRoutes):len(onRoutes)], func(c *gin.Context) { ran(i, c.Request) })
	}
	for i, r := range routes {
		pattern := r.write(":", "", "*rest")
		if e.UseEscapedPath {
			pattern = strings.ReplaceAll(pattern, "ä", "%C3%A4")
		}
		if r.method != "" {
			e.Handle(r.method, pattern, handlers(i)...)
		} else {
			e.Any(pattern, handlers(i)...)
		}
	}
	e.NoRoute(handlers(fallback)...)
	return e
}

// newPatterns returns a simple router, as in services with regular expressions or prefix
// checks: it runs the most specific route, and parameters are not empty.
func newPatterns(read func(*http.Request) string) func([]route, func(int, *http.Request), ...middleware) http.Handler {
	return func(routes []route, ran func(int, *http.Request), _ ...middleware) http.Handler {
		patterns := make([]*regexp.Regexp, len(routes))
		for i, r := range routes {
			end := "$"
			if r.subtree {
				end = ".*$"
			}
			patterns[i] = regexp.MustCompile("(?s)^" + regexp.MustCompile("<.>").ReplaceAllString(r.write("<", ">", ""), "[^/]+") + end)
		}
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			received, found := read(r), fallback
			for i, route := range routes {
				if (route.method == "" || route.method == r.Method) && patterns[i].MatchString(received) &&
					(found == fallback || routes[found].comparePrecedence(route) < 0) {
					found = i
				}
			}
			ran(found, r)
		})
	}
}

// comparePrecedence compares routes that match the same request: a literal precedes a
// parameter, a parameter precedes a subtree, and a route for one method precedes a route
// for every method.
func (r route) comparePrecedence(other route) int {
	for i := range min(len(r.segments), len(other.segments)) {
		if c := cmp.Compare(min(len(r.segments[i]), 1), min(len(other.segments[i]), 1)); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(len(r.segments), len(other.segments)), cmp.Compare(len(r.method), len(other.method)))
}

// endsInNoParameter reports whether a middleware around Echo, which does not know the
// route, supports a route: Echo's last parameter matches the rest of the path.
func endsInNoParameter(r route) bool { return r.subtree || r.segments[len(r.segments)-1] != "" }
