package echoauth_test

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest/echotest"
)

type (
	middleware = echo.MiddlewareFunc
	server     = echotest.Server[middleware]
)

// v4 is Echo v4, for the tests that the adapters share.
var v4 = echotest.Echo[middleware]{
	New: func() server { return newServer(false) },
	Verbose: func() server {
		return newServer(true)
	},
	Verify: echoauth.Middleware,
	Step: func(do adaptertest.Step) middleware {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) (err error) {
				c.Set("identity", "root")
				c.Set("user", "root")
				do(c.Response(), c.Request(), func(r *http.Request) {
					c.SetRequest(r)
					err = next(c)
				})
				return err
			}
		}
	},
	Recover: func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			defer func() {
				if v := recover(); v != nil {
					c.Error(fmt.Errorf("%v", v))
				}
			}()
			return next(c)
		}
	},
	Through: func(do func(http.ResponseWriter, *http.Request, func(*http.Request) error) error) middleware {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				return do(c.Response(), c.Request(), func(r *http.Request) error {
					c.SetRequest(r)
					return next(c)
				})
			}
		}
	},
	When: func(is func(*http.Request) bool, m middleware) middleware {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			through := m(next)
			return func(c echo.Context) error {
				if is(c.Request()) {
					return through(c)
				}
				return next(c)
			}
		}
	},
	Bind: func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.FormValue("amount")
			var order struct{ Amount int }
			c.Bind(&order)
			return next(c)
		}
	},
	Restore: func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			w := c.Response().Writer
			defer func() { c.Response().Writer = w }()
			return next(c)
		}
	},
	Error:   func(status int) error { return echo.NewHTTPError(status) },
	Problem: func(err error) any { return err.(*echo.HTTPError).Message },
}

type app struct {
	router
	echo *echo.Echo
}

func newServer(debug bool) app {
	e := echo.New()
	e.Debug = debug
	return app{router{e, e}, e}
}

func (a app) Pre(through ...middleware) { a.echo.Pre(through...) }

func (a app) NotFound(path string, handler http.Handler, through ...middleware) {
	a.echo.RouteNotFound(path, echo.WrapHandler(handler), through...)
}

func (a app) OnError(do func(error, echotest.Context, http.ResponseWriter)) {
	a.echo.HTTPErrorHandler = func(err error, c echo.Context) { do(err, c, c.Response()) }
}

// router is Echo, or a group of it.
type router struct {
	http.Handler
	routes interface {
		Use(...middleware)
		Group(string, ...middleware) *echo.Group
		Add(method, path string, handler echo.HandlerFunc, through ...middleware) *echo.Route
		Any(path string, handler echo.HandlerFunc, through ...middleware) []*echo.Route
	}
}

func (r router) Use(through ...middleware) { r.routes.Use(through...) }

func (r router) Group(prefix string, through ...middleware) adaptertest.Router[middleware] {
	return router{r.Handler, r.routes.Group(prefix, through...)}
}

func (r router) Handle(method, path string, handler http.Handler, through ...middleware) {
	if method == "" {
		r.routes.Any(path, echo.WrapHandler(handler), through...)
		return
	}
	r.routes.Add(method, path, echo.WrapHandler(handler), through...)
}

// hostMountings are the ways to mount the middleware that Echo v5 does not have.
var hostMountings = echotest.Mountings[middleware]{
	"Pre, and a host's router": func(e server, verify middleware) adaptertest.Router[middleware] {
		e.Pre(verify)
		e.Handle("GET", "/orders/:id/:line", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the router of another host") }))
		return router{e, e.(app).echo.Host("example.com")}
	},
}
