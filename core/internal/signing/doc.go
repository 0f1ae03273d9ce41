// Package signing is the one implementation of all schemes that sign a canonical
// request: those of packages apig, apig/sm and sigv4. It parses a credential in the
// Authorization header or the query, verifies it, shows canonical request and
// string to sign for diagnosis, and signs. The wire formats are described in
// docs/protocols.md.
//
// A request goes through these steps, each in the file of its name:
//
//	parse.go      Authorization header -> core.Credential
//	front.go      what stands in front of the signature there, which is remembered
//	query.go      parameters of the query -> core.Credential
//	scope.go      id/date/region/service/terminator
//	regionset.go  the header that takes the region's place in SigV4a
//	verify.go     canonical request -> string to sign -> signature
//	sign.go       the same for outgoing requests; presign.go for the query
//
// What differs is data. A [Protocol] is what the schemes of one vendor share:
// names of headers and parameters, form of the canonical request, texts of
// refusals. An [Algorithm] is one scheme: its identifier, scope, hash, and the function
// that derives its key. [Rules] are what the owner of a verifier configures for
// single keys.
//
// # Adding a key type
//
// A new scheme of this kind is an [Algorithm] in the package of its vendor (a new
// package beside core/sigv4 for a new vendor), with a function that calls [New] and
// one that calls [NewSigner]: see package core/apig, file apig.go. Write
//
//   - the Algorithm: identifier, hash, bounds of the signature's length, scope. Key or
//     ScopedKey derives the key from the secret; what it returns signs and verifies
//     a string ([MAC], [P256] or [Asymmetric]).
//   - for another vendor, the Protocol as well. Only a step of the protocol that no
//     other one has needs code here, with a field of Protocol or Algorithm that
//     turns it on.
//   - tests: a signature that another implementation made, a row in the table of
//     the package's round trips, and the refusals of its own.
//
// A scheme that signs no canonical request implements [core.Scheme] itself; see
// packages core/basic and core/token. So does core/aescfb, whose users may define the
// string to sign: it takes single steps from this package.
//
// Beside the package, these places know a key type:
//
//   - core/config: a row in the table of key types: the name in the environments
//     file, the fields of a key, and the calls of the package's New and NewSigner.
//   - cmd/gatewayauth: the list of schemes that explain reads without a file.
//   - the tables of key types in docs/configuration.md, README.md and docs/protocols.md, and
//     CHANGELOG.md.
//
// Nothing in the adapters changes, and nothing in core for a protocol whose headers are
// those of the SDK-* schemes or of SigV4. Another header that declares a digest is added
// in core (digestHeaders, steeringProtocol) and in core/explain (isDigest); another prefix
// also to the protocol prefixes and the parameters that make a query a credential, and in
// core/internal/outgoing, which signs such headers. Hashes have 32 bytes ([DigestSize]):
// another size changes Algorithm.Sum, [ParsePayload] and package lowerhex.
//
// The tests that run over all schemes take them from tables, in which a new one gets a
// row: internal/testkit/schemes.go, internal/vectors with conformance/vectors, the
// examples backend and quickstart, and core/explain/random_requests_test.go.
package signing
