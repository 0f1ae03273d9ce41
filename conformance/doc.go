// Package conformance tests the verifier with requests that the vendors' own software has
// signed, over real sockets. It is a separate module, so that the library does not depend
// on that software.
//
// Most folders are for one vendor each. A test there shows three things: requests of the
// vendor's software are accepted and reach the handler byte for byte; the same requests
// with one byte changed are refused; and if the software deviates from the specification,
// the request is refused for the reason that the test gives.
//
// Other folders do not lean on the library's own view. Folder reference is a second
// verifier, and differential compares it with the library; mutation counts which small
// faults of a package no test notices; soak runs all adapters for as long as you like.
// Folder vectors has the program that writes the published test vectors.
//
// Some tests run programs that may not be installed. They are then skipped and log the
// program; with GATEWAYAUTH_E2E=1 they fail. See package internal/needs.
package conformance
