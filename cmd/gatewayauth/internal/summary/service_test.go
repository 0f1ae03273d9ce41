package summary_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
)

// truth has the counts of the observers.
type truth struct {
	refused, verified, open int64
	codes                   map[string]int64
}

func (u *truth) count(e *core.Event) {
	switch {
	case e.Err != nil:
		u.refused++
		u.codes[string(e.Code)]++
	case e.Open:
		u.open++
	default:
		u.verified++
	}
}

// service is the log of a verifier in report mode: the lines, and the event of each, or
// nil if the line is not about a request.
type service struct {
	lines  []string
	events []*core.Event
	truth  truth
}

// locked is a log that several goroutines write to.
type locked struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

var orders = core.Key{Name: "orders_key", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("Zq8vLr2nXw4tKp6yZq8vLr2n")}

// serve lets a verifier verify n requests, and returns its log.
func serve(t *testing.T, env string, n, limit int, rnd *rand.Rand, logger func(*locked) *slog.Logger) *service {
	t.Helper()
	s := &service{truth: truth{codes: map[string]int64{}}}
	synctest.Test(t, func(t *testing.T) {
		var out locked
		v, err := core.New(core.Config{
			Environment: env, Mode: core.Report, LogLimit: limit, Logger: logger(&out),
			Schemes:   []core.Scheme{apig.New(apig.Config{Keys: core.Keys(orders)})},
			APIs:      []core.API{{Match: "GET /healthz", Open: true}, {Match: "GET /orders/{id}", Key: orders.Name}},
			Default:   orders.Name,
			Observers: []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { s.events = append(s.events, &e); s.truth.count(&e) })},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.events = append(s.events, nil) // the record of the start
		for range n {
			v.Verify(someRequest(t, rnd))
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		s.lines = strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
	})
	return s
}

// someRequest returns a random request.
func someRequest(t *testing.T, rnd *rand.Rand) *http.Request {
	paths := []string{"/orders/7", "/orders/a%20b%3Dc", "/x/%22quoted%22", "/other/%7B%22a%22:1%7D", `/back%5Cslash`}
	r := httptest.NewRequest("GET", paths[rnd.IntN(len(paths))], nil)
	r.RequestURI = ""
	key := orders
	switch rnd.IntN(6) {
	case 0: // no credential
	case 1:
		r = httptest.NewRequest("GET", "/healthz", nil)
	case 2:
		r.Header.Set("Authorization", "SDK-HMAC-SHA256 what=is this")
	case 3:
		key.Secret = core.NewSecret("another-secret-of-some-length")
		fallthrough
	default:
		signer := apig.NewSigner(key, apig.SignOptions{})
		h := signer.NewHash()
		err := signer.Sign(r, fmt.Sprintf("%x", h.Sum(nil)), time.Now())
		if err != nil && core.CodeOf(err) != core.CodeRequestAmbiguous { // the verifier refuses it for the same reason
			t.Fatal(err)
		}
	}
	if r.RequestURI == "" {
		r.RequestURI = r.URL.RequestURI()
	}
	return r
}
