// Package gatewayauth is the root of a library that lets a Go backend prove
// that a request came through its API gateway, unchanged, signed with the key
// bound to that API in that environment. It holds no code:
//
//   - package core is the verifier, its policy, and the manual;
//   - core/apig, core/apig/sm, core/sigv4, core/basic, core/aescfb and core/token
//     are the schemes;
//   - core/config reads the environments file;
//   - nethttp, echoauth, ginauth and grpcauth put the verifier in front of
//     handlers;
//   - core/signer signs as the gateway does, for tests and local work;
//   - core/coretest tests adapters, also your own.
package gatewayauth
