package replay

import (
	"math/bits"
	"sync/atomic"
)

// A table is a set of marks that only grows. It is a hash table with open addressing and
// one slot of 8 bytes per mark. A slot is written once. It is empty, a mark, or moved.
//
// A search for a mark probes from its home slot to the first slot that holds the mark,
// is empty, or is moved. All searches for a mark probe the same slots. A goroutine that
// finds an empty slot writes the mark there, or, if the table has enough marks, writes
// moved and continues in the next table. So two goroutines that add the same mark always
// compete for the same slot, also while the bucket grows.
type table struct {
	slots []atomic.Uint64
	limit int64
	next  atomic.Pointer[table]
	_     [64]byte // keeps used, which every mark changes, in another cache line than the fields above
	used  atomic.Int64
	_     [56]byte
}

const (
	nothing   = 0
	moved     = 1
	firstMark = 2

	// sealed is added to table.used when the table gets a successor, closed when its
	// bucket is removed. No mark can be reserved after either.
	sealed = 1 << 40
	closed = 1 << 60
)

type outcome uint8

const (
	fresh outcome = iota
	seen
	passed // the table has enough marks, but not this one
	full   // the store is full
	gone   // the bucket was removed
)

// A counter counts the marks of all tables.
type counter struct {
	n    atomic.Int64
	most int64
}

func newTable(slots int64) *table {
	return &table{slots: make([]atomic.Uint64, slots), limit: slots * 4 / 5}
}

func (t *table) add(mark uint64, total *counter) outcome {
	reserved := false
	for i := t.home(mark); ; {
		switch v := t.slots[i].Load(); {
		case v == nothing && !reserved:
			switch t.reserve(total) {
			case fresh:
				reserved = true
			case full:
				return full
			case passed:
				if t.slots[i].CompareAndSwap(nothing, moved) {
					return passed
				}
			}
		case v == nothing:
			if t.slots[i].CompareAndSwap(nothing, mark) {
				return fresh
			}
		case v == mark || v == moved:
			if reserved {
				t.release(total)
			}
			if v == mark {
				return seen
			}
			return passed
		default:
			i = t.after(i)
		}
	}
}

// reserve counts a mark before it is written, so that neither the limit of the table nor
// that of the store is exceeded. It returns fresh, passed or full.
func (t *table) reserve(total *counter) outcome {
	for {
		n := t.used.Load()
		switch {
		case n >= sealed: // the mark may be in a later table
			return passed
		case total.n.Load() >= total.most:
			return full // so that the bucket does not grow in vain
		case n >= t.limit:
			return passed
		}
		if t.used.CompareAndSwap(n, n+1) {
			break
		}
	}
	if total.n.Add(1) > total.most {
		t.release(total)
		return full
	}
	return fresh
}

// release undoes reserve. If the table was closed in the meantime, close has already
// subtracted the mark from the total.
func (t *table) release(total *counter) {
	if t.used.Add(-1) < closed/2 {
		total.n.Add(-1)
	}
}

// append makes next the successor of t.
func (t *table) append(next *table) {
	t.used.Add(sealed)
	t.next.Store(next)
}

// absorb copies the marks of from, and writes moved to its empty slots. No other
// goroutine may use t yet.
func (t *table) absorb(from *table) {
	var n int64
	for i := range from.slots {
		if from.slots[i].CompareAndSwap(nothing, moved) {
			continue
		}
		mark := from.slots[i].Load()
		if mark == moved {
			continue
		}
		n++
		at := t.home(mark)
		for t.slots[at].Load() != nothing {
			at = t.after(at)
		}
		t.slots[at].Store(mark)
	}
	t.used.Store(n)
}

// close closes the table and returns how many marks it had.
func (t *table) close(total *counter) int64 {
	n := t.used.Add(closed) % sealed
	total.n.Add(-n)
	return n
}

func (t *table) home(mark uint64) int {
	i, _ := bits.Mul64(mark, uint64(len(t.slots)))
	return int(i)
}

func (t *table) after(i int) int {
	if i++; i < len(t.slots) {
		return i
	}
	return 0
}
