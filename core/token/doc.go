// Package token verifies the X-Auth-Token header. It holds a token that an identity
// service issued to the caller and that the gateway forwards. The service has the API of
// OpenStack Keystone v3, which is also that of the IAM of Huawei Cloud and Open Telekom
// Cloud.
//
//	X-Auth-Token: <token>
//
// The token is opaque. The scheme validates it with the identity service:
// GET <iam>/v3/auth/tokens, with the caller's token in X-Subject-Token, and in
// X-Auth-Token a token of the scheme itself, which it gets with the key's user and
// password.
//
// # What it proves
//
// The identity service reported the token as valid at most 15 minutes ago, and the token
// has not expired. The attributes, such as [UserID], say to whom it was issued.
//
// # What it does not prove
//
// It proves nothing about the request: not the method, the target, the headers or the
// body. It does not prove that the request came through the gateway, because everyone
// who has a token can send it. The token itself is sent, so everyone who can read one
// request can send others. A revoked token is accepted as long as the answer is cached,
// at most 15 minutes, unless [Scheme.Flush] is called.
//
// The identity service accepts tokens of all its projects. Roles have a meaning only
// within a project: set [Key].CallerProject, or check the attribute [ProjectID] before
// [Roles].
//
// # When the identity service fails
//
// No token is accepted without a well-formed answer. Requests are refused with 503,
// except those whose token is in the cache and has not expired there. After five
// failures in a row (no answer, one that is not application/json, 429 or 5xx) there is at
// most one call per second until one succeeds, and none before the time in Retry-After.
// Until then requests are refused at once. Any other 4xx, and a 200 in JSON that is not
// well-formed, apply only to the token in question: it is refused with 503 for 30 seconds
// without another call, and the error says what is wrong. After a failed log-in there
// is no other for one second, or for 30 seconds if the password was refused.
//
// # What unknown tokens cost
//
// An unknown token costs one call, even if many requests have it at the same time. It
// costs two calls if the service answers 401, which may refer to the scheme's own token:
// the second call checks that one. Calls are limited per second and in flight. Above the
// limits, requests with unknown tokens are refused with 503. Tokens that were valid when
// last checked have separate limits. A value that is not 1 to 8192 characters of
// A-Z a-z 0-9 - . _ ~ + / = is refused without a call.
package token
