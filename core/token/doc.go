// Package token verifies the X-Auth-Token header: a token of the caller's,
// issued by an identity service with the API of OpenStack Keystone v3 (also the
// IAM of Huawei Cloud and Open Telekom Cloud), which the gateway passes through.
//
//	X-Auth-Token: <token>
//
// The token is opaque. The identity service is asked what it stands for:
// GET <iam>/v3/auth/tokens, with the caller's token in X-Subject-Token and one
// of our own in X-Auth-Token, obtained with the key's user and password.
//
// # What it proves
//
// That the identity service took the token for valid, at most 15 minutes ago
// and not past the token's end, and to whom it says that it belongs: see
// [UserID] and the other attributes.
//
// # What it does not
//
// Nothing about the request: not the method, not the target, no header, no
// body. Nothing about the gateway either: whoever holds a token can send it.
// The token itself travels, so whoever sees one request can send any other. A
// token that is revoked goes on being accepted for as long as the answer is
// remembered, at most 15 minutes, unless [Scheme.Flush] is called.
//
// A token of any project of the identity service is valid there. Roles mean
// something only together with the project: name it in [Key].CallerProject, or
// look at the attribute [ProjectID] before looking at [Roles].
//
// # When the identity service fails
//
// Nothing is accepted without an answer: requests are refused with 503, those
// with a remembered token excepted, for as long as it would have been remembered
// anyway. Only an answer that is right in form counts. After five failures in a
// row (no answer, one that is not right in form, 429 or 5xx) there is one call per
// second at most, until one succeeds; where the service names an instant in
// Retry-After, there is none before it. Meanwhile requests are refused at once.
// Another 4xx concerns the one token: it is refused with 503 for 30 seconds
// without asking again. After a log-in that failed there is none for a second,
// and for 30 where our password was refused.
//
// # What strangers can cost
//
// Tokens that are not known cost one call each, whoever sends them, and so does
// one token sent by many at once. It is two where the service says 401, which may
// mean our own token: the other one asks about that. The calls per second and
// those at once are limited; past that, requests with unknown tokens are refused
// with 503, and tokens that were valid when last asked about have limits of their
// own. What has not the form of a token is refused without a call: 1 to 8192
// characters of A-Z a-z 0-9 - . _ ~ + / =.
package token
