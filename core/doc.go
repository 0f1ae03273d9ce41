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
// The checks run in this order, and the first that fails gives the code: form
// and limits; binding; credential; spellings of signed headers and the announced
// size of the body; key and scope; date; coverage; session token; declared
// payload, body; signature; key bound to the API; host; body against the declared
// digest; the date again, where a body was read.
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
