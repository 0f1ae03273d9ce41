// Package awstools tests SigV4 and SigV4a with requests signed by tools and small
// signers: curl, the AWS command line, and from npm (in the folder node) aws4, aws4fetch,
// @smithy/signature-v4 and @smithy/signature-v4a. If their signatures deviate from the
// published algorithm, the tests describe the deviation and check that the request is
// refused.
package awstools
