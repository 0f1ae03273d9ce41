// Package echotest has the tests that the adapters for Echo v4 and v5 share, besides those
// of [adaptertest]. They need more of Echo than the tests for every framework: Pre, an
// error handler, parameters of routes. The package of each adapter runs them.
package echotest

import (
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
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

// Echo is one version of Echo with its adapter. M is the type of its middleware.
type Echo[M any] struct {
	New func() Server[M]
	// Verbose is New for a server whose error handler tells the text of errors.
	Verbose func() Server[M]
	Verify  func(*core.Verifier) M // the adapter
	// Step and Recover are those of [adaptertest.Framework].
	Step    func(adaptertest.Step) M
	Recover M
	// Through returns middleware that runs do. The error of do is that of the
	// middleware; next returns the error of the next handler.
	Through func(do func(w http.ResponseWriter, r *http.Request, next func(*http.Request) error) error) M
	// When returns middleware that is m for requests that is reports, and nothing for others.
	When func(is func(*http.Request) bool, m M) M
	// Bind is middleware that reads a form value and binds the body with Echo's functions.
	Bind M
	// Restore is middleware that restores Echo's ResponseWriter when the next handler has
	// returned, as Echo's Gzip does.
	Restore M
	// Error returns an error that Echo answers with the status. Problem returns what an
	// error handler passes to Context.JSON for a refusal.
	Error   func(status int) error
	Problem func(error) any
}

// A Server is an Echo.
type Server[M any] interface {
	adaptertest.Router[M]
	Pre(...M)
	// NotFound adds a route for requests that match no other route.
	NotFound(path string, handler http.Handler, through ...M)
	OnError(func(err error, c Context, w http.ResponseWriter))
}

// A Context is what both versions of echo.Context have.
type Context interface {
	Request() *http.Request
	JSON(status int, value any) error
	HTML(status int, text string) error
	NoContent(status int) error
}

// Framework returns what the tests of [adaptertest] need.
func (f *Echo[M]) Framework() adaptertest.Framework[M] {
	return adaptertest.Framework[M]{
		New:     func() adaptertest.Router[M] { return f.New() },
		Verify:  f.Verify,
		Step:    f.Step,
		Recover: f.Recover,
		Fail: f.Through(func(http.ResponseWriter, *http.Request, func(*http.Request) error) error {
			return f.Error(http.StatusInternalServerError)
		}),
	}
}

// before returns middleware that calls do with the request before it passes it on.
func (f *Echo[M]) before(do func(*http.Request)) M {
	return f.Step(func(_ http.ResponseWriter, r *http.Request, next func(*http.Request)) {
		do(r)
		next(r)
	})
}

// with returns a Mount that mounts the adapter with use, in front of one handler for
// every path.
func (f *Echo[M]) with(use func(Server[M], M)) adaptertest.Mount {
	return func(v *core.Verifier, next http.Handler) http.Handler {
		e := f.New()
		use(e, f.Verify(v))
		e.Handle("", "/*", next)
		return e
	}
}

// Use and Pre are Mounts of the adapter for all routes.
func (f *Echo[M]) Use() adaptertest.Mount { return f.with(use[M]) }

// Pre is Use, in front of the router.
func (f *Echo[M]) Pre() adaptertest.Mount { return f.with(pre[M]) }

func use[M any](e Server[M], verify M) { e.Use(verify) }
func pre[M any](e Server[M], verify M) { e.Pre(verify) }
