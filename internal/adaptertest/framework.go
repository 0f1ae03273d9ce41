// Package adaptertest has the tests that the HTTP adapters of this module share. Unlike
// those of [core/coretest], which are for every adapter, they need more of a framework
// than one route: middleware in front of the adapter and behind it, groups, recovery from
// panics. The package of each adapter runs them.
//
// [core/coretest]: https://pkg.go.dev/github.com/gatewayauth/gatewayauth/core/coretest
package adaptertest

import (
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// A Mount puts v in front of next, as a Mount of core/coretest does.
type Mount func(v *core.Verifier, next http.Handler) http.Handler

// A Framework is a web framework with an adapter. M is the type of its middleware.
type Framework[M any] struct {
	New    func() Router[M]
	Verify func(*core.Verifier) M // the adapter
	// Step returns middleware that runs the step. It also sets "identity" and "user" to
	// "root" in the framework's own context, as an application might.
	Step func(Step) M
	// Recover is middleware that answers 500 if a handler panics. Fail is middleware that
	// returns an error, which the framework answers with 500.
	Recover, Fail M
}

// A Step writes a response to w, or calls next with r or another request.
type Step func(w http.ResponseWriter, r *http.Request, next func(*http.Request))

// A Router is a server of the framework, or a group of routes of one.
type Router[M any] interface {
	http.Handler
	Use(...M)
	Group(prefix string, through ...M) Router[M]
	// Handle adds a route. The method "" means every method, and a * at the end of the path
	// matches the rest of the path.
	Handle(method, path string, handler http.Handler, through ...M)
}

// use returns a server that passes requests of every path through the middleware to
// handler.
func (f *Framework[M]) use(handler http.Handler, through ...M) http.Handler {
	router := f.New()
	router.Use(through...)
	router.Handle("", "/*", handler)
	return router
}
