package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A Request is one of those that everybody verifies.
type Request struct {
	Name string
	Body []byte
}

// Requests are get, with a path of 40 bytes, three parameters and five signed
// headers, and the same with bodies.
func Requests() []Request {
	return []Request{
		{"get", nil},
		{"post1KiB", bytes.Repeat([]byte("x"), 1<<10)},
		{"post64KiB", bytes.Repeat([]byte("x"), 64<<10)},
		{"post1MiB", bytes.Repeat([]byte("x"), 1<<20)},
	}
}

// The key that all sign with.
const (
	keyID   = "AKTESTAKTEST0001"
	secret  = "sktest-0123456789abcdef0123456789abcdef"
	region  = "cn-north-4"
	service = "apig"
	host    = "api.example.com"
	target  = "/v1/projects/0123456789abcdef/orders/420?limit=100&marker=abc&status=open"
)

// headers that are signed beside host and date.
var headers = []string{"content-type", "x-project-id", "x-request-id"}

// received is the request as a server has it, without credential.
func (q Request) received() *http.Request {
	method := http.MethodGet
	if q.Body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, "http://"+host+target, q.reader())
	if err != nil {
		panic(err)
	}
	r.RequestURI, r.Host = target, host
	r.URL.Scheme, r.URL.Host = "", ""
	r.GetBody = nil
	r.Body = q.body()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Project-Id", "0123456789abcdef")
	r.Header.Set("X-Request-Id", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	r.Header.Set("User-Agent", "bench")
	r.Header.Set("Accept", "application/json")
	return r
}

func (q Request) reader() io.Reader {
	if q.Body == nil {
		return nil
	}
	return bytes.NewReader(q.Body)
}

func (q Request) body() io.ReadCloser {
	if q.Body == nil {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(q.Body))
}

func (q Request) digest() string {
	sum := sha256.Sum256(q.Body)
	return hex.EncodeToString(sum[:])
}

// A Verify judges one request again, body included. It fails loudly.
type Verify func()

func key() core.Key {
	return core.Key{Name: "orders", ID: keyID, Secret: core.NewSecret(secret)}
}

func scopedKey() core.Key {
	k := key()
	k.Region, k.Service = region, service
	return k
}

// signer is what apig and sigv4 sign with.
type signer interface {
	Sign(r *http.Request, digest string, at time.Time) error
}

// gatewayauth verifies with a Verifier of its own.
func gatewayauth(scheme core.Scheme, s signer) func(Request) Verify {
	return func(q Request) Verify {
		v, err := core.New(core.Config{Environment: "bench", Schemes: []core.Scheme{scheme}, Default: "orders", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			panic(err)
		}
		r := q.received()
		if err := s.Sign(r, q.digest(), time.Now().UTC()); err != nil {
			panic(err)
		}
		reader := bytes.NewReader(q.Body)
		body := io.NopCloser(reader)
		return func() {
			if q.Body != nil {
				reader.Reset(q.Body)
				r.Body = body
			}
			if _, err := v.Verify(r); err != nil {
				panic(fmt.Sprint(r.Header, err))
			}
			core.Release(r)
		}
	}
}

// Who is one of those that are measured.
type Who struct {
	Name  string
	Setup func(Request) Verify
}

// Everybody lists them, the floor first.
func Everybody() []Who {
	flat, scoped := core.Keys(key()), core.Keys(scopedKey())
	return []Who{
		{"floor", floor},
		{"gatewayauth-hmac", gatewayauth(apig.New(apig.Config{Keys: flat}), apig.NewSigner(key(), apig.SignOptions{Headers: headers}))},
		{"gatewayauth-sigv4", gatewayauth(sigv4.New(sigv4.Config{Keys: scoped}), sigv4.NewSigner(scopedKey(), sigv4.SignOptions{Headers: headers}))},
		{"gatewayauth-v11", gatewayauth(apig.NewV11(apig.Config{Keys: scoped}), apig.NewV11Signer(scopedKey(), apig.SignOptions{Headers: headers}))},
		{"gatewayauth-sigv4a", gatewayauth(sigv4.NewA(sigv4.ConfigA{Keys: scoped}), sigv4.NewSignerA(scopedKey(), sigv4.SignOptions{Headers: headers}))},
	}
}
