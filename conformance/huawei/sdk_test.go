package huawei_test

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"

	"github.com/gatewayauth/gatewayauth/core"
)

// request is a request that an application passes to the SDK.
type request struct {
	method string // "" is GET
	path   string
	query  []parameter
	// headers are the entries of the SDK's map. Names may differ only in case.
	headers [][2]string
	// body is a string, which the SDK sends unchanged, or a value that it encodes.
	body        any
	contentType string // "" is none
	// host makes the SDK sign the Host header, which it does only if the application sets
	// that header.
	host bool
	// framing is how the body is sent; the SDK's signature does not depend on it.
	framing framing
}

type framing int

const (
	withLength framing = iota
	chunked
	chunkedByteByByte
)

// parameter is a query parameter: a string, or a value that the SDK sends as several
// parameters (slices) or with derived names (maps).
type parameter struct {
	name  string
	value any
}

// unsigned reports whether the SDK declares the body unsigned, which it does for all
// content types except JSON and BSON.
func (r *request) unsigned() bool {
	return r.contentType != "" && !strings.Contains(r.contentType, typeJSON) && !strings.Contains(r.contentType, typeBSON)
}

const (
	typeJSON  = "application/json"
	typeBSON  = "application/bson"
	typeForm  = "application/x-www-form-urlencoded"
	typeBytes = "application/octet-stream"
)

// policy returns the strictest policy that can accept r. The SDK does not sign Host
// unless the application sets it, so for such requests Host is not required.
func policy(r *request, scheme core.Scheme) core.Config {
	c := core.Config{
		Environment: "prod", Schemes: []core.Scheme{scheme}, Default: "orders",
		AllowUnsignedPayload: r.unsigned(),
	}
	if !r.host {
		c.RequireSigned = []string{}
	}
	return c
}

// build returns r as a request of the SDK.
func (r *request) build() *sdk.DefaultHttpRequest {
	b := sdk.NewHttpRequestBuilder().WithEndpoint("http://"+host).WithPath(r.path).
		WithMethod(r.method).WithBody("", r.body)
	for _, p := range r.query {
		b.AddQueryParam(p.name, reflect.ValueOf(p.value))
	}
	for _, h := range r.headers {
		b.AddHeaderParam(h[0], h[1])
	}
	if r.host {
		b.AddHeaderParam("Host", host)
	}
	if r.contentType != "" {
		b.AddHeaderParam("Content-Type", r.contentType)
	}
	return b.Build()
}

// signed returns the bytes that the SDK sends for r: the SDK signs r and converts it to
// an *http.Request, which net/http writes as its transport does.
func (r request) signed(t testing.TB, sign signFunc, ak, sk string) []byte {
	t.Helper()
	if r.method == "" {
		r.method = "GET"
	}
	built := r.build()
	added, err := sign(built, ak, sk)
	if err != nil {
		t.Fatalf("the SDK cannot sign the request: %v", err)
	}
	for name, value := range added {
		built.AddHeaderParam(name, value)
	}
	converted, err := built.ConvertRequest()
	if err != nil {
		t.Fatalf("the SDK cannot convert the request: %v", err)
	}
	if r.framing != withLength {
		converted.ContentLength = -1
	}
	if r.framing == chunkedByteByByte {
		converted.Body = io.NopCloser(iotest.OneByteReader(converted.Body))
	}
	var raw bytes.Buffer
	if err := converted.Write(&raw); err != nil {
		t.Fatalf("net/http cannot write the request: %v", err)
	}
	return raw.Bytes()
}

// sent returns the body that must arrive for r.
func (r *request) sent(t testing.TB) []byte {
	t.Helper()
	body, err := r.build().GetBodyToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return body.Bytes()
}

func (r *request) String() string {
	return fmt.Sprintf("%s %.60q query=%.80q headers=%.120q %s", r.method, r.path, fmt.Sprint(r.query), r.headers, r.contentType)
}
