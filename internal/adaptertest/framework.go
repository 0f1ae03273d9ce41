// Package adaptertest has the tests that the HTTP adapters share. Those of
// [core/coretest] are for every adapter, a user's own too; these need more of a
// framework than one route: middleware in front of the adapter and behind it,
// groups, recovery from panics. Each is run by the package of the adapter.
//
// [core/coretest]: https://pkg.go.dev/github.com/gatewayauth/gatewayauth/core/coretest
package adaptertest

import (
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// A Mount puts v in front of next, as core/coretest has it.
type Mount func(v *core.Verifier, next http.Handler) http.Handler

// A Framework is a web framework with an adapter. M is the type of its middleware.
type Framework[M any] struct {
	New    func() Router[M]
	Verify func(*core.Verifier) M // the adapter
	// Step makes middleware. It leaves the values "root" of the names "identity"
	// and "user" in the framework's own context, as an application might.
	Step func(Step) M
	// Recover is middleware that answers 500 where a handler panics, and Fail
	// middleware that ends with an error which the framework answers with 500.
	Recover, Fail M
}

// A Step answers w, or passes a request on: r or another one.
type Step func(w http.ResponseWriter, r *http.Request, next func(*http.Request))

// A Router is a server of the framework, or a group of routes of one.
type Router[M any] interface {
	http.Handler
	Use(...M)
	Group(prefix string, through ...M) Router[M]
	// Handle adds a route. The method "" stands for all, and * at the end of the
	// path for the rest of it.
	Handle(method, path string, handler http.Handler, through ...M)
}

// use returns a server in which the requests of every path go through the
// middleware to handler.
func (f *Framework[M]) use(handler http.Handler, through ...M) http.Handler {
	router := f.New()
	router.Use(through...)
	router.Handle("", "/*", handler)
	return router
}
