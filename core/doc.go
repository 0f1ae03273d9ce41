// Package core proves that a request came through an API gateway, unchanged,
// signed with the key that is bound to that API in that environment. It links
// nothing but the standard library.
//
// # Use
//
// Make a [Verifier] from a [Config] with [New], and put it in front of the
// router with an adapter such as nethttp.Middleware. Handlers ask
// [FromContext] for the [Identity]. A policy in a file is read by package
// core/config instead.
//
// # What a verdict means
//
// An accepted request carried a credential of a scheme of this environment,
// dated within the allowed skew of the clock, that was made with a secret of
// the one key bound to this API, over the request as it was received.
// [Identity.Covers] tells what that includes; what it does not include may
// have been changed by anyone on the way. Basic credentials cover nothing.
//
// A refused request gives an [*Error] with a stable [Code]. The caller learns
// only the HTTP status; the code goes to the log, to [Observer] and so to
// metrics.
//
// # Rules
//
//   - An API is bound to one key in an environment. Patterns are those of
//     [net/http.ServeMux], matched on the path as received; what no pattern
//     matches is bound to Config.Default, and refused where that is empty.
//   - The key decides which scheme may use it, never the request.
//   - The date must be signed and within 15 minutes of the clock.
//   - The host must be signed ([Config.RequireSigned]), and every header of the
//     credential's protocol that is present: x-sdk-* or x-amz-*. A content
//     digest counts only where it is signed. [Config.AllowUnsigned] excepts
//     single names. [Config.RequireSignedWithBody] asks for more where there is
//     a body.
//   - A request is for a host of [Config.Hosts], where these are listed.
//   - A declared digest is compared with the body that arrived; a body
//     declared unsigned is accepted only where the policy says so.
//   - Headers that override the method must be signed.
//   - What a router and the verifier could read differently is refused:
//     repeated protocol headers, spellings with underscores, absolute-form
//     targets, semicolons and bad escapes in the query, NUL, CR and LF in the
//     path, and what a scheme's canonical form would hide.
//   - No byte of the body is read for a request that can be refused without.
//   - Bodies are bounded one by one ([Config.MaxBody]) and together
//     ([Config.MaxBuffered]), and never truncated.
//
// # The checks
//
// They run in this order, and the first that fails gives the code. Open APIs need the
// first three only.
//
//   - target: method, path and query have one reading, and are not too long
//   - binding: the API is bound to the same key in every interpretation of the path
//   - open API: nothing turns an open API into another one
//   - headers: the header fields have one reading, and are not too many
//   - credential: one scheme of the environment recognises its credential
//   - signed headers: SignedHeaders is a sorted list of names, each once
//   - lookalikes: nothing can be taken for a signed header
//   - announced size: the body is not announced to exceed the limit
//   - key: the environment has the key, for this scheme
//   - scope: the credential is for the key's region and service
//   - date: the date is within the allowed skew, or the link has not expired
//   - coverage: what must be signed is signed, and present
//   - session token: it is that of the key
//   - payload: the policy allows how the body is signed; the body is read if its hash is
//   - signature: the scheme verifies it with a secret that is accepted now
//   - key bound to the API: the key is that of the binding
//   - host: the host is listed in Config.Hosts
//   - route: the router runs the route of the API that the request is bound as
//   - body: it has the declared digest
//   - date after the body: the date again, after the body was read
//   - replay: the request was not accepted before
//
// # What is not checked
//
// Replays: a captured request can be sent again until its date is too old.
// Trailers and what follows a protocol upgrade. Who the gateway's client was:
// that is the gateway's business. Where the request came from: whoever holds
// the secret is the gateway.
//
// # Modes
//
// [Enforce] refuses. [Report] lets everything through and reports what it
// would have refused: use it to roll out. [Off] lets everything through. In
// the latter two, FromContext is false for whatever was not verified, and
// handlers that need an identity must check it.
package core
