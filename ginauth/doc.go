// Package ginauth puts a [core.Verifier] in front of Gin handlers.
//
// # Where to mount it
//
//   - The whole engine: engine.Use(ginauth.Middleware(v)), before the first
//     route: Use does not cover routes that were registered before it. It runs
//     for NoRoute and NoMethod too, and so refuses what is unsigned before Gin
//     answers 404 or 405.
//   - A group: engine.Group("/v1", ginauth.Middleware(v)). It covers the routes
//     of the group, again those registered after it, and nothing else below the
//     prefix: unknown paths and methods get the engine's 404 or 405.
//   - One route: engine.GET("/v1/items", ginauth.Middleware(v), handler).
//
// Gin answers some requests before any middleware: its redirects
// (RedirectTrailingSlash, which is on by default, and RedirectFixedPath) tell
// an unsigned caller which paths exist; no handler runs. With
// HandleMethodNotAllowed, a refusal carries Gin's Allow field. Turn them off,
// or put the verifier in front of all of Gin: nethttp.Middleware(v)(engine).
//
// Wherever it is mounted, it judges the target as received, never what a group
// or http.StripPrefix left of it; which APIs are open is the policy's business
// and not the router's. Gin routes before it verifies: a method override
// belongs between nethttp.Middleware(v) and the engine. It must come before
// middleware that reads or replaces the body, and behind CORS middleware if
// preflights, which nobody signs, are to be answered. Engine.HandleContext
// verifies the request again, as it was received.
//
// # Refusals
//
// The middleware attaches the *[core.Error] to c.Errors, aborts, and answers
// with [core.WriteProblem]. For error middleware that answers by what it finds
// in c.Errors, mount it in front, and leave the answer to it:
//
//	engine.Use(errorHandler, ginauth.Middleware(v, ginauth.LeaveAnswer()))
//
// # The identity
//
// Ask [core.FromContext] with c.Request.Context(). It survives replacing
// c.Request by any request whose context derives from it. c itself is such a
// context only where the engine has ContextWithFallback. Gin takes c back when
// the handler returns: a goroutine that goes on keeps c.Request.Context() or
// c.Copy(), not c. The body ends with the handler as well.
package ginauth
