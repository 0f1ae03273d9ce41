// Package echoauth puts a [core.Verifier] in front of Echo (v5) handlers. The package
// without v5 in its path is for Echo v4.
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
//     the prefix, including unknown paths and methods, but not //v1. With
//     NoGroupAutoRegister404Routes of [echo.Config] it covers only the group's routes.
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
// /orders/7/, because it runs after the verdict. With UnescapePathParamValues or
// UseEscapedPathForMatching of [echo.RouterConfig], a parameter with an encoded slash
// (/orders/7%2Fx) is refused in the same way.
//
// Wherever it is mounted, the middleware verifies the received target, not the rest that
// a group or http.StripPrefix leaves. The policy decides which APIs are open, not the
// router. Mount the middleware in front of other middleware that reads or replaces the
// body, and behind CORS middleware, since preflight requests are not signed. If it is
// mounted on routes or groups, the 404 and 405 for unsigned requests show which paths
// exist.
//
// # Virtual hosts
//
// Middleware of the Echo that [echo.NewVirtualHostHandler] returns does not run for the
// hosts of its map: mount the middleware on each Echo of the map as well. A host with a
// port, in another case or with a final dot is not found in the map, so that the routes
// without a host run. The policy treats all these spellings as the same host, and this
// package cannot see the map. Therefore give each Echo a Verifier of its own, with the keys
// and the APIs of its host alone and patterns without a host; do not bind APIs by host in
// one policy for all of them.
//
// # Refusals
//
// The middleware returns an error that wraps the *[core.Error], and that implements
// [echo.HTTPStatusCoder] and [encoding/json.Marshaler]. It is not an *[echo.HTTPError].
// Echo's own error handler answers it with the bytes of [core.WriteProblem] (indented with
// ?pretty, as all its JSON; without Content-Length for HEAD). A custom HTTPErrorHandler may
// write any response, with the status of [echo.StatusCode] or [core.StatusCode]. When it is
// called, the headers are set except for Content-Type, which becomes
// application/problem+json if it passes the error to c.JSON.
//
// # The identity
//
// Call [core.FromContext] with c.Request().Context(). SetRequest may replace the request
// by one whose context derives from it. Echo reuses c when the handler has returned: in a
// goroutine that runs longer, keep c.Request().Context(), not c. The body cannot be read
// after the handler has returned, so an error handler cannot read it.
//
// # Retries
//
// The retries of the policy have no effect behind middleware whose ResponseWriter has no
// Unwrap method.
package echoauth
