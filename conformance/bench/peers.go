package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	sdkv4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/golang-jwt/jwt/v5"
	vendor "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/rclone/gofakes3/signature"
	"github.com/remitly-oss/httpsig-go"
	"github.com/remitly-oss/httpsig-go/keyman"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

var (
	errSignature = errors.New("another signature")
	errDate      = errors.New("another date")
	errBody      = errors.New("another body")
)

func huawei(q Request) *subject { return q.of(q.signed(NewSigner()), Huawei) }

// Huawei verifies a request as the vendor's samples for backends do: it signs the request
// again with the vendor's SDK and compares the signatures.
func Huawei(r *http.Request) error {
	if err := fresh(r.Header.Get("X-Sdk-Date")); err != nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	again := request.NewHttpRequestBuilder().WithEndpoint("http://"+r.Host).WithPath(r.URL.Path).
		WithMethod(r.Method).WithBody("", string(body))
	for name, values := range r.URL.Query() {
		again.AddQueryParam(name, reflect.ValueOf(values))
	}
	received := r.Header.Get("Authorization")
	for name, value := range signedHeaders(r, received) {
		again.AddHeaderParam(name, value)
	}
	added, err := vendor.Sign(again.Build(), keyID, secret)
	if err != nil {
		return err
	}
	return same(added["Authorization"], received)
}

// aws signs the request again with the vendor's SDK and compares the signatures.
func aws(q Request) *subject {
	s := sdkv4.NewSigner() // it caches derived keys
	credentials := sdk.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
	r := q.signed(sigv4.NewSigner(scopedKey(), sigv4.SignOptions{Headers: headers}))
	return q.of(r, func(r *http.Request) error {
		date := r.Header.Get("X-Amz-Date")
		if err := fresh(date); err != nil {
			return err
		}
		at, _ := time.Parse(dateFormat, date)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		url := *r.URL
		again := &http.Request{Method: r.Method, URL: &url, Host: r.Host, Header: http.Header{}}
		received := r.Header.Get("Authorization")
		for name, value := range signedHeaders(r, received) {
			if name != "Host" {
				again.Header.Set(name, value)
			}
		}
		sum := sha256.Sum256(body)
		if err := s.SignHTTP(context.Background(), credentials, again, hex.EncodeToString(sum[:]), service, region, at); err != nil {
			return err
		}
		return same(again.Header.Get("Authorization"), received)
	})
}

// gofakes3 is the verifier of rclone's S3 server, which comes from minio. It supports
// only the service s3, where the body's digest is declared; its callers compare that with
// the body.
func gofakes3(q Request) *subject {
	k := scopedKey()
	k.Service = "s3"
	r := q.signed(sigv4.NewSigner(k, sigv4.SignOptions{Headers: headers, Payload: core.PayloadDeclared}))
	lookup := func(id string) (string, bool) { return secret, id == keyID }
	return q.of(r, func(r *http.Request) error {
		if code := signature.V4SignVerifyWithLookup(r, lookup); code != signature.ErrNone {
			return errors.New(signature.GetAPIError(code).Code)
		}
		h := sha256.New()
		if _, err := io.Copy(h, r.Body); err != nil {
			return err
		}
		if hex.EncodeToString(h.Sum(nil)) != r.Header.Get("X-Amz-Content-Sha256") {
			return errBody
		}
		return nil
	})
}

// httpsigGo verifies a signature of RFC 9421 over the same parts of the request, with
// HMAC-SHA256 and, where there is a body, its Content-Digest.
func httpsigGo(q Request) *subject {
	fields := httpsig.Fields("@method", "@authority", "@path", "@query", "accept", "x-project-id", "x-request-id")
	if q.Body != nil {
		fields = append(fields, httpsig.Fields("content-digest")...)
	}
	metadata := []httpsig.Metadata{httpsig.MetaCreated, httpsig.MetaKeyID}
	r := q.Received()
	if q.Body != nil {
		r.Body = io.NopCloser(q.reader())
	}
	err := httpsig.Sign(r, httpsig.SigningProfile{Algorithm: httpsig.Algo_HMAC_SHA256, Fields: fields, Metadata: metadata},
		httpsig.SigningKey{Secret: []byte(secret), MetaKeyID: keyID})
	if err != nil {
		panic(err)
	}
	v, err := httpsig.NewVerifier(keyman.NewKeyFetchInMemory(map[string]httpsig.KeySpec{
		keyID: {KeyID: keyID, Algo: httpsig.Algo_HMAC_SHA256, Secret: []byte(secret)},
	}), httpsig.VerifyProfile{
		SignatureLabel: httpsig.DefaultSignatureLabel, AllowedAlgorithms: []httpsig.Algorithm{httpsig.Algo_HMAC_SHA256},
		RequiredFields: fields, RequiredMetadata: metadata, CreatedValidDuration: 15 * time.Minute,
	})
	if err != nil {
		panic(err)
	}
	return q.of(r, func(r *http.Request) error {
		_, err := v.Verify(r)
		return err
	})
}

// golangJWT verifies a bearer token, which covers nothing of the request. It is a
// reference point, for the request get only.
func golangJWT(q Request) *subject {
	if q.Body != nil {
		return nil
	}
	now := time.Now()
	claims := jwt.RegisteredClaims{Issuer: "https://auth.example.com/", Subject: "orders", Audience: jwt.ClaimStrings{host},
		ID: requestID, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(24 * time.Hour))}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		panic(err)
	}
	r := q.Received()
	r.Header.Set("Authorization", "Bearer "+token)
	other := "Bearer " + strings.Replace(token, ".", ".e30", 1)
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(claims.Issuer), jwt.WithAudience(host), jwt.WithExpirationRequired())
	find := func(*jwt.Token) (any, error) { return []byte(secret), nil }
	return &subject{
		verify: func() error {
			token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			_, err := parser.ParseWithClaims(token, new(jwt.RegisteredClaims), find)
			return err
		},
		changes: []func(){func() {
			sent := r.Header.Get("Authorization")
			r.Header.Set("Authorization", other)
			other = sent
		}},
	}
}

const dateFormat = "20060102T150405Z"

func fresh(date string) error {
	at, err := time.Parse(dateFormat, date)
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		return errDate
	}
	return nil
}

// signedHeaders returns the headers that the credential lists, with their values.
func signedHeaders(r *http.Request, credential string) map[string]string {
	_, list, _ := strings.Cut(credential, "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	found := make(map[string]string)
	for name := range strings.SplitSeq(list, ";") {
		if name == "host" {
			found["Host"] = r.Host
			continue
		}
		found[http.CanonicalHeaderKey(name)] = r.Header.Get(name)
	}
	return found
}

func same(computed, received string) error {
	if subtle.ConstantTimeCompare([]byte(computed), []byte(received)) != 1 {
		return errSignature
	}
	return nil
}
