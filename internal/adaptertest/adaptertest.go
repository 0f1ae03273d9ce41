// Package adaptertest is what the tests of the HTTP adapters share: a policy, and
// requests that are signed for it.
package adaptertest

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// Orders is bound to every API but /partner/ and the open GET /health.
var (
	Orders  = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("the-secret-of-the-orders-key")}
	Partner = core.Key{Name: "partner_key", ID: "98a1c5e07b3f4d26", Secret: core.NewSecret("the-secret-of-the-partner-key")}
)

// Now stands still, so that two requests can be equal.
func Now() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// NewVerifier returns a verifier that must hold no body when the test ends.
func NewVerifier(t *testing.T, change func(*core.Config)) *core.Verifier {
	t.Helper()
	c := core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(Orders, Partner)})},
		APIs:        []core.API{{Match: "/partner/", Key: Partner.Name}, {Match: "GET /health", Open: true}},
		Default:     Orders.Name,
		Now:         Now,
		Logger:      slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	v, err := core.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := v.Buffered(); n != 0 {
			t.Errorf("Buffered() = %d at the end, want 0", n)
		}
	})
	return v
}

// Unsigned returns a request without a body.
func Unsigned(method, target string) *http.Request { return httptest.NewRequest(method, target, nil) }

// Signed returns a request with a body, signed with key; the header lines
// ("Name: value") are signed as well.
func Signed(key core.Key, method, target, body string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	var options apig.SignOptions
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
		options.Headers = append(options.Headers, name)
	}
	digest := sha256.Sum256([]byte(body))
	if err := apig.NewSigner(key, options).Sign(r, hex.EncodeToString(digest[:]), Now()); err != nil {
		panic(err) // of a request that this test wrote
	}
	return r
}

// Serve returns the answer of h to r.
func Serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// KeyName returns the key of the request's identity, "nobody" without one.
func KeyName(r *http.Request) string {
	if id, ok := core.FromContext(r.Context()); ok {
		return id.Key()
	}
	return "nobody"
}
