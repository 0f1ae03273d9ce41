// Package echoauth puts a [core.Verifier] in front of Echo (v4) handlers.
//
// # Where to mount it
//
//   - The whole server: e.Use(echoauth.Middleware(v)), at any time. It runs for
//     every route, and refuses unsigned requests before Echo answers 404, 405 or
//     OPTIONS.
//   - Before the router: e.Pre(echoauth.Middleware(v)). Mount it first, in front
//     of MethodOverride, Rewrite and the slash middleware. These then change a
//     verified request: an override header must be signed, and the key is the one
//     that is bound to the received path, not to the rewritten one. If they run
//     before it, a method override makes the signature wrong, and AddTrailingSlash
//     and RemoveTrailingSlash change the target that is verified and by which open
//     APIs are found.
//   - A group: e.Group("/v1", echoauth.Middleware(v)). It covers all paths below
//     the prefix, including unknown paths and methods, but not //v1.
//     [echo.Group.Use] does not cover routes that were registered before it.
//   - One route: e.GET("/v1/items", handler, echoauth.Middleware(v)). Other
//     methods of the path get Echo's 405, OPTIONS its 204.
//
// Do not put nethttp.Middleware around Echo instead: it does not know Echo's routes. In
// Echo, the last parameter of a route matches the rest of the path, slashes included:
// /orders/:id serves /orders/7/x and /orders/7/ if there is no longer route for them.
// Such a request is refused with request_ambiguous, since the policy may bind that path
// to another key. A route that ends in a wildcard (/orders/*) serves them. With Pre, the
// middleware finds the route of the request as it is at that moment. If middleware behind
// it changes the path or the method, another route runs: then also mount the verifier
// with Use, which finds that route. RemoveTrailingSlash behind Pre does not help for
// /orders/7/, because it runs after the verdict.
//
// Routes of [echo.Echo.Host] match a host only with the same port and case. For another
// spelling of the host, Echo runs the routes without a host. If the policy binds APIs by
// host, such a request is refused with request_ambiguous.
//
// Wherever it is mounted, the middleware verifies the received target, not the rest that
// a group or http.StripPrefix leaves. The policy decides which APIs are open, not the
// router. Mount the middleware in front of other middleware that reads or replaces the
// body, and behind CORS middleware, since preflight requests are not signed. If it is
// mounted on routes or groups, the 404 and 405 for unsigned requests show which paths
// exist.
//
// # Refusals
//
// The middleware returns an *[echo.HTTPError] that wraps the *[core.Error]: errors.As
// finds both. Echo's own error handler answers it with the bytes of [core.WriteProblem]
// (indented in debug mode and with ?pretty, as all its JSON; without Content-Length for
// HEAD). A custom HTTPErrorHandler may write any response. When it is called, the headers
// are set except for Content-Type, which becomes application/problem+json if it writes
// the error's Message as JSON. It must set the status.
//
// # The identity
//
// Call [core.FromContext] with c.Request().Context(). SetRequest may replace the request
// by one whose context derives from it. Echo reuses c when the handler has returned: in a
// goroutine that runs longer, keep c.Request().Context(), not c. The body cannot be read
// after the handler has returned, so an error handler cannot read it.
package echoauth
