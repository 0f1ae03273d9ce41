package redis_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// account is what the stores of all backends have told.
type account struct {
	mu      sync.Mutex
	added   map[string][]time.Time // by key on the server: when checks began that found it new
	failed  map[string]int         // by error
	longest time.Duration          // that a check took
}

// recorded is a store whose answers are recorded.
type recorded struct {
	*redis.Store
	*account
}

var ports = regexp.MustCompile(`:[0-9]+`)

func (r recorded) Add(ctx context.Context, e core.ReplayEntry) (bool, error) {
	start := time.Now()
	added, err := r.Store.Add(ctx, e)
	took := time.Since(start)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.longest = max(r.longest, took)
	if err != nil {
		r.failed[ports.ReplaceAllString(strings.TrimPrefix(err.Error(), redis.ErrUnavailable.Error()+": "), ":*")]++
	}
	if added {
		r.added[r.Key(e)] = append(r.added[r.Key(e)], start)
	}
	return added, err
}

// traffic is several clients that send each request again and again to two backends, which
// share a server but no store.
type traffic struct {
	t        *testing.T
	account  account
	stores   [2]*redis.Store
	backends [2]*backend
	stop     chan struct{}
	running  sync.WaitGroup

	sent, accepted, replayed, unavailable atomic.Int64
	by                                    [2]atomic.Int64 // accepted by a backend

	mu   sync.Mutex
	were []*http.Request // accepted
}

// startTraffic starts clients of two backends, whose stores have these URLs. A request that is answered with 503 is sent again until it
// gets another answer, and at least three times in all.
func startTraffic(t *testing.T, clients int, urls ...string) *traffic {
	t.Helper()
	l := &traffic{t: t, account: account{added: map[string][]time.Time{}, failed: map[string]int{}}, stop: make(chan struct{})}
	for i := range l.backends {
		s := open(t, urls[i], timeout(0)) // the default
		works(t, s)
		l.stores[i], l.backends[i] = s, newBackend(t, recorded{s, &l.account})
	}
	for c := range clients {
		l.running.Go(func() {
			for n := 0; !l.stopped(); n++ {
				r := l.backends[0].sign(fmt.Sprintf("/v1/items/%d/%d", c, n))
				for again := 0; again < 3 && !l.stopped(); time.Sleep(time.Millisecond) {
					if l.send(c+n+again, r) != core.CodeUnavailable {
						again++
					}
				}
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *traffic) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// send sends a request to one of the backends.
func (l *traffic) send(which int, r *http.Request) core.Code {
	which %= len(l.backends)
	code := l.backends[which].send(r)
	l.sent.Add(1)
	switch code {
	case "":
		l.accepted.Add(1)
		l.by[which].Add(1)
		l.mu.Lock()
		l.were = append(l.were, r)
		l.mu.Unlock()
	case core.CodeReplayed:
		l.replayed.Add(1)
	case core.CodeUnavailable:
		l.unavailable.Add(1)
	default:
		l.t.Errorf("%s: got %q", r.URL.Path, code)
	}
	return code
}

// bothAccept waits until both backends have accepted requests that were not sent before.
func (l *traffic) bothAccept(when string) {
	l.t.Helper()
	for i := range l.by {
		eventually(l.t, fmt.Sprintf("backend %d accepts requests %s", i, when), more(&l.by[i], 50))
	}
}

func (l *traffic) end() {
	if !l.stopped() {
		close(l.stop)
	}
	l.running.Wait()
}

// settle checks what was accepted when the traffic has ended. Keys are those that the server has
// now. After a fail-over, which began at fault, received is what its primary received before
// it became one; nil if there was no fail-over, and nothing can be lost. A request is accepted twice only if its write was lost: the primary that is
// gone had accepted it, and the new one has never received it.
func (l *traffic) settle(fault time.Time, keys map[string]bool, received *journal) {
	t := l.t
	t.Helper()
	twice, lost, total := 0, map[string]bool{}, 0
	for key, times := range l.account.added {
		total += len(times)
		if !keys[key] {
			lost[key] = true
		}
		if len(times) == 1 {
			continue
		}
		twice++
		slices.SortFunc(times, time.Time.Compare)
		if received == nil {
			t.Errorf("%s: accepted %d times", key, len(times))
		} else if len(times) > 2 || times[0].After(fault) || times[1].Before(fault) || received.has(key) {
			t.Errorf("%s: accepted at %v after the fault, received by the new primary before it: %v", key,
				[]time.Duration{times[0].Sub(fault), times[len(times)-1].Sub(fault)}, received.has(key))
		}
	}
	runs := l.backends[0].runs.Load() + l.backends[1].runs.Load()
	if int64(total) != runs || runs != l.accepted.Load() {
		t.Errorf("the handlers ran %d times, %d requests were accepted, the stores found %d entries new", runs, l.accepted.Load(), total)
	}
	t.Logf("%d sent: %d accepted, %d replayed, %d unavailable; %d accepted twice, %d lost and not sent again; the longest check took %v; %v",
		l.sent.Load(), l.accepted.Load(), l.replayed.Load(), l.unavailable.Load(), twice, len(lost), l.account.longest, l.account.failed)

	if received == nil && len(lost) > 0 {
		t.Errorf("%d entries are lost", len(lost))
	}
	// What was accepted is refused from now on, but for what was lost.
	before := l.accepted.Load()
	for i, r := range l.were {
		eventually(t, "an answer of the store", func() bool { return l.send(i, r) != core.CodeUnavailable })
	}
	if n := l.accepted.Load() - before; n != int64(len(lost)) {
		t.Errorf("%d accepted again, %d were lost", n, len(lost))
	}
	for key := range lost {
		if len(l.account.added[key]) != 2 {
			t.Errorf("%s: accepted %d times, and was lost once", key, len(l.account.added[key]))
		}
	}
}
