// Package echoauth puts a [core.Verifier] in front of Echo (v4) handlers.
//
// # Where to mount it
//
//   - The whole server: e.Use(echoauth.Middleware(v)), at any time. It runs for
//     every route, and refuses what is unsigned before Echo answers 404, 405 or
//     OPTIONS.
//   - Before the router: e.Pre(echoauth.Middleware(v)). Mount it as the first,
//     in front of MethodOverride, Rewrite and the slash middleware. Behind it,
//     these change a verified request: an override header must be signed, and
//     the rewritten path was bound to its key under the one that was received.
//     In front of it, a method override makes every signature wrong, and
//     AddTrailingSlash and RemoveTrailingSlash change the target that is judged
//     and that open APIs are looked up by.
//   - A group: e.Group("/v1", echoauth.Middleware(v)). It covers what is below
//     the prefix, unknown paths and methods included; //v1 is outside.
//     [echo.Group.Use] does not cover routes that were registered before it.
//   - One route: e.GET("/v1/items", handler, echoauth.Middleware(v)). Other
//     methods of the path get Echo's 405, OPTIONS its 204.
//
// Do not put nethttp.Middleware around Echo instead: it cannot know Echo's routes.
// Echo's last parameter of a route takes the rest of the path, slashes included:
// /orders/:id serves /orders/7/x and /orders/7/, where there is no longer route for
// them. A request that does so is refused with request_ambiguous, since the policy
// may bind that path to another key; a route that ends in a wildcard (/orders/*)
// serves them. With Pre the router is asked for the route that the request has at that
// moment. Where middleware behind it changes the path or the method, that is not the
// route that runs: mount the verifier with Use as well then, which sees that one.
// RemoveTrailingSlash behind it comes too late for /orders/7/.
//
// Routes of [echo.Echo.Host] are those of a host with exactly its port and case. Where
// the policy binds APIs by host, a request for such a host in another spelling, for
// which Echo runs the routes of no host, is refused with request_ambiguous.
//
// Wherever it is mounted, it judges the target as received, never what a group
// or http.StripPrefix left of it; which APIs are open is the policy's business
// and not the router's. It must come before middleware that reads or replaces
// the body, and behind CORS middleware if preflights, which nobody signs, are
// to be answered. Which paths exist can be told from what a route's or a
// group's 404 and 405 say to an unsigned request.
//
// # Refusals
//
// The error that the middleware returns is an *[echo.HTTPError] that wraps the
// *[core.Error]: errors.As finds both. Echo's own error handler answers it with
// the bytes of [core.WriteProblem] (indented in debug mode and with ?pretty, as
// all its JSON; without Content-Length for HEAD). A custom HTTPErrorHandler may
// write what it likes. Status apart, the header fields of the answer are set
// when it is called, but for Content-Type: that becomes application/problem+json
// where the error's Message is written as JSON.
//
// # The identity
//
// Ask [core.FromContext] with c.Request().Context(). It survives SetRequest
// with any request whose context derives from it. Echo takes its own context
// back when the handler returns: a goroutine that goes on keeps
// c.Request().Context(), not c. The body ends with the handler as well, so an
// error handler can no longer read it.
package echoauth
