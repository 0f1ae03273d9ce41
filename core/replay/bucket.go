package replay

import (
	"maps"
	"sync/atomic"
)

const (
	// maxBuckets bounds the buckets of a ring. Requests that are valid at one time
	// need fewer; only a clock that steps repeatedly creates more.
	maxBuckets = 1024

	maxTables   = 3
	minSlots    = 64
	smallTable  = 1024 // smallest number of slots
	mostPerMark = 13   // bytes; every bucket may exceed it by a quarter, which makes 16
	tableBytes  = 256  // besides the slots, including the table's share of its bucket
)

// A bucket holds the entries of one span of signed dates in a chain of tables. Only the
// last table takes new entries.
type bucket struct {
	first atomic.Pointer[table]

	// Store.mu guards the fields below.
	index   int64
	tables  int
	slots   int64
	dropped bool
}

// begin returns the bucket with an index. It creates the bucket if there is none, and
// returns nil if the bucket was removed.
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

// grow returns the table after t, or nil if the bucket was removed. If the chain is
// long, the marks of its first table move to the new one.
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

// growth returns by how many slots b should grow. The first table has room for as many
// entries as the previous bucket had, the next one for as many as any of the last eight
// buckets had. After that a bucket grows threefold, or by a quarter if the store is near
// its limit of memory.
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
