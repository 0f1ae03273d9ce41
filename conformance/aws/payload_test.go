package aws_test

import (
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	sdkv4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	smithyv4 "github.com/aws/smithy-go/aws-http-auth/v4"
	minio "github.com/minio/minio-go/v7/pkg/signer"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// seekable is a body that smithy-go hashes itself.
type seekable struct{ *strings.Reader }

func (seekable) Close() error { return nil }

// smithyLeft returns a signer that leaves the payload line to smithy-go, with this kind
// of body.
func smithyLeft(body func(text string) io.ReadCloser, options ...smithyv4.SignerOption) sign {
	return func(t testing.TB, v *variant, r *request) *http.Request {
		t.Helper()
		built := r.build(t)
		built.Body = body(r.body)
		return smithySignHash(t, v, r, built, nil, options)
	}
}

func seeks(text string) io.ReadCloser { return seekable{strings.NewReader(text)} }
func flows(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }

// closable is a hash with the Close method that minio-go needs.
type closable struct{ hash.Hash }

func (closable) Close() {}

// lacking signs with minio-go a request for which the application has not set
// x-amz-content-sha256.
func lacking(t testing.TB, v *variant, r *request) *http.Request {
	t.Helper()
	return minio.SignV4(*r.build(t), keyID, secret, "", region)
}

// TestPayloadLine: signers that determine the payload line themselves.
func TestPayloadLine(t *testing.T) {
	for _, tt := range []struct {
		variants, name, why string
		sign                sign
		want                core.Code
	}{
		{"smithy*/header/* smithy*/query/normalized", "body that seeks", "hashed by the signer", smithyLeft(seeks), ""},
		{"smithy*/header/* smithy*/query/normalized", "body that does not seek",
			"such as any of http.NewRequest: UNSIGNED-PAYLOAD is signed, and the request does not declare it", smithyLeft(flows), mismatch},
		{"smithy*/query/s3", "body that does not seek", "UNSIGNED-PAYLOAD is signed, which need not be declared for S3 with a credential in the query", smithyLeft(flows), ""},
		{"smithy*/header/* smithy*/query/normalized", "hashing switched off",
			"UNSIGNED-PAYLOAD is signed, and the request does not declare it", smithyLeft(seeks, func(o *smithyv4.SignerOptions) { o.DisableImplicitPayloadHashing = true }), mismatch},
		{"smithy*/*/*", "empty payload line", "for CodeCommit, which has an algorithm of its own",
			smithyLeft(flows, func(o *smithyv4.SignerOptions) { o.DisableUnsignedPayloadSentinel = true }), mismatch},
		{"smithy*/*/*", "date without Z", "for CodeCommit, which has an algorithm of its own",
			smithySign(func(o *smithyv4.SignerOptions) { o.CanonicalTimeFormat = "20060102T150405" }), malformed},
		{"minio/header/s3", "header absent", "UNSIGNED-PAYLOAD is signed, and the request does not declare it", lacking, mismatch},
		{"minio/header/s3", "signed in chunks", "bodies in chunks with a signature each are not supported",
			func(t testing.TB, v *variant, r *request) *http.Request {
				built := r.build(t)
				return minio.StreamingSignV4(built, keyID, secret, "", region, int64(len(r.body)), time.Now(), closable{sha256.New()})
			}, core.CodePayloadUnsupported},
		{"minio/header/s3", "checksum in a trailer", "STREAMING-UNSIGNED-PAYLOAD-TRAILER leaves the body unsigned, and trailers are not verified",
			func(t testing.TB, v *variant, r *request) *http.Request {
				built := r.build(t)
				built.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
				return minio.SignV4Trailer(*built, keyID, secret, "", region, http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}})
			}, core.CodePayloadUnsupported},
		{"sdk/header/*", "streaming word", "the SDK signs any text without a check", sdkWord("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), core.CodePayloadUnsupported},
		{"sdk/header/*", "another word", "the SDK signs any text without a check; if it were accepted, the body would be unsigned", sdkWord("unsigned-payload"), malformed},
		{"sdk/header/*", "no token", "the SDK can leave it to the application", sdkWithoutToken, mismatch},
		{"sdk/header/*", "length signed, body sent in chunks", "a server sees no length", sdkChunkedAfterwards, notSigned},
		{"sdk/header/*", "URL.Opaque", "as the SDK's documentation advises; net/http then sends the target in absolute form", sdkOpaque, ambiguous},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range variants {
				if !on(t, tt.variants, &v) {
					continue
				}
				t.Run(v.name, func(t *testing.T) {
					r := request{method: "PUT", target: "/v1/items", body: "body"}
					key := v.key(&r)
					if tt.name == "no token" {
						key.SessionToken = core.NewSecret("token")
					}
					policy := v.policy(&r, key)
					policy.AllowUnsignedPayload = true // so that this setting is not the reason for a refusal
					v.sign = tt.sign
					backend, raw := wire.Start(t, policy), v.signed(t, r)
					if tt.want != "" {
						backend.Refuse(t, raw, tt.want)
					} else if id := backend.Accept(t, raw); id.Covers().Body == v.unsigned(&r) {
						t.Errorf("got payload %v", id.Payload())
					}
					if t.Failed() {
						t.Logf("want %q: %s", tt.want, tt.why)
					}
				})
			}
		})
	}
}

// sdkSigned signs the request of an application with this payload line.
func sdkSigned(t testing.TB, v *variant, built *http.Request, line, token string, options ...func(*sdkv4.SignerOptions)) *http.Request {
	t.Helper()
	s := sdkv4.NewSigner(append(options, func(o *sdkv4.SignerOptions) { o.DisableURIPathEscaping = v.service == "s3" })...)
	key := sdk.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: token}
	if err := s.SignHTTP(t.Context(), key, built, line, v.service, region, time.Now()); err != nil {
		t.Fatal(err)
	}
	return built
}

func sdkWord(word string) sign {
	return func(t testing.TB, v *variant, r *request) *http.Request {
		built := r.build(t)
		built.Header.Set("X-Amz-Content-Sha256", word)
		return sdkSigned(t, v, built, word, "")
	}
}

func sdkWithoutToken(t testing.TB, v *variant, r *request) *http.Request {
	return sdkSigned(t, v, r.build(t), r.line(v), "token", func(o *sdkv4.SignerOptions) { o.DisableSessionToken = true })
}

func sdkChunkedAfterwards(t testing.TB, v *variant, r *request) *http.Request {
	signed := sdkSigned(t, v, r.build(t), r.line(v), "")
	signed.ContentLength = -1
	return signed
}

func sdkOpaque(t testing.TB, v *variant, r *request) *http.Request {
	built := r.build(t)
	built.URL.Opaque = "//" + host + built.URL.Path
	return sdkSigned(t, v, built, r.line(v), "")
}
