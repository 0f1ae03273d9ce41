// Package ginauth puts a [core.Verifier] in front of Gin handlers.
//
// # Where to mount it
//
//   - The whole engine: engine.Use(ginauth.Middleware(v)), before the first
//     route: Use does not cover routes that were registered before it. It also
//     runs for NoRoute and NoMethod, and so refuses unsigned requests before Gin
//     answers 404 or 405.
//   - A group: engine.Group("/v1", ginauth.Middleware(v)). It covers the routes
//     of the group, again those registered after it, and nothing else below the
//     prefix: unknown paths and methods get the engine's 404 or 405.
//   - One route: engine.GET("/v1/items", ginauth.Middleware(v), handler).
//
// Gin answers some requests before any middleware runs. Its redirects
// (RedirectTrailingSlash, which is on by default, and RedirectFixedPath) show an unsigned
// caller which paths exist; no handler runs. With HandleMethodNotAllowed, a refusal has
// Gin's Allow header. Turn these settings off, or put the verifier in front of all of
// Gin: nethttp.Middleware(v)(engine).
//
// Wherever it is mounted, the middleware verifies the received target, not the rest that
// a group or http.StripPrefix leaves. The policy decides which APIs are open, not the
// router. Gin routes before the middleware runs: put a method override between
// nethttp.Middleware(v) and the engine. Mount the middleware in front of other middleware
// that reads or replaces the body, and behind CORS middleware, since preflight requests
// are not signed. Engine.HandleContext verifies the request again, as it was received.
//
// # Refusals
//
// The middleware attaches the *[core.Error] to c.Errors, aborts, and answers with
// [core.WriteProblem]. To let error middleware write the response from c.Errors, mount it
// in front, and use LeaveAnswer:
//
//	engine.Use(errorHandler, ginauth.Middleware(v, ginauth.LeaveAnswer()))
//
// With [core.Replay].Retries, a request whose handler has written nothing counts as
// answered with the status that is set, 200 by default. If error middleware in front
// answers it with 500, a retry is refused. To permit it, call c.Status in the handler, or
// mount middleware for the errors of handlers behind this one.
//
// # The identity
//
// Call [core.FromContext] with c.Request.Context(). c.Request may be replaced by a
// request whose context derives from it. c itself is such a context only if the engine
// has ContextWithFallback. Gin reuses c when the handler has returned: in a goroutine
// that runs longer, keep c.Request.Context() or c.Copy(), not c. The body cannot be read
// after the handler has returned.
package ginauth
