// Package sigv4suite tests package sigv4 with AWS's own signing test suite: the signed
// requests of the aws-c-auth library, sent byte for byte.
//
// The suite is not part of this repository. The tests read it from the file
// aws-sigv4-suite.ndjson in the folder GATEWAYAUTH_VECTORS: one request per line, with
// its key and instant.
package sigv4suite
