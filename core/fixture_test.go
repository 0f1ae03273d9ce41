package core_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
)

var (
	instant = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	k1      = core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}
	k2      = core.Key{Name: "k2", ID: "OTHER", Secret: core.NewSecret("other-0123456789abcdef")}
	user    = core.Key{Name: "user", ID: "basicuser", Secret: core.NewSecret("basic-pass-123")}
)

const p1 = "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\n" +
	"Authorization: SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868\r\n\r\n"

func hmacScheme(keys ...core.Key) core.Scheme { return apig.New(apig.Config{Keys: core.Keys(keys...)}) }

// config is a policy in which k1 signs for every API.
func config(change ...func(*core.Config)) core.Config {
	c := core.Config{
		Environment: "prod",
		Schemes:     []core.Scheme{hmacScheme(k1, k2), basic.New(basic.Config{Keys: core.Keys(user)})},
		Default:     "k1",
		Now:         func() time.Time { return instant },
		Logger:      slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func verifier(t *testing.T, change ...func(*core.Config)) *core.Verifier {
	t.Helper()
	v, err := core.New(config(change...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func jsonLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

func newReader(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }

func request(t *testing.T, raw string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(newReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// signed is a request to target that the key signed at the instant.
func signed(t *testing.T, key core.Key, method, target, body string, options apig.SignOptions, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "api.example.com"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	s := apig.NewSigner(key, options)
	digest := ""
	if h := s.NewHash(); h != nil {
		io.WriteString(h, body)
		digest = fmt.Sprintf("%x", h.Sum(nil))
	}
	if err := s.Sign(r, digest, instant); err != nil {
		t.Fatal(err)
	}
	return r
}

func wantCode(t *testing.T, err error, code core.Code) {
	t.Helper()
	if got := core.CodeOf(err); got != code {
		t.Errorf("got code %q (%v), want %q", got, err, code)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type sourceFunc func(context.Context, string) (*core.Key, error)

func (f sourceFunc) Key(ctx context.Context, id string) (*core.Key, error) { return f(ctx, id) }

// unread fails the test where a body is read that need not be.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }

func (u unread) Close() error { return nil }

// get is a request of the usual size: a path of 40 bytes, three parameters, and
// three signed headers beside host and date.
func get(t testing.TB, sign func(r *http.Request) error) *http.Request {
	r := httptest.NewRequest("GET", "/v1/projects/0123456789abcdef/orders/42?limit=100&marker=abc&status=open", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Project-Id": "0123456789abcdef",
		"X-Request-Id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "User-Agent": "test", "Accept": "application/json"} {
		r.Header.Set(name, value)
	}
	if err := sign(r); err != nil {
		t.Fatal(err)
	}
	return r
}

var further = []string{"content-type", "x-project-id", "x-request-id"}

const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// replaceIn changes the credential of r.
func replaceIn(r *http.Request, from, to string) {
	r.Header["Authorization"][0] = strings.Replace(r.Header["Authorization"][0], from, to, 1)
}
