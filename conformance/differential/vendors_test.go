package differential_test

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	sdkv4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	smithy "github.com/aws/smithy-go/aws-http-auth/sigv4"
	smithya "github.com/aws/smithy-go/aws-http-auth/sigv4a"
	smithyv4 "github.com/aws/smithy-go/aws-http-auth/v4"
	huawei "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	huaweirequest "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
)

// signedByVendor returns a message that the vendor's SDK has signed for the key of a
// world: huaweicloud-sdk-go-v3, aws-sdk-go-v2 or smithy-go. It returns nil for keys that
// no SDK here signs with (aksk, aes, basic), and for messages that the SDK does not take.
func (d dice) signedByVendor(w *world) *message {
	k := w.key
	if k.typ == "aksk" || k.typ == "aes" || k.typ == "basic" {
		return nil
	}
	m := d.unsigned(k)
	at := now.Add(time.Duration(pick(d, dates)) * time.Second)
	ok := false
	if k.aws() {
		ok = d.signAWS(k, m, at)
	} else {
		ok = d.signHuawei(k, m, at)
	}
	if !ok {
		return nil
	}
	d.afterSigning(w, m)
	return m
}

// signHuawei gives the SDK the decoded target and the headers of a message. It sends one
// line of a header.
func (d dice) signHuawei(k *key, m *message, at time.Time) bool {
	b := huaweirequest.NewHttpRequestBuilder().WithEndpoint("http://"+strings.Join(m.values("Host"), "")).
		WithPath(decode(m.path, false)).WithMethod(m.method).WithBody("", m.body)
	query := map[string][]string{}
	for piece := range strings.SplitSeq(m.query, "&") {
		if piece != "" {
			name, value, _ := strings.Cut(piece, "=")
			name = decode(name, true)
			query[name] = append(query[name], decode(value, true))
		}
	}
	for name, values := range query {
		b.AddQueryParam(name, reflect.ValueOf(values))
	}
	seen := map[string]bool{}
	m.lines = slices.DeleteFunc(m.lines, func(l line) bool {
		name := strings.ToLower(l.name)
		twice := seen[name]
		seen[name] = true
		return twice || slices.Contains(unsignable, name) && name != "transfer-encoding" || name == "x-sdk-date"
	})
	for _, l := range m.lines {
		if !strings.EqualFold(l.name, "Transfer-Encoding") && !(strings.EqualFold(l.name, "Content-Length") && d.one(2)) {
			b.AddHeaderParam(l.name, m.values(l.name)[0])
		}
	}
	b.AddHeaderParam("X-Sdk-Date", at.UTC().Format(timestamp))
	built := b.Build()
	var added map[string]string
	var err error
	switch k.typ {
	case "hmac":
		added, err = huawei.Signer{}.Sign(built, k.id, k.secret)
	case "v11":
		added, err = huawei.DerivedSigner{}.Sign(built, k.id, k.secret, k.service, k.region)
	case "hmac-sm3":
		added, err = huawei.SM3Signer{}.Sign(built, k.id, k.secret)
	case "ecdsa-p256":
		added, err = huawei.P256SHA256Signer{}.Sign(built, k.id, k.secret)
	case "sm2":
		added, err = huawei.SM2SM3Signer{}.Sign(built, k.id, k.secret)
	}
	if err != nil {
		return false
	}
	if digest, ok := built.GetHeaderParams()[k.digestHeader()]; ok && !m.has(k.digestHeader()) { // UNSIGNED-PAYLOAD
		m.insert(d, line{k.digestHeader(), " " + digest})
	}
	for _, name := range []string{"X-Sdk-Date", "Authorization"} {
		m.insert(d, line{name, " " + added[name]})
	}
	return true
}

// signAWS signs with aws-sdk-go-v2 or smithy-go, in the header or in the query.
func (d dice) signAWS(k *key, m *message, at time.Time) bool {
	u, err := url.Parse("http://api.example.com" + m.target())
	if err != nil || m.path == "*" {
		return false
	}
	presigned := d.one(3)
	if presigned {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += "X-Amz-Expires=" + pick(d, []string{"60", "900", "604800"})
	}
	for _, name := range slices.Concat(unsignable, []string{"x-amz-date", "date", "x-amz-security-token", "x-amz-region-set"}) {
		if name != "transfer-encoding" {
			m.remove(name)
		}
	}
	r := &http.Request{Method: m.method, URL: u, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(m.body)), ContentLength: int64(len(m.body))}
	if m.has("Transfer-Encoding") {
		r.ContentLength = -1
	}
	for _, l := range m.lines {
		switch name := http.CanonicalHeaderKey(l.name); name {
		case "Host", "Content-Length", "Transfer-Encoding":
		default:
			r.Header[name] = m.values(l.name)
		}
	}
	if hosts := m.values("Host"); len(hosts) > 0 {
		r.Host = hosts[0]
	}
	digest := k.sum(m.body)
	declared := d.one(2)
	if declared {
		r.Header.Set("X-Amz-Content-Sha256", digest)
	} else {
		r.Header.Del("X-Amz-Content-Sha256")
	}
	if k.typ == "sigv4a" || d.one(2) {
		err = signSmithy(k, r, digest, presigned, at)
	} else {
		err = signSDK(k, r, digest, presigned, at)
	}
	if err != nil {
		return false
	}
	m.path, m.query, m.mark = r.URL.EscapedPath(), r.URL.RawQuery, r.URL.RawQuery != ""
	if m.path == "" {
		m.path = "/"
	}
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Region-Set", "X-Amz-Content-Sha256"} {
		m.remove(name)
		for _, value := range r.Header[name] {
			m.insert(d, line{name, " " + value})
		}
	}
	return true
}

func signSDK(k *key, r *http.Request, digest string, presigned bool, at time.Time) error {
	s := sdkv4.NewSigner(func(o *sdkv4.SignerOptions) { o.DisableURIPathEscaping = k.paths == "s3" })
	c := sdk.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.session}
	if !presigned {
		return s.SignHTTP(context.Background(), c, r, digest, k.service, k.region, at)
	}
	if k.service == "s3" && r.Header.Get("X-Amz-Content-Sha256") == "" {
		digest = "UNSIGNED-PAYLOAD"
	}
	link, signed, err := s.PresignHTTP(context.Background(), c, r, digest, k.service, k.region, at)
	if err != nil {
		return err
	}
	for _, name := range []string{"X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} { // moved into the query
		r.Header.Del(name)
		if values := signed.Values(name); len(values) > 0 {
			r.Header[name] = values
		}
	}
	r.URL, err = url.Parse(link)
	return err
}

func signSmithy(k *key, r *http.Request, digest string, presigned bool, at time.Time) error {
	sum, err := hex.DecodeString(digest)
	if err != nil {
		return err
	}
	if presigned && k.paths == "s3" && r.Header.Get("X-Amz-Content-Sha256") == "" {
		sum = []byte("UNSIGNED-PAYLOAD")
	}
	options := func(o *smithyv4.SignerOptions) {
		o.DisableDoublePathEscape = k.paths == "s3"
		o.HeaderRules = everything{}
	}
	form := smithyv4.SignatureTypeHeader
	if presigned {
		form = smithyv4.SignatureTypeQueryString
	}
	c := credentials.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret, SessionToken: k.session}
	if k.typ == "sigv4a" {
		return smithya.New(options).SignRequest(&smithya.SignRequestInput{Request: r, PayloadHash: sum, Credentials: c,
			Service: k.service, RegionSet: []string{k.region}, Time: at, SignatureType: form})
	}
	return smithy.New(options).SignRequest(&smithy.SignRequestInput{Request: r, PayloadHash: sum, Credentials: c,
		Service: k.service, Region: k.region, Time: at, SignatureType: form})
}

// everything signs all headers but those that the framing changes.
type everything struct{}

func (everything) IsSigned(name string) bool {
	return !slices.Contains(unsignable, name) && name != "content-length"
}
