// Package awstools tries SigV4 and SigV4a with requests signed by tools and
// small signers: curl, the AWS command line, and from npm (in the folder node)
// aws4, aws4fetch, @smithy/signature-v4 and @smithy/signature-v4a. Where their
// signatures stray from the published algorithm, the tests name how, and
// demand the refusal.
package awstools
