package echoauth_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/gatewayauth/gatewayauth/echoauth/v5"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest/echotest"
)

type (
	middleware = echo.MiddlewareFunc
	server     = echotest.Server[middleware]
)

// v5 is Echo v5, for the tests that the adapters share.
var v5 = echotest.Echo[middleware]{
	New: func() server { return newServer(echo.New()) },
	Verbose: func() server {
		return newServer(echo.NewWithConfig(echo.Config{HTTPErrorHandler: echo.DefaultHTTPErrorHandler(true)}))
	},
	Verify: echoauth.Middleware,
	Step: func(do adaptertest.Step) middleware {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) (err error) {
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
		return func(c *echo.Context) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("%v", v)
				}
			}()
			return next(c)
		}
	},
	Through: func(do func(http.ResponseWriter, *http.Request, func(*http.Request) error) error) middleware {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
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
			return func(c *echo.Context) error {
				if is(c.Request()) {
					return through(c)
				}
				return next(c)
			}
		}
	},
	Bind: func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			c.FormValue("amount")
			var order struct{ Amount int }
			c.Bind(&order)
			return next(c)
		}
	},
	Restore: func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			w := c.Response()
			below, err := echo.UnwrapResponse(w)
			if err != nil {
				return err
			}
			inner := below.ResponseWriter // as middleware for Echo v4 does
			c.SetResponse(wrapped{w})
			defer func() {
				below.ResponseWriter = inner
				c.SetResponse(w)
			}()
			return next(c)
		}
	},
	Error: func(status int) error { return echo.NewHTTPError(status, "") },
	Problem: func(err error) any {
		var coder echo.HTTPStatusCoder
		errors.As(err, &coder)
		return coder
	},
}

// wrapped is a ResponseWriter of middleware.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type app struct {
	router
	echo *echo.Echo
}

func newServer(e *echo.Echo) app { return app{router{e, e}, e} }

func (a app) Pre(through ...middleware) { a.echo.Pre(through...) }

func (a app) NotFound(path string, handler http.Handler, through ...middleware) {
	a.echo.RouteNotFound(path, echo.WrapHandler(handler), through...)
}

func (a app) OnError(do func(error, echotest.Context, http.ResponseWriter)) {
	a.echo.HTTPErrorHandler = func(c *echo.Context, err error) { do(err, c, c.Response()) }
}

// router is Echo, or a group of it.
type router struct {
	http.Handler
	routes interface {
		Use(...middleware)
		Group(string, ...middleware) *echo.Group
		Add(method, path string, handler echo.HandlerFunc, through ...middleware) echo.RouteInfo
	}
}

func (r router) Use(through ...middleware) { r.routes.Use(through...) }

func (r router) Group(prefix string, through ...middleware) adaptertest.Router[middleware] {
	return router{r.Handler, r.routes.Group(prefix, through...)}
}

func (r router) Handle(method, path string, handler http.Handler, through ...middleware) {
	if method == "" {
		method = echo.RouteAny
	}
	r.routes.Add(method, path, echo.WrapHandler(handler), through...)
}
