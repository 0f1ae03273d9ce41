package echoauth_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// byDepth binds /orders/{id} to one key, and the paths below it to another.
func byDepth(c *core.Config) {
	c.APIs = []core.API{{Match: "/orders/{id}", Key: orders.Name}, {Match: "/orders/", Key: partner.Name},
		{Match: "/api/orders/{id}", Key: orders.Name}, {Match: "/api/orders/", Key: partner.Name}}
}

// mounts are the ways to mount the middleware. They return the group or host with which
// routes are registered.
var mounts = map[string]func(e *echo.Echo, verify echo.MiddlewareFunc) *echo.Group{
	"Use": func(e *echo.Echo, verify echo.MiddlewareFunc) *echo.Group { e.Use(verify); return e.Group("") },
	"Pre": func(e *echo.Echo, verify echo.MiddlewareFunc) *echo.Group { e.Pre(verify); return e.Group("") },
	"a group": func(e *echo.Echo, verify echo.MiddlewareFunc) *echo.Group {
		return e.Group("", verify)
	},
	"Pre, and a host's router": func(e *echo.Echo, verify echo.MiddlewareFunc) *echo.Group {
		e.Pre(verify)
		e.GET("/orders/:id/:line", func(echo.Context) error { panic("the router of another host") })
		return e.Host("example.com")
	},
	"Pre and Use": func(e *echo.Echo, verify echo.MiddlewareFunc) *echo.Group {
		e.Pre(verify)
		e.Use(verify)
		return e.Group("")
	},
}

// TestGreedyParameter_T173: wherever the middleware is mounted, a request is refused if
// the last parameter of its route would match more than one segment, and accepted if
// there is a longer route.
func TestGreedyParameter_T173(t *testing.T) {
	for name, mount := range mounts {
		t.Run(name, func(t *testing.T) {
			runs := new(counter)
			greedy, longer := echo.New(), echo.New()
			mount(greedy, echoauth.Middleware(newVerifier(t, byDepth))).GET("/orders/:id", counted(runs))
			group := mount(longer, echoauth.Middleware(newVerifier(t, byDepth)))
			group.GET("/orders/:id", counted(runs))
			group.GET("/orders/:id/lines", counted(runs))
			group.GET("/files/*", counted(runs))
			group.GET("/files/:name/:version", counted(runs))
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

// TestGreedyParameterReported_T173: in report mode such a request is accepted, and its
// refusal is reported.
func TestGreedyParameterReported_T173(t *testing.T) {
	for name, mount := range mounts {
		codes := new(testkit.Codes)
		v := newVerifier(t, func(c *core.Config) {
			byDepth(c)
			c.Mode = core.Report
			c.Observers = []core.Observer{codes}
		})
		e, key := echo.New(), ""
		mount(e, echoauth.Middleware(v)).GET("/orders/:id", func(c echo.Context) error {
			key = testkit.KeyName(c.Request())
			return nil
		})
		w := serve(e, signed(partner, "GET", "/orders/7/x", ""))
		if verdicts := codes.Take(); w.Code != 200 || key != "nobody" || verdicts[0] != core.CodeRequestAmbiguous {
			t.Errorf("%s: got %d, identity %q, verdicts %v; want 200, nobody, request_ambiguous", name, w.Code, key, verdicts)
		}
	}
}

// TestRoutesServeTheirDepth_T173: for random routes, a handler runs only for paths with
// as many segments as its route, or more if the route ends in a wildcard.
func TestRoutesServeTheirDepth_T173(t *testing.T) {
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
		for name, mount := range mounts {
			e, served := echo.New(), ""
			group := mount(e, echoauth.Middleware(newVerifier(t, nil)))
			for route := range routes {
				group.GET(route, func(c echo.Context) error { served = c.Path(); return nil })
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
