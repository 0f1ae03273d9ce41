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
// Nothing is accepted without an answer of the right form. Requests are refused
// with 503, except those whose token is remembered, for as long as it would have
// been remembered anyway. After five failures in a row (no answer, one of another
// form, 429 or 5xx) there is at most one call per second until one succeeds, and
// none before the instant that the service names in Retry-After. Meanwhile requests
// are refused at once. Another 4xx concerns only the token that was asked about: it
// is refused with 503 for 30 seconds without another call. After a failed log-in
// there is none for a second, and none for 30 seconds where our password was
// refused.
//
// # What unknown tokens cost
//
// An unknown token costs one call, also where many requests carry it at once. It
// costs two where the service answers 401, which may mean our own token: the second
// call checks that one. Calls are limited, per second and in flight. Above the
// limits requests with unknown tokens are refused with 503; tokens that were valid
// when last checked have limits of their own. A value that does not have the form of
// a token, 1 to 8192 characters of A-Z a-z 0-9 - . _ ~ + / =, is refused without a
// call.
package token
