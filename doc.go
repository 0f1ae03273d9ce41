// Package gatewayauth is the root of a library with which a Go backend verifies
// that a request came through its API gateway, unchanged, signed with the key
// bound to that API in that environment. This package has no code:
//
//   - package core is the verifier, its policy, and the manual;
//   - core/apig, core/apig/sm, core/sigv4, core/basic, core/aescfb and core/token
//     are the schemes;
//   - core/config reads the environments file;
//   - nethttp, echoauth (Echo v4), echoauth/v5, ginauth and grpcauth put the verifier in
//     front of handlers;
//   - core/signer signs requests as the gateway does, for tests and local development;
//   - core/coretest tests adapters, including your own.
package gatewayauth
