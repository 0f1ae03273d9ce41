package replay_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// A model never forgets. It says which requests were new to the store.
type model struct {
	t     testing.TB
	s     *replay.Store
	most  int
	now   time.Time
	skew  time.Duration
	known []core.ReplayEntry
	added map[key]bool
}

type key struct {
	environment string
	fingerprint [32]byte
}

// add checks what Add may say: true only of what it never said true of; false
// of other requests only where a bucket was dropped, which it counts; an error
// only where it is full.
func (m *model) add(e core.ReplayEntry) {
	m.t.Helper()
	k := key{e.Environment, e.Fingerprint}
	before := m.s.Stats()
	added, err := m.s.Add(context.Background(), e)
	after := m.s.Stats()
	switch {
	case added && (err != nil || m.added[k]):
		m.t.Fatalf("new twice: %+v, %v", e, err)
	case err != nil && (!errors.Is(err, replay.ErrFull) || after.Entries != m.most):
		m.t.Fatalf("%v with %+v", err, after)
	case !added && err == nil && !m.added[k] && after.Forgotten == before.Forgotten:
		m.t.Fatalf("seen, though never added: %+v", e)
	case after.Entries < 0 || after.Entries > m.most || after.Bytes < 8*int64(after.Entries):
		m.t.Fatalf("%+v", after)
	}
	if added {
		m.added[k] = true
	}
	if len(m.known) < 4096 {
		m.known = append(m.known, e)
	} else {
		m.known[int(after.Dropped)%len(m.known)] = e
	}
}

var steps = []time.Duration{time.Millisecond, time.Second, 14 * time.Second, time.Minute, 16 * time.Minute,
	time.Hour, 3 * time.Hour, 26 * time.Hour, 8 * 24 * time.Hour, 10 * 365 * 24 * time.Hour}

// step takes three bytes of a schedule.
func (m *model) step(op, a, b byte) {
	m.t.Helper()
	switch op % 8 {
	case 0: // the clock
		d := steps[int(a)%len(steps)] * time.Duration(1+b%3)
		if b&4 != 0 {
			d = -d
		}
		m.now = m.now.Add(d)
	case 1: // the policy
		m.skew = time.Duration(1+int(a)) * time.Hour / 256
	case 2, 3, 4: // one that is known, whether it is still valid or not
		if len(m.known) == 0 {
			return
		}
		e := m.known[(int(a)<<8|int(b))%len(m.known)]
		if !e.Presigned {
			e.Until = e.SignedAt.Add(m.skew)
		}
		if op&64 != 0 { // as when it was accepted
			m.add(e)
		}
		e.Now = m.now
		m.add(e)
	case 5: // a presigned one
		e := request(uint64(b), m.now.Add(-time.Duration(a)*time.Hour/2).Truncate(time.Second))
		e.Environment, e.Until, e.Now = "links", e.SignedAt.Add(time.Duration(a)*time.Hour/2+time.Minute), m.now
		e.Presigned = true
		e.Fingerprint[0] = a // the lifetime is signed, as is the date
		binary.LittleEndian.PutUint64(e.Fingerprint[16:], uint64(e.SignedAt.Unix()))
		m.add(e)
	default: // one that may be new
		e := request(uint64(b), m.now.Add(time.Duration(int8(a))*m.skew/128).Truncate(time.Second))
		e.Fingerprint[0] = op
		binary.LittleEndian.PutUint64(e.Fingerprint[16:], uint64(e.SignedAt.Unix()))
		e.Until, e.Now = e.SignedAt.Add(m.skew), m.now
		m.add(e)
	}
}

func run(t testing.TB, most int, schedule []byte) {
	m := &model{t: t, s: newStore(t, most), most: most, now: start, skew: skew, added: map[key]bool{}}
	for ; len(schedule) >= 3; schedule = schedule[3:] {
		m.step(schedule[0], schedule[1], schedule[2])
	}
}

// TestSchedules runs random schedules against the model: clocks that step,
// policies that change, requests old and new.
func TestSchedules(t *testing.T) {
	for seed := range uint64(60) {
		schedule := make([]byte, 30_000)
		rand.NewChaCha8([32]byte{byte(seed)}).Read(schedule)
		run(t, []int{1, 10, 300, 100_000}[seed%4], schedule)
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add(uint16(3), []byte{6, 0, 1, 0, 4, 0, 6, 0, 2, 0, 4, 4, 66, 0, 0})
	f.Add(uint16(1000), []byte{6, 0, 1, 1, 0, 0, 0, 2, 1, 6, 0, 2, 1, 255, 0, 66, 0, 0})
	f.Fuzz(func(t *testing.T, most uint16, schedule []byte) { run(t, 1+int(most), schedule) })
}

// TestConcurrentSchedule: goroutines with clocks of their own, which step, add
// the same requests under changing policies. None is new to two of them.
func TestConcurrentSchedule(t *testing.T) {
	for round := range uint64(10) {
		s := newStore(t, []int{500, 100_000}[round%2])
		var added sync.Map
		var wg sync.WaitGroup
		for g := range uint64(8) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(round, g))
				now := start
				for range 5000 {
					if r.IntN(500) == 0 {
						now = start.Add(time.Duration(r.Int64N(int64(2 * time.Hour))))
					}
					n := r.Uint64N(20_000)
					e := request(n, start.Add(time.Duration(n%7200)*time.Second))
					e.Until, e.Now = e.SignedAt.Add(time.Duration(1+r.IntN(60))*time.Minute), now
					if ok, err := s.Add(context.Background(), e); err != nil && !errors.Is(err, replay.ErrFull) {
						t.Error(err)
					} else if ok {
						if _, twice := added.LoadOrStore(n, true); twice {
							t.Errorf("request %d is new twice", n)
						}
					}
					if n%100 == 0 {
						s.Stats()
					}
				}
			})
		}
		wg.Wait()
		// What was counted is what is there: nothing leaks where buckets are
		// dropped while they are added to.
		now := start.Add(1000 * time.Hour)
		want(t, s, request(1<<40, now), true, "when all have expired")
		if got := s.Stats(); got.Entries != 1 {
			t.Errorf("got %+v, want one entry", got)
		}
	}
}
