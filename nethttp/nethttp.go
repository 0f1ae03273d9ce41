// Package nethttp puts a [core.Verifier] in front of [net/http] handlers.
package nethttp

import (
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// Middleware returns middleware that passes on what v admits and answers the
// rest with [core.WriteProblem]. The handler finds the identity with
// [core.FromContext].
//
// Wrap the router with it rather than single routes where you can: a
// [net/http.ServeMux] answers paths such as //x with a redirect before a
// handler inside it runs, and unknown paths with 404. "OPTIONS *" is answered
// by [net/http.Server] itself and reaches no middleware.
//
// For Echo use package echoauth: the last parameter of an Echo route takes several
// segments of the path, so that /orders/7/x runs the handler of /orders/:id, and only
// echoauth sees which route that is. A router of another kind whose parameters take
// slashes needs the same ([core.Route]).
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
			// The server removes the files of the form that it finds in r.
			defer func() { r.MultipartForm, r.Pattern = admitted.MultipartForm, admitted.Pattern }()
			next.ServeHTTP(w, admitted)
		})
	}
}
