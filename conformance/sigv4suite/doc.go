// Package sigv4suite tries package sigv4 with AWS's own signing test suite: the
// requests that the aws-c-auth library ships as expected results of signing,
// sent byte for byte.
//
// The suite is not part of this repository. The tests read it from the file
// aws-sigv4-suite.ndjson in the folder that GATEWAYAUTH_VECTORS names: one
// request a line, with the key and the instant that it is for.
package sigv4suite
