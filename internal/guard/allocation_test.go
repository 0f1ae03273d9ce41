//go:build !race

package guard_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/guard"
)

// With the race detector, pools drop values, so this file is excluded.

// answered is a transport that answers at once.
type answered struct{}

func (answered) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// nowhere is a response that nobody reads.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header         { return w.header }
func (w nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w nowhere) WriteHeader(int)             {}

// TestAllocations_T282: the proxy allocates exactly so often more than net/http/httputil's
// alone, and refuses without forwarding.
func TestAllocations_T282(t *testing.T) {
	key := core.Key{Name: "orders", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}
	v, err := core.New(core.Config{Environment: "prod", Schemes: []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})}, Default: "orders",
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	to := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	bare := &httputil.ReverseProxy{Transport: answered{}, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	proxy := guard.New(guard.Config{Verifier: v, To: to, Logger: slog.New(slog.DiscardHandler), Transport: answered{}})
	r := httptest.NewRequest("GET", "/orders?limit=1", nil)
	empty := sha256.Sum256(nil)
	if err := apig.NewSigner(key, apig.SignOptions{}).Sign(r, hex.EncodeToString(empty[:]), time.Now()); err != nil {
		t.Fatal(err)
	}
	of := func(h http.Handler) (least float64) {
		for i := range 10 { // a garbage collection, or a goroutine of another test, allocates besides
			n := testing.AllocsPerRun(100, func() {
				copied := *r
				h.ServeHTTP(nowhere{http.Header{}}, &copied)
			})
			if i == 0 || n < least {
				least = n
			}
		}
		return least
	}
	if got, want := of(proxy)-of(bare), 36.0; got != want {
		t.Errorf("accepted: got %v allocations more than the bare proxy, want %v", got, want)
	}
	r.Header.Del("Authorization")
	if got, want := of(proxy), 16.0; got != want {
		t.Errorf("refused: got %v allocations, want %v", got, want)
	}
}
