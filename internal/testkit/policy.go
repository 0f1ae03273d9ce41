package testkit

import (
	"bufio"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// The keys of [Policy]: K1 has signed [P1], and User is the key of Basic credentials.
var (
	K1   = core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}
	K2   = core.Key{Name: "k2", ID: "OTHER", Secret: core.NewSecret("other-0123456789abcdef")}
	User = core.Key{Name: "user", ID: "basicuser", Secret: core.NewSecret("basic-pass-123")}
)

// P1 is a signed request as it is sent. Its signature was computed by other software.
const P1 = "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: 20260115T120000Z\r\n" +
	"Authorization: SDK-HMAC-SHA256 Access=AKTESTAKTEST0001, SignedHeaders=host;x-sdk-date, Signature=cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868\r\n\r\n"

// NoBody is the digest of an empty body.
const NoBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// HMAC returns the scheme SDK-HMAC-SHA256 with the keys.
func HMAC(keys ...core.Key) core.Scheme { return apig.New(apig.Config{Keys: core.Keys(keys...)}) }

// Policy returns a policy in which [K1] is bound to every API, after applying the changes.
func Policy(change ...func(*core.Config)) core.Config {
	c := core.Config{
		Environment: "prod",
		Schemes:     []core.Scheme{HMAC(K1, K2), basic.New(basic.Config{Keys: core.Keys(User)})},
		Default:     K1.Name,
		Now:         Now,
		Logger:      slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// Received returns the request that a server reads from raw.
func Received(t testing.TB, raw string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

// SignedBy returns a request to api.example.com with header lines ("Name: value"),
// signed with the key at [Now]. The options say which of the lines are signed.
func SignedBy(t testing.TB, key core.Key, method, target, body string, options apig.SignOptions, lines ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "api.example.com"
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return Sign(apig.NewSigner(key, options), r, body, Now())
}

// EachVector runs f as a subtest for every vector in the folder.
func EachVector(t *testing.T, folder string, f func(t *testing.T, file *vectors.File, v *vectors.Vector)) {
	files, err := vectors.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file.Scheme, func(t *testing.T) {
			for i := range file.Vectors {
				v := &file.Vectors[i]
				t.Run(v.Name, func(t *testing.T) { f(t, file, v) })
			}
		})
	}
}
