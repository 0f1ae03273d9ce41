package aws_test

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	sdkv4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	smithy "github.com/aws/smithy-go/aws-http-auth/sigv4"
	smithya "github.com/aws/smithy-go/aws-http-auth/sigv4a"
	smithyv4 "github.com/aws/smithy-go/aws-http-auth/v4"
	minio "github.com/minio/minio-go/v7/pkg/signer"
)

// declare sets x-amz-content-sha256 if r declares its payload.
func declare(v *variant, r *request, built *http.Request) {
	if r.payload == declared || r.payload == unsigned {
		built.Header.Set("X-Amz-Content-Sha256", r.line(v))
	}
}

// sdkSign returns a sign that uses aws-sdk-go-v2.
func sdkSign(options ...func(*sdkv4.SignerOptions)) sign {
	return func(t testing.TB, v *variant, r *request) *http.Request {
		t.Helper()
		built := r.build(t)
		declare(v, r, built)
		s := sdkv4.NewSigner(append(options, func(o *sdkv4.SignerOptions) { o.DisableURIPathEscaping = v.service == "s3" })...)
		key := sdk.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: r.token}
		if !v.presigned {
			if err := s.SignHTTP(t.Context(), key, built, r.line(v), v.service, cmp.Or(r.region, region), r.at()); err != nil {
				t.Fatal(err)
			}
			return built
		}
		if r.expires != "none" {
			r.expire(built)
		}
		link, signed, err := s.PresignHTTP(t.Context(), key, built, r.line(v), v.service, cmp.Or(r.region, region), r.at())
		if err != nil {
			t.Fatal(err)
		}
		// The request of a client that has the link and knows the headers.
		used, err := http.NewRequest(r.method, link, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		r.frame(used)
		used.Host = signed.Get("Host")
		used.Header = signed
		return used
	}
}

// smithySign returns a sign that uses smithy-go's aws-http-auth, for SigV4 or SigV4a.
func smithySign(options ...smithyv4.SignerOption) sign {
	return func(t testing.TB, v *variant, r *request) *http.Request {
		t.Helper()
		return smithySignHash(t, v, r, r.build(t), []byte(r.line(v)), options)
	}
}

// smithySignHash signs with this payload line; nil leaves it to the signer.
func smithySignHash(t testing.TB, v *variant, r *request, built *http.Request, line []byte, options []smithyv4.SignerOption) *http.Request {
	t.Helper()
	options = append([]smithyv4.SignerOption{func(o *smithyv4.SignerOptions) {
		o.DisableDoublePathEscape = v.service == "s3"
		o.AddPayloadHashHeader = r.payload != hashed
		if !r.narrow {
			o.HeaderRules = everything{}
		}
	}}, options...)
	if len(line) > 0 && string(line) != unsignedValue {
		line = r.digest()
	}
	form := smithyv4.SignatureTypeHeader
	if v.presigned {
		form = smithyv4.SignatureTypeQueryString
		if r.expires != "none" {
			r.expire(built)
		}
	}
	key := credentials.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: r.token}
	var err error
	if v.asymmetric {
		err = smithya.New(options...).SignRequest(&smithya.SignRequestInput{
			Request: built, PayloadHash: line, Credentials: key, Service: v.service,
			RegionSet: strings.Split(cmp.Or(r.region, region), ","), Time: r.at(), SignatureType: form,
		})
	} else {
		err = smithy.New(options...).SignRequest(&smithy.SignRequestInput{
			Request: built, PayloadHash: line, Credentials: key, Service: v.service,
			Region: cmp.Or(r.region, region), Time: r.at(), SignatureType: form,
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// everything signs all headers except those that net/http writes itself.
type everything struct{}

func (everything) IsSigned(name string) bool {
	switch name {
	case "authorization", "user-agent", "content-length", "transfer-encoding":
		return false
	}
	return true
}

// minioSign signs as the client of minio-go does: with the credential in the header, the
// body is always declared.
func minioSign(t testing.TB, v *variant, r *request) *http.Request {
	t.Helper()
	built := r.build(t)
	if v.presigned {
		declare(v, r, built)
		seconds, err := strconv.ParseInt(cmp.Or(r.expires, "600"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return minio.PreSignV4(*built, keyID, secret, r.token, cmp.Or(r.region, region), seconds)
	}
	built.Header.Set("X-Amz-Content-Sha256", r.line(v))
	return minio.SignV4(*built, keyID, secret, r.token, cmp.Or(r.region, region))
}

// minioSTS signs as minio-go does to get temporary keys: the hash of the body is signed
// without being declared.
func minioSTS(t testing.TB, v *variant, r *request) *http.Request {
	t.Helper()
	built := r.build(t)
	built.Header.Set("X-Amz-Content-Sha256", r.line(v))
	return minio.SignV4STS(*built, keyID, secret, cmp.Or(r.region, region))
}
