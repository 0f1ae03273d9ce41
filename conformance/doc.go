// Package conformance tries the verifier with requests that the vendors' own
// software has signed, over real sockets. It is a module of its own, so that
// the weight of that software stays out of the library's dependencies.
//
// Most folders below it are one vendor each. A test there shows three things: what the
// vendor signs is accepted and reaches the handler byte for byte; the same
// request with one byte changed is refused; and where vendor and specification
// part, the request is refused for the reason that the test names.
//
// Folder vectors has the program that writes the published test vectors, folder soak one
// that runs all adapters for as long as you like.
//
// Some tests run programs that a machine may lack: they log which and return,
// unless GATEWAYAUTH_E2E=1 is set, and then they fail.
package conformance
