package redis_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// budget is the default. What takes longer than slack was not bounded by it.
const (
	budget = 50 * time.Millisecond
	slack  = 20 * budget
)

// load checks new entries from many goroutines.
type load struct {
	stop                chan struct{}
	running             sync.WaitGroup
	added, seen, failed atomic.Int64
	longest             atomic.Int64

	mu       sync.Mutex
	accepted []core.ReplayEntry
}

func startLoad(t *testing.T, s *redis.Store, callers int) *load {
	l := &load{stop: make(chan struct{})}
	for range callers {
		l.running.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				e, start := entry(), time.Now()
				added, err := s.Add(context.Background(), e)
				for took := int64(time.Since(start)); ; {
					if old := l.longest.Load(); took <= old || l.longest.CompareAndSwap(old, took) {
						break
					}
				}
				switch {
				case errors.Is(err, redis.ErrUnavailable) && !added:
					l.failed.Add(1)
					runtime.Gosched()
				case err != nil:
					t.Errorf("got %v, %v", added, err)
				case added:
					l.added.Add(1)
					l.mu.Lock()
					l.accepted = append(l.accepted, e)
					l.mu.Unlock()
				default:
					l.seen.Add(1)
				}
			}
		})
	}
	return l
}

// end stops the load, and checks what must hold however the server behaved.
func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.running.Wait()
	if n := l.seen.Load(); n != 0 {
		t.Errorf("%d new entries were called seen: something was sent twice", n)
	}
	if took := time.Duration(l.longest.Load()); took > slack {
		t.Errorf("a check took %v", took)
	}
}

func more(n *atomic.Int64, by int64) func() bool {
	from := n.Load()
	return func() bool { return n.Load() >= from+by }
}

// TestServerKilled_F01: the server is killed under load, and comes back. Each time, one
// record says that it is back.
func TestServerKilled_F01(t *testing.T) {
	needs.Long(t) // waits for a restart of Redis
	server := startServer(t)
	var log logged
	s := open(t, server.url(""), timeout(0), log.to)
	works(t, s)
	l := startLoad(t, s, 32)
	back := func() int { return strings.Count(log.String(), "the replay store answers again") }
	eventually(t, "checks at first", more(&l.added, 500))
	for range 2 {
		server.kill()
		eventually(t, "failures", more(&l.failed, 1))
		l.mu.Lock()
		before := len(l.accepted)
		l.mu.Unlock()
		down, start, backBefore := entry(), time.Now(), back()
		eventually(t, "an outage that outlasts an attempt to connect", func() bool {
			wantUnavailable(t, "without a server", s, down)
			return time.Since(start) > 1500*time.Millisecond
		})
		l.mu.Lock()
		if late := len(l.accepted) - before; late > 32 { // under way when the server was killed
			t.Errorf("%d were accepted without a server", late)
		}
		l.mu.Unlock()
		server.start()
		eventually(t, "checks after the outage", more(&l.added, 500))
		if n := back() - backBefore; n != 1 {
			t.Errorf("%d records say that the server is back:\n%s", n, log.String())
		}
	}
	l.end(t)
	// Those of after the last outage are known, each.
	for _, e := range l.accepted[len(l.accepted)-100:] {
		wantSeen(t, "replayed", s, e)
	}
}

// TestAtStart_F01: a store is made without a server, and finds it later.
func TestAtStart_F01(t *testing.T) {
	server := startServer(t)
	server.kill()
	s := open(t, server.url(""), timeout(0))
	for range 100 {
		wantUnavailable(t, "without a server", s, entry())
	}
	server.start()
	wantSeen(t, "replayed", s, works(t, s))
}

// TestSlowServer_F02: every reply is two seconds late.
func TestSlowServer_F02(t *testing.T) {
	needs.Long(t) // waits for the timeout
	proxy := newProxy(t, startServer(t).socket)
	s := open(t, "redis://"+proxy.address, timeout(0))
	works(t, s)
	before := runtime.NumGoroutine()
	proxy.delay.Store(int64(2 * time.Second))
	const callers = 200
	l := startLoad(t, s, callers)
	failed := more(&l.failed, 3000)
	eventually(t, "failures", func() bool {
		// The callers and 512 that wait for the server, and as many that just end.
		if n := runtime.NumGoroutine(); n > before+2*(callers+512) {
			t.Fatalf("%d goroutines, %d before", n, before)
		}
		return failed()
	})
	l.end(t)
	proxy.delay.Store(0)
	wantSeen(t, "replayed", s, works(t, s))
	eventually(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= before+5 })
}

// TestSilentServer_F02: a server that accepts connections and says nothing, ever.
func TestSilentServer_F02(t *testing.T) {
	needs.Long(t) // waits for the timeout
	f := newFake(map[string]string{})
	address, _ := listen(t, f.handle)
	s := open(t, "redis://"+address, timeout(0))
	f.set("SET", "+OK\r\n")
	works(t, s)
	f.set("SET", "")
	l := startLoad(t, s, 32)
	eventually(t, "failures", more(&l.failed, 1000))
	l.end(t)
	f.set("SET", "+OK\r\n") // the connection owes replies for good, and must go
	works(t, s)
}

// TestDialsRarely_F01: checks without a server cost it nothing.
func TestDialsRarely_F01(t *testing.T) {
	needs.Long(t) // counts for seconds
	for name, hello := range map[string]string{
		"hangs up": "close", "forbids": "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
		"loads": "-LOADING Redis is loading the dataset in memory\r\n",
	} {
		f := newFake(map[string]string{"HELLO": hello})
		address, accepted := listen(t, f.handle)
		start := time.Now()
		s := open(t, "redis://"+address, timeout(0))
		for time.Since(start) < 1500*time.Millisecond {
			wantUnavailable(t, name, s, entry())
		}
		if n, most := accepted.Load(), int64(time.Since(start)/time.Second)+2; n < 1 || n > most {
			t.Errorf("%s: %d connections, want at most %d", name, n, most)
		}
	}
}

// TestConnectsAgainAtOnce: the client library drops a connection to a server of a cluster
// when it has just been made, and needs another one.
func TestConnectsAgainAtOnce(t *testing.T) {
	if n := redis.Turns(2); n != 2 {
		t.Errorf("%d of two attempts are permitted", n)
	}
}

// TestDataLoss_F24: what the server has lost can be replayed. It is a documented limit.
func TestDataLoss_F24(t *testing.T) {
	server := startServer(t)
	s := open(t, server.url(""))
	e := entry()
	want(t, "first", s, e, true)
	server.ask("FLUSHALL")
	want(t, "after FLUSHALL", s, e, true)
	want(t, "again", s, e, false)
	server.kill()
	server.start()
	works(t, s)
	want(t, "after a restart", s, e, true)
	want(t, "again", s, e, false)
}
