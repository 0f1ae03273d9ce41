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
func Middleware(v *core.Verifier) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			judged := *r // r is the server's, which looks for its own body there
			core.WithDeadline(w, &judged)
			admitted, err := v.Admit(&judged)
			defer core.Release(&judged)
			if err != nil {
				core.WriteProblem(w, r, err)
				return
			}
			// The server removes the files of the form that it finds in r.
			defer func() { r.MultipartForm, r.Pattern = admitted.MultipartForm, admitted.Pattern }()
			next.ServeHTTP(w, admitted)
		})
	}
}
