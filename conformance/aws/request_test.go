package aws_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const (
	keyID  = "AKIDCONFORM0001"
	secret = "wJalrXUtnFEMI+K7MDENG+bPxRfiCYEXAMPLEKEY"
	region = "eu-west-1"
	host   = "api.example.com"
)

// request is a request that an application passes to a signer.
type request struct {
	method string // "" is GET
	// target is the path and the query of the URL, unchanged.
	target string
	host   string // "" is the constant
	// headers may repeat, and are sent in this case.
	headers [][2]string
	body    string
	payload payload
	framing framing
	token   string // session token
	age     time.Duration
	expires string // of a credential in the query; "" is 600
	// narrow makes smithy-go sign only its default headers, host and x-amz-*. Otherwise it
	// signs all headers, as the other signers do.
	narrow bool
	region string // "" is the constant
}

// payload is the kind of payload line.
type payload int

const (
	hashed   payload = iota // its hash, undeclared
	declared                // its digest, in x-amz-content-sha256
	unsigned                // UNSIGNED-PAYLOAD, in x-amz-content-sha256
)

type framing int

const (
	withLength framing = iota
	chunked
	chunkedByteByByte
)

const unsignedValue = "UNSIGNED-PAYLOAD"

// build returns the unsigned request of the application.
func (r *request) build(t testing.TB) *http.Request {
	t.Helper()
	u, err := url.Parse("http://" + cmp.Or(r.host, host) + r.target)
	if err != nil {
		t.Fatal(err)
	}
	built, err := http.NewRequest(r.method, u.String(), strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	built.URL = u // as parsed from the original text
	for _, h := range r.headers {
		built.Header[h[0]] = append(built.Header[h[0]], h[1])
	}
	r.frame(built)
	return built
}

// frame sets how the body is sent. The headers for that may be signed.
func (r *request) frame(built *http.Request) {
	switch r.framing {
	case chunked:
		built.Body, built.ContentLength = io.NopCloser(strings.NewReader(r.body)), -1
	case chunkedByteByByte:
		built.Body, built.ContentLength = io.NopCloser(iotest.OneByteReader(strings.NewReader(r.body))), -1
	}
}

// digest returns the SHA-256 of the body.
func (r *request) digest() []byte {
	sum := sha256.Sum256([]byte(r.body))
	return sum[:]
}

// line returns the payload line of the canonical request if v signs r.
func (r *request) line(v *variant) string {
	if v.unsigned(r) {
		return unsignedValue
	}
	return hex.EncodeToString(r.digest())
}

// at returns the instant that r is signed for.
func (r *request) at() time.Time { return time.Now().Add(-r.age) }

// expire adds X-Amz-Expires to the query, which most signers leave to the application.
func (r *request) expire(built *http.Request) {
	if built.URL.RawQuery != "" {
		built.URL.RawQuery += "&"
	}
	built.URL.RawQuery += "X-Amz-Expires=" + cmp.Or(r.expires, "600")
}

// written returns the bytes that net/http sends for a request.
func written(t testing.TB, signed *http.Request) []byte {
	t.Helper()
	var raw bytes.Buffer
	if err := signed.Write(&raw); err != nil {
		t.Fatalf("net/http cannot write the request: %v", err)
	}
	return raw.Bytes()
}

func (r *request) String() string {
	return fmt.Sprintf("%s %.80q host=%s headers=%.200q payload=%d framing=%d token=%q", r.method, r.target, r.host, r.headers, r.payload, r.framing, r.token)
}
