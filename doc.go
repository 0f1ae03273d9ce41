// Package gatewayauth is the root of a library that lets a Go backend prove
// that a request came through its API gateway, unchanged, signed with the key
// bound to that API in that environment. It holds no code:
//
//   - package core is the verifier, its policy, and the manual;
//   - core/apig and core/basic are the schemes that gateways sign with;
//   - core/config reads the environments file;
//   - nethttp puts the verifier in front of net/http handlers;
//   - core/signer signs as the gateway does, for tests and local work;
//   - core/coretest tests adapters, also your own.
package gatewayauth
