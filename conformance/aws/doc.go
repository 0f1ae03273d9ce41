// Package aws tests package sigv4 with requests signed by three Go libraries:
// github.com/aws/aws-sdk-go-v2 (aws/signer/v4), AWS's own SDK;
// github.com/aws/smithy-go/aws-http-auth, its signers for other clients, of
// SigV4 and SigV4a; and github.com/minio/minio-go/v7 (pkg/signer), a client of
// S3. Each puts the credential into the header and into the query.
package aws
