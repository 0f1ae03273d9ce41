package bench

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
)

// A Request is a kind of request that all contenders verify.
type Request struct {
	Name   string
	Body   []byte
	Target string // empty for that of get
}

// Requests returns get, with a path of 40 bytes, three parameters and five signed
// headers, and the same with bodies.
func Requests() []Request {
	return []Request{
		{Name: "get"},
		{Name: "post1KiB", Body: bytes.Repeat([]byte("x"), 1<<10)},
		{Name: "post64KiB", Body: bytes.Repeat([]byte("x"), 64<<10)},
		{Name: "post1MiB", Body: bytes.Repeat([]byte("x"), 1<<20)},
	}
}

// The key of all signers.
const (
	keyID   = "AKTESTAKTEST0001"
	secret  = "sktest-0123456789abcdef0123456789abcdef"
	region  = "cn-north-4"
	service = "apig"
	host    = "api.example.com"
	target  = "/v1/projects/0123456789abcdef/orders/420?limit=100&marker=abc&status=open"
)

// headers are the signed headers besides host and date. Huawei's SDK does not sign
// Content-Type.
var headers = []string{"accept", "x-project-id", "x-request-id"}

// Received returns the request as a server receives it, without a credential.
func (q Request) Received() *http.Request {
	method := http.MethodGet
	if q.Body != nil {
		method = http.MethodPost
	}
	requested := cmp.Or(q.Target, target)
	r, err := http.NewRequest(method, "http://"+host+requested, q.reader())
	if err != nil {
		panic(err)
	}
	r.RequestURI, r.Host = requested, host
	r.URL.Scheme, r.URL.Host = "", ""
	r.GetBody = nil
	r.Body = http.NoBody
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Project-Id", "0123456789abcdef")
	r.Header.Set("X-Request-Id", requestID)
	r.Header.Set("User-Agent", "bench")
	r.Header.Set("Accept", "application/json")
	return r
}

const requestID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

func (q Request) reader() io.Reader {
	if q.Body == nil {
		return nil
	}
	return bytes.NewReader(q.Body)
}

func (q Request) digest() string {
	sum := sha256.Sum256(q.Body)
	return hex.EncodeToString(sum[:])
}

// changes returns a change that flips a bit of the body, if there is one.
func (q Request) changes() (all []func()) {
	if q.Body != nil {
		all = append(all, func() { q.Body[len(q.Body)/2] ^= 1 })
	}
	return all
}

// of returns the subject for the signed request r, with a new reader of its body for each
// verification.
func (q Request) of(r *http.Request, judge func(*http.Request) error) *subject {
	reader := bytes.NewReader(q.Body)
	body := io.NopCloser(reader)
	other := "6ba7b810-9dad-11d1-80b4-00c04fd430c9"
	return &subject{
		verify: func() error {
			if q.Body != nil {
				reader.Reset(q.Body)
				r.Body = body
			}
			return judge(r)
		},
		changes: append(q.changes(), func() {
			sent := r.Header.Get("X-Request-Id")
			r.Header.Set("X-Request-Id", other)
			other = sent
		}),
	}
}

// Head returns the bytes of the request before its body.
func (q Request) Head(r *http.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.RequestURI, r.Host)
	r.Header.Write(&b)
	if q.Body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(q.Body))
	}
	b.WriteString("\r\n")
	return b.Bytes()
}
