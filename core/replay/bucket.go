package replay

import (
	"maps"
	"sync/atomic"
)

const (
	// maxBuckets of a ring is more than can hold requests that verify at any
	// one time. There are more only where the clock jumps about.
	maxBuckets = 1024

	maxTables   = 3
	minSlots    = 64
	smallTable  = 1024 // slots that are not worth saving
	mostPerMark = 13   // bytes; with the quarter that any bucket may take, 16
	tableBytes  = 256  // beside the slots, with a table's share in its bucket
)

// A bucket holds the entries of one span of signed dates, in a chain of tables
// of which only the last takes new ones.
type bucket struct {
	first atomic.Pointer[table]

	// What follows is under Store.mu.
	index   int64
	tables  int
	slots   int64
	dropped bool
}

// begin returns the bucket with an index, a new one if there was none, or nil
// if there was one that was dropped.
func (s *Store) begin(r *ring, index, now int64) *bucket {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(*r.buckets.Load()) >= maxBuckets {
		s.sweep(now, true)
	}
	if b := (*r.buckets.Load())[index]; b != nil {
		return b
	}
	if r.forgotten.has(index) {
		return nil
	}
	b := &bucket{index: index}
	b.first.Store(s.table(b, s.growth(r, b, 0)))
	buckets := maps.Clone(*r.buckets.Load())
	buckets[index] = b
	r.buckets.Store(&buckets)
	return b
}

// grow returns the table after t, or nil where the bucket was dropped. A chain
// that has become long loses its first table, whose marks the new one takes.
func (s *Store) grow(r *ring, b *bucket, t *table) *table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.dropped {
		return nil
	}
	if next := t.next.Load(); next != nil {
		return next
	}
	if b.tables < maxTables {
		next := s.table(b, s.growth(r, b, 0))
		t.append(next)
		return next
	}
	first := b.first.Load()
	size := int64(len(first.slots))
	next := s.table(b, size+s.growth(r, b, size))
	next.absorb(first)
	t.append(next)
	b.first.Store(first.next.Load())
	b.account(s, -1, first)
	return next
}

func (s *Store) table(b *bucket, slots int64) *table {
	t := newTable(slots)
	b.account(s, 1, t)
	return t
}

func (b *bucket) account(s *Store, tables int, t *table) {
	b.tables += tables
	b.slots += int64(tables * len(t.slots))
	s.bytes += int64(tables * (8*len(t.slots) + tableBytes))
}

// growth returns by how many slots b should grow while it copies some. It
// begins with room for as many entries as the bucket before had, and goes on
// with room for as many as one of the last eight had. Beyond that it grows
// threefold, or by a quarter where the whole store has no bytes to spare.
func (s *Store) growth(r *ring, b *bucket, copied int64) int64 {
	buckets, last := *r.buckets.Load(), int64(8)
	if b.slots == 0 {
		last = 1
	}
	var expected int64
	for i := range last {
		if before := buckets[b.index-1-i]; before != nil {
			expected = max(expected, before.used()*4/3)
		}
	}
	var want int64
	switch {
	case b.slots < expected:
		want = max(expected-b.slots, b.slots/8)
	case b.slots < expected*5/4:
		want = b.slots / 8
	default:
		want = b.slots * 2
	}
	spare := (s.entries.n.Load()*mostPerMark-s.bytes)/8 - copied
	return max(minSlots, min(want, max(spare, b.slots/4, smallTable)))
}

func (b *bucket) used() (n int64) {
	for t := b.first.Load(); t != nil; t = t.next.Load() {
		n += t.used.Load() % sealed
	}
	return n
}
