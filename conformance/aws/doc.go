// Package aws tries package sigv4 with requests signed by three Go libraries:
// github.com/aws/aws-sdk-go-v2 (aws/signer/v4), AWS's own SDK;
// github.com/aws/smithy-go/aws-http-auth, its signers for other clients, of
// SigV4 and SigV4a; and github.com/minio/minio-go/v7 (pkg/signer), a client of
// S3. Each signs in its header and in its query form.
package aws
