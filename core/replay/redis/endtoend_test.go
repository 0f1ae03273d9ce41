package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// outage is how long the server is away: long enough for every connection, timer
// and back-off of the store's to come by.
const outage = 10 * time.Second

// backend is what a user of the store runs, with an account of what its handler did.
type backend struct {
	t      *testing.T
	server *httptest.Server
	client *http.Client
	signer *apig.Signer
	ran    sync.Map // request -> *atomic.Int64
	runs   atomic.Int64
}

func newBackend(t *testing.T, store core.ReplayStore) *backend {
	t.Helper()
	key := core.Key{Name: "k1", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef0123456789abcdef")}
	v := testkit.New(t, core.Config{
		Environment:  "prod",
		Schemes:      []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Default:      "k1",
		Replay:       core.Replay{Store: store},
		ExposeReason: true, // so that answers name their code
	})
	b := &backend{t: t, signer: apig.NewSigner(key, apig.SignOptions{})}
	b.server = httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := b.ran.LoadOrStore(r.URL.Path, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		b.runs.Add(1)
		if id, ok := core.FromContext(r.Context()); !ok || !id.ReplayChecked() {
			t.Errorf("%s: the handler ran for a request that was not checked", r.URL.Path)
		}
	})))
	b.client = b.server.Client()
	t.Cleanup(func() {
		b.client.CloseIdleConnections()
		b.server.Close()
	})
	return b
}

// sign makes a request that can be sent many times.
func (b *backend) sign(path string) *http.Request {
	r, err := http.NewRequest("POST", b.server.URL+path, nil)
	if err != nil {
		b.t.Error(err)
		return nil
	}
	return testkit.Sign(b.signer, r, "text", time.Now())
}

// send returns the code of the answer, "" for one that was accepted. The request may be
// signed for another backend's host.
func (b *backend) send(signed *http.Request) core.Code {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r := signed.Clone(ctx)
	r.Host, r.URL.Host = signed.URL.Host, b.server.Listener.Addr().String()
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("text")), 4
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Errorf("no answer: %v", err)
		return "none"
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		return ""
	}
	var problem core.Problem
	if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil || problem.Status != answer.StatusCode {
		b.t.Errorf("status %d with problem %+v, %v", answer.StatusCode, problem, err)
	}
	return problem.Code
}

// TestEndToEnd_F01: the server is killed under load and comes back after ten
// seconds. Every request is answered, none is let in while nobody can tell
// whether it is a replay, none twice at any time, and all goes on without a
// restart. The server writes down what it takes before it says so; one that
// does not forgets in a crash (TestDataLoss_F24).
func TestEndToEnd_F01(t *testing.T) {
	needs.Long(t) // load for seconds, and a restart of Redis
	const clients = 16
	server := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
	store := open(t, server.url(""), func(c *redis.Config) { c.Timeout = 0 }) // the default
	works(t, store)
	b := newBackend(t, store)

	var accepted, unavailable, replayed atomic.Int64
	var known sync.Map // what was accepted
	stop := make(chan struct{})
	var load sync.WaitGroup
	for c := range clients {
		load.Go(func() {
			for n := 0; ; n++ {
				r := b.sign(fmt.Sprintf("/v1/items/%d/%d", c, n))
				for {
					code := b.send(r)
					switch code {
					case "":
						accepted.Add(1)
						known.Store(r.URL.Path, r)
					case core.CodeUnavailable:
						unavailable.Add(1)
					case core.CodeReplayed: // an earlier try was taken, and the reply to it lost
						replayed.Add(1)
					default:
						t.Errorf("%s: got %q", r.URL.Path, code)
					}
					select {
					case <-stop:
						return
					default:
					}
					if code != core.CodeUnavailable {
						break
					}
				}
			}
		})
	}
	eventually(t, "requests at first", more(&accepted, 500))

	server.kill()
	gone := time.After(outage)
	eventually(t, "the first refusal", more(&unavailable, 1))
	eventually(t, "the end of what was under way", more(&unavailable, 2*clients))
	before := b.runs.Load()
	var first *http.Request
	known.Range(func(_, r any) bool { first = r.(*http.Request); return false })
	unsigned := first.Clone(t.Context())
	unsigned.Header = http.Header{}
	for away := true; away; {
		select {
		case <-gone:
			away = false
		default:
		}
		if code := b.send(unsigned); code != core.CodeCredentialMissing {
			t.Errorf("an unsigned request during the outage: got %q", code)
		}
		if code := b.send(first); code != core.CodeUnavailable {
			t.Errorf("a replay during the outage: got %q", code)
		}
	}
	if n := b.runs.Load() - before; n != 0 {
		t.Errorf("the handler ran %d times during the outage", n)
	}

	server.start()
	eventually(t, "requests after the outage", more(&accepted, 500))
	close(stop)
	load.Wait()

	// What was accepted before, between and after is known.
	replays := 0
	known.Range(func(path, r any) bool {
		eventually(t, "an answer of the store", func() bool { // which may be late on a busy machine
			code := b.send(r.(*http.Request))
			if code != core.CodeReplayed && code != core.CodeUnavailable {
				t.Errorf("%s, sent again: got %q", path, code)
			}
			return code != core.CodeUnavailable
		})
		replays++
		return !t.Failed()
	})
	b.ran.Range(func(path, n any) bool {
		if n := n.(*atomic.Int64).Load(); n != 1 {
			t.Errorf("%s: the handler ran %d times", path, n)
		}
		return true
	})
	if runs := b.runs.Load(); runs != accepted.Load() || int64(replays) != runs {
		t.Errorf("the handler ran %d times, %d requests were accepted, %d sent again", runs, accepted.Load(), replays)
	}
	t.Logf("%d accepted, %d answers of 503, %d tries that had been taken unheard", accepted.Load(), unavailable.Load(), replayed.Load())
}
