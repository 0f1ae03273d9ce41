// Package sigv4 verifies and makes AWS Signature Version 4, in both algorithms
// and both forms: AWS4-HMAC-SHA256 ([New], keys of type "sigv4") and
// AWS4-ECDSA-P256-SHA256 ([NewA], SigV4a, keys of type "sigv4a"), in the
// Authorization header and, where [core.Config.AllowPresigned] is set, in the
// query.
//
//	Authorization: AWS4-HMAC-SHA256 Credential=<id>/<yyyymmdd>/<region>/<service>/aws4_request,
//	    SignedHeaders=<a;b>, Signature=<64 hex>
//	Authorization: AWS4-ECDSA-P256-SHA256 Credential=<id>/<yyyymmdd>/<service>/aws4_request,
//	    SignedHeaders=<a;b>, Signature=<hex of ASN.1 DER>
//
// # What it proves
//
// That a holder of the secret signed this method, path, query, the listed
// headers with all their values, the date, region and service of the key, and
// the body: its hash, or the digest in a signed x-amz-content-sha256 that the
// body is then checked against.
//
// # What it does not prove
//
// The canonical form cannot tell ?b from ?b=, + from %20 in the query, nor the
// order in which parameters and the values of a repeated one stand. In a
// header's value it cannot tell one blank from several or from a tab, nor two
// lines of one header from one line with both values joined by a comma, which
// mean the same (RFC 9110 section 5.3). These have one signature; so have the
// spellings of a path that [S3] names.
//
// Headers that are not listed may be anything, except that x-amz-* headers must
// be listed (those in [core.Config.AllowUnsigned] need not be). With
// UNSIGNED-PAYLOAD, where the policy allows it, the body may be anything. A
// credential in the query is valid for as long as it says, up to a week, for
// whoever has the link.
//
// AWS4-HMAC-SHA256 is symmetric: whoever can verify can also sign. The key pair
// of SigV4a is derived from the same kind of secret, so that holds for it as
// well, as long as the verifier holds the secret. For every ECDSA signature there is
// a second, (r, n-s), that verifies as well: signatures do not identify requests.
//
// # The date
//
// The date is in x-amz-date. Without that header a signed Date takes its place:
// botocore and other signers send it where their caller has set one. It has the form
// of x-amz-date, or HTTP's: Tue, 03 Feb 2026 04:05:06 with the zone GMT, +0000 or
// -0000. Other zones (UT, UTC, +0100), other cases, a day of one digit, and a day of
// the week that is absent or wrong are refused. Beside x-amz-date, Date is an
// ordinary header.
//
// # What is refused
//
// The package is strict where all signers do the same. It refuses Authorization
// fields in another form than name=value, twice or unknown; scopes with more or
// fewer parts than theirs, of another day than the date, or without aws4_request;
// key ids with a slash; payloads signed in chunks (STREAMING-*, with
// [core.CodePayloadUnsupported]); a session token for a key that has none, or one
// that is not signed. In the query it refuses a protocol parameter twice, in another
// spelling, or also as a header; and a validity that is absent or longer than a week.
//
// Some signers differ from the specification in details, and such requests are
// refused: smithy-go and minio-go sort the decoded names of parameters
// (a-b before a%2Fb), minio-go leaves the values of a repeated parameter as they
// stand, smithy-go keeps runs of blanks inside header values.
package sigv4
