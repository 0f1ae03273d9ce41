// Package nethttp puts a [core.Verifier] in front of [net/http] handlers.
package nethttp

import (
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// Middleware returns middleware that passes on the requests that v admits, and answers
// refused ones with [core.WriteProblem]. The handler gets the identity with
// [core.FromContext].
//
// It works with every router whose parameters match one segment of the path, such as
// those of net/http, chi and gorilla/mux, and with connect's handlers.
//
// If possible, wrap the router and not single routes: a [net/http.ServeMux] answers paths
// such as //x with a redirect before a handler inside it runs, and unknown paths with
// 404. [net/http.Server] answers "OPTIONS *" itself, without calling middleware.
//
// HTTP/2 without TLS is served by [net/http.Server.Protocols]. A handler of h2c, which serves
// whole connections, belongs in front of the middleware; behind it it gets HTTP/1.1 only, and
// in report mode nobody sees the requests of a connection that begins with HTTP/2.
//
// For Echo use package echoauth: the last parameter of an Echo route matches several
// segments of the path, so that /orders/7/x runs the handler of /orders/:id, and only
// echoauth knows the route. Another router whose parameters match slashes needs its own
// adapter ([core.Route]).
func Middleware(v *core.Verifier) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			admission, err := v.Admit(w, r, core.BodyForHandler)
			defer admission.Release()
			if err != nil {
				core.WriteProblem(w, r, err)
				return
			}
			admitted := admission.Request
			// The server removes the files of r.MultipartForm.
			defer func() { r.MultipartForm, r.Pattern = admitted.MultipartForm, admitted.Pattern }()
			next.ServeHTTP(admission.Watch(w), admitted)
			admission.Answer(http.StatusOK)
		})
	}
}
