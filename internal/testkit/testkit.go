// Package testkit has the fixtures of most tests: a verifier with two keys and a fixed
// clock, requests that are signed for it, and a handler that counts its runs.
package testkit

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// Orders is bound to every API except /partner/ and the open GET /health.
var (
	Orders  = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("the-secret-of-the-orders-key")}
	Partner = core.Key{Name: "partner_key", ID: "98a1c5e07b3f4d26", Secret: core.NewSecret("the-secret-of-the-partner-key")}
)

// Now returns a fixed time, so that two requests can be equal.
func Now() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// Verifier returns a verifier with the policy of this package, after applying change
// unless it is nil. See [New].
func Verifier(t testing.TB, change func(*core.Config)) *core.Verifier {
	t.Helper()
	c := core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(Orders, Partner)})},
		APIs:        []core.API{{Match: "/partner/", Key: Partner.Name}, {Match: "GET /health", Open: true}},
		Default:     Orders.Name,
		Now:         Now,
	}
	if change != nil {
		change(&c)
	}
	return New(t, c)
}

// New returns a verifier with the policy c, which logs nothing if c.Logger is nil. The
// test fails if the memory of a body is not released when it ends.
func New(t testing.TB, c core.Config) *core.Verifier {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
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

// Signed returns a request with a body, signed with key at [Now]. The header lines
// ("Name: value") are also signed.
func Signed(key core.Key, method, target, body string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	var options apig.SignOptions
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
		options.Headers = append(options.Headers, name)
	}
	return Sign(apig.NewSigner(key, options), r, body, Now())
}

// Sign signs r with this body at this time, and returns r.
func Sign(s signer.Signer, r *http.Request, body string, at time.Time) *http.Request {
	digest := ""
	if h := s.NewHash(); h != nil {
		io.WriteString(h, body)
		digest = hex.EncodeToString(h.Sum(nil))
	}
	if err := s.Sign(r, digest, at); err != nil {
		panic(err) // the request is invalid
	}
	return r
}

// Serve returns the response of h to r.
func Serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// KeyName returns the name of the key of the request's identity, or "nobody".
func KeyName(r *http.Request) string {
	if id, ok := core.FromContext(r.Context()); ok {
		return id.Key()
	}
	return "nobody"
}

// Codes is an observer that records the codes of verdicts, "" for accepted requests.
type Codes struct {
	mu   sync.Mutex
	list []core.Code
}

// Observe implements [core.Observer].
func (c *Codes) Observe(_ context.Context, e core.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, e.Code)
}

// Take returns the codes that were recorded since the last call.
func (c *Codes) Take() []core.Code {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// Text returns the result of [Codes.Take] as text, separated by spaces.
func (c *Codes) Text() string {
	var texts []string
	for _, code := range c.Take() {
		texts = append(texts, string(code))
	}
	return strings.Join(texts, " ")
}
