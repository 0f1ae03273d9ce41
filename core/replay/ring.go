package replay

import (
	"maps"
	"sync/atomic"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// classes group requests by lifetime, the time from the signed date to Until. A request
// must always have the same class, or it would be new in another one. That holds because
// the policy determines only the lifetime of the first class, and the lifetime of a
// presigned request is signed.
//
// Entries of the first class are kept for the longest lifetime seen so far. Those of
// other classes are kept for the longest lifetime of their class, because a presigned
// request may be sent for the first time when others of its date have expired.
var classes = [...]class{
	{longest: core.MaxClockSkew, width: 15 * time.Second},
	{longest: time.Hour, width: 15 * time.Second, constant: true},
	{longest: 6 * time.Hour, width: time.Minute, constant: true},
	{longest: 24 * time.Hour, width: 5 * time.Minute, constant: true},
	{longest: 7 * 24 * time.Hour, width: 30 * time.Minute, constant: true},
}

type class struct {
	longest, width time.Duration
	constant       bool
}

// ahead is how far in the future a date can be accepted, in seconds.
const ahead = int64(core.MaxClockSkew / time.Second)

// A ring holds the entries of one class in buckets by the signed date. The buckets are
// in a map, because steps of the clock can leave dates that are far apart.
type ring struct {
	longest   time.Duration
	width     int64                             // of a bucket, in seconds
	lifetime  atomic.Int64                      // how long entries are kept, in seconds
	buckets   atomic.Pointer[map[int64]*bucket] // copied on write, under Store.mu
	forgotten spans                             // indexes of removed buckets, under Store.mu
}

func (r *ring) init(c class) {
	r.longest, r.width = c.longest, int64(c.width/time.Second)
	if c.constant {
		r.lifetime.Store(int64(c.longest / time.Second))
	}
	r.buckets.Store(&map[int64]*bucket{})
}

// ring returns the ring for a lifetime, or nil if the lifetime is too long.
func (s *Store) ring(lifetime time.Duration, presigned bool) *ring {
	rings := s.rings[:1]
	if presigned {
		rings = s.rings[1:]
	}
	for i := range rings {
		if lifetime <= rings[i].longest {
			return &rings[i]
		}
	}
	return nil
}

func (r *ring) lengthen(lifetime int64) {
	for {
		l := r.lifetime.Load()
		if lifetime <= l || r.lifetime.CompareAndSwap(l, lifetime) {
			return
		}
	}
}

// index returns the index of the bucket of a second. Dates before 1970 are rounded up,
// so their buckets are kept a little longer.
func (r *ring) index(second int64) int64 { return second / r.width }

// sweep removes the buckets whose requests have all expired. If the store is full, it
// also removes buckets that are too far in the future, which exist only if the clock
// was set back. Its caller holds s.mu.
func (s *Store) sweep(now int64, pressed bool) {
	s.swept.Store(now)
	for i := range s.rings {
		r := &s.rings[i]
		lifetime := r.lifetime.Load()
		live := *r.buckets.Load()
		kept := len(live)
		for index, b := range live {
			first := index * r.width
			if now > first+r.width-1+lifetime || pressed && first > now+ahead {
				s.drop(r, b)
				kept--
			}
		}
		if kept < len(live) {
			rest := maps.Clone(live)
			maps.DeleteFunc(rest, func(_ int64, b *bucket) bool { return b.dropped })
			r.buckets.Store(&rest)
		}
	}
}

// drop removes b, and adds its index to the removed ones if b had entries. A full store
// has buckets without.
func (s *Store) drop(r *ring, b *bucket) {
	b.dropped = true
	var entries int64
	for t := b.first.Load(); t != nil; t = t.next.Load() {
		entries += t.close(&s.entries)
		b.account(s, -1, t)
	}
	if s.dropped += entries; entries > 0 {
		r.forgotten.add(b.index)
	}
}

// relieve sweeps a full store, at most once per second of the clock.
func (s *Store) relieve(now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relieved != now {
		s.relieved = now
		s.sweep(now, true)
	}
	return s.entries.n.Load() < s.entries.most
}
