package basic

import (
	"math/rand/v2"
	"testing"
	"time"
)

// count is what a plain map has for each pair.
type count struct {
	since time.Time
	wrong int
}

// TestSharedSlots_T298 compares the throttle with a plain map for random guesses of pairs
// that share a slot. While the slot has room, each pair gets exactly ten guesses in a
// second. With more pairs, those that guess more can get more, but none is refused that has
// not had ten wrong guesses in the last second itself.
func TestSharedSlots_T298(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
		throttle := newThrottle(func() time.Time { return now })
		pairs := 2 + random.IntN(2*ways)
		model, judged := map[uint64]count{}, map[uint64][]time.Time{}
		refused := 0
		for range 2000 {
			peer := slots*uint64(1+random.IntN(pairs)) + 7
			m := model[peer]
			if now.Sub(m.since) >= time.Second {
				m = count{since: now}
			}
			allowed := throttle.allow(peer)
			if pairs <= ways && allowed != (m.wrong < guesses) {
				t.Fatalf("seed %d, %d pairs: a guess after %d wrong ones in a second: allowed is %v", seed, pairs, m.wrong, allowed)
			}
			if allowed {
				m.wrong++
				model[peer] = m
				judged[peer] = append(judged[peer], now)
				throttle.record(peer, false)
			} else if refused++; !recent(judged[peer], now) {
				t.Fatalf("seed %d, %d pairs: refused because of others", seed, pairs)
			}
			now = now.Add(time.Duration(random.IntN(5)*random.IntN(5)) * time.Millisecond)
		}
		if refused == 0 {
			t.Errorf("seed %d, %d pairs: no guess was refused", seed, pairs)
		}
	}
}

// recent reports whether the last ten times are in the second before now.
func recent(times []time.Time, now time.Time) bool {
	return len(times) >= guesses && now.Sub(times[len(times)-guesses]) < time.Second
}

// TestFullSlot_T298: of a full slot, the pair with the fewest wrong passwords is replaced:
// those that were throttled stay so, however many others guess a few times.
func TestFullSlot_T298(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	throttle := newThrottle(func() time.Time { return now })
	peer := func(i int) uint64 { return slots * uint64(1+i) }
	for i := range ways - 1 {
		for range guesses {
			throttle.record(peer(i), false)
		}
	}
	for i := range 1000 {
		throttle.record(peer(ways+i), false)
	}
	for i := range ways - 1 {
		if throttle.allow(peer(i)) {
			t.Errorf("pair %d is no longer throttled", i)
		}
	}
	now = now.Add(time.Second)
	for i := range ways { // what is over is replaced first
		for range guesses {
			throttle.record(peer(2000+i), false)
		}
	}
	for i := range ways {
		if !throttle.allow(peer(i)) || throttle.allow(peer(2000+i)) {
			t.Errorf("a second later, pair %d: the count of then, or none of now", i)
		}
	}
}
