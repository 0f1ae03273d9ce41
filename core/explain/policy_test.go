package explain_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/basic"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
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

// eachVector runs f over all published vectors.
func eachVector(t *testing.T, f func(t *testing.T, file *vectors.File, v *vectors.Vector)) {
	files, err := vectors.Load(os.DirFS("../testdata/vectors"))
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

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sorted takes the order of the parameters out of a canonical request: vendors'
// signers know two, and the verifier shows the first.
func sorted(canonicalRequest string) string {
	lines := strings.Split(canonicalRequest, "\n")
	if len(lines) > 2 {
		pairs := strings.Split(lines[2], "&")
		slices.Sort(pairs)
		lines[2] = strings.Join(pairs, "&")
	}
	return strings.Join(lines, "\n")
}

func newReader(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }
