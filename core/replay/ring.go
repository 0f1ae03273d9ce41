package replay

import (
	"maps"
	"sync/atomic"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// classes are by lifetime, from the signed date to Until. One request must
// always be of one class, or it would be new in another. So it is: the policy
// decides about the lifetime of the first class alone, and presigned requests
// have signed theirs.
//
// Entries of the first class are kept for the longest lifetime seen so far,
// those of the others for the longest of their class: a presigned request may
// be used first when others of its date have long expired.
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

// ahead is how far in the future a date is accepted at most, in seconds.
const ahead = int64(core.MaxClockSkew / time.Second)

// A ring holds the entries of one class in buckets by the signed date. It is
// not a ring in memory: steps of the clock may leave far dates side by side.
type ring struct {
	longest   time.Duration
	width     int64                             // of a bucket, in seconds
	lifetime  atomic.Int64                      // for which entries are kept, in seconds
	buckets   atomic.Pointer[map[int64]*bucket] // replaced as a whole, under Store.mu
	forgotten spans                             // of dropped buckets, under Store.mu
}

func (r *ring) init(c class) {
	r.longest, r.width = c.longest, int64(c.width/time.Second)
	if c.constant {
		r.lifetime.Store(int64(c.longest / time.Second))
	}
	r.buckets.Store(&map[int64]*bucket{})
}

// ring returns the ring for a lifetime, or nil where it is too long.
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

// index returns the index of the bucket of a second. Before 1970 it rounds up,
// and so these buckets are kept a little longer.
func (r *ring) index(second int64) int64 { return second / r.width }

// sweep drops the buckets of which nothing can verify any more. For want of
// room it also drops those too far ahead of the clock, which must have stepped
// back. Its caller holds s.mu.
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

// drop forgets what b holds, and remembers that there was something.
func (s *Store) drop(r *ring, b *bucket) {
	r.forgotten.add(b.index)
	b.dropped = true
	for t := b.first.Load(); t != nil; t = t.next.Load() {
		s.dropped += t.close(&s.entries)
		b.account(s, -1, t)
	}
}

// relieve makes room, if it can, once a second by the clock.
func (s *Store) relieve(now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relieved != now {
		s.relieved = now
		s.sweep(now, true)
	}
	return s.entries.n.Load() < s.entries.most
}
