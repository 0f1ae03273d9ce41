package echoauth_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/echoauth"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The policy and the requests are those of the tests of every HTTP adapter.
var (
	orders, partner = testkit.Orders, testkit.Partner
	newVerifier     = testkit.Verifier
	unsigned        = testkit.Unsigned
	signed          = testkit.Signed
	serve           = testkit.Serve
	expect          = testkit.Expect
)

type (
	counter  = testkit.Counter
	exchange = testkit.Exchange
)

// framework is Echo, for the tests that the adapters share.
var framework = adaptertest.Framework[echo.MiddlewareFunc]{
	New: func() adaptertest.Router[echo.MiddlewareFunc] {
		e := echo.New()
		return router{e, e}
	},
	Verify: echoauth.Middleware,
	Step:   step,
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
	Fail: func(echo.HandlerFunc) echo.HandlerFunc {
		return func(echo.Context) error { return errors.New("of the handler") }
	},
}

// router is Echo, or a group of it.
type router struct {
	http.Handler
	routes interface {
		Use(...echo.MiddlewareFunc)
		Group(string, ...echo.MiddlewareFunc) *echo.Group
		Add(method, path string, handler echo.HandlerFunc, through ...echo.MiddlewareFunc) *echo.Route
		Any(path string, handler echo.HandlerFunc, through ...echo.MiddlewareFunc) []*echo.Route
	}
}

func (r router) Use(through ...echo.MiddlewareFunc) { r.routes.Use(through...) }

func (r router) Group(prefix string, through ...echo.MiddlewareFunc) adaptertest.Router[echo.MiddlewareFunc] {
	return router{r.Handler, r.routes.Group(prefix, through...)}
}

func (r router) Handle(method, path string, handler http.Handler, through ...echo.MiddlewareFunc) {
	if method == "" {
		r.routes.Any(path, echo.WrapHandler(handler), through...)
		return
	}
	r.routes.Add(method, path, echo.WrapHandler(handler), through...)
}

func step(do adaptertest.Step) echo.MiddlewareFunc {
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
}

// before returns middleware that calls do with the request before it passes it on.
func before(do func(*http.Request)) echo.MiddlewareFunc {
	return step(func(_ http.ResponseWriter, r *http.Request, next func(*http.Request)) {
		do(r)
		next(r)
	})
}

// counted returns a handler that counts its runs.
func counted(runs *counter) echo.HandlerFunc { return echo.WrapHandler(runs) }

// with returns a Mount that mounts the adapter with use, in front of one handler for
// every path.
func with(use func(*echo.Echo, echo.MiddlewareFunc)) adaptertest.Mount {
	return func(v *core.Verifier, next http.Handler) http.Handler {
		e := echo.New()
		use(e, echoauth.Middleware(v))
		e.Any("/*", echo.WrapHandler(next))
		return e
	}
}

// mountUse and mountPre mount the adapter for all routes.
var (
	mountUse = with(func(e *echo.Echo, verify echo.MiddlewareFunc) { e.Use(verify) })
	mountPre = with(func(e *echo.Echo, verify echo.MiddlewareFunc) { e.Pre(verify) })
)
