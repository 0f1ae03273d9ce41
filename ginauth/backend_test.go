package ginauth_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// orders is bound to every API but /partner/ and the open GET /health.
var (
	orders  = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("the-secret-of-the-orders-key")}
	partner = core.Key{Name: "partner_key", ID: "98a1c5e07b3f4d26", Secret: core.NewSecret("the-secret-of-the-partner-key")}
)

// now stands still, so that two requests can be equal.
func now() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// newVerifier returns a verifier that must hold no body when the test ends.
func newVerifier(t *testing.T, change func(*core.Config)) *core.Verifier {
	t.Helper()
	c := core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(orders, partner)})},
		APIs:        []core.API{{Match: "/partner/", Key: partner.Name}, {Match: "GET /health", Open: true}},
		Default:     orders.Name,
		Now:         now,
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

func unsigned(method, target string) *http.Request { return httptest.NewRequest(method, target, nil) }

// signed returns a request with a body, signed with key; the header lines
// ("Name: value") are signed as well.
func signed(key core.Key, method, target, body string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	var options apig.SignOptions
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
		options.Headers = append(options.Headers, name)
	}
	digest := sha256.Sum256([]byte(body))
	if err := apig.NewSigner(key, options).Sign(r, hex.EncodeToString(digest[:]), now()); err != nil {
		panic(err) // of a request that this test wrote
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// counted returns a handler that counts its runs.
func counted(runs *atomic.Int32) gin.HandlerFunc {
	return func(c *gin.Context) {
		runs.Add(1)
		c.String(http.StatusOK, "ok")
	}
}

// keyName returns the key of the request's identity, "nobody" without one.
func keyName(r *http.Request) string {
	if id, ok := core.FromContext(r.Context()); ok {
		return id.Key()
	}
	return "nobody"
}
