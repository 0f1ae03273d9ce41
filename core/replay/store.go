package replay

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// ErrFull is returned by [Store.Add] for a new request that there is no room
// for. Forgetting another request instead would make that one new again.
var ErrFull = errors.New("replay: the store is full")

var errLifetime = errors.New("replay: a request that can be accepted for more than an hour, or more than a week if it is presigned")

// Config bounds a [Store].
type Config struct {
	// MaxEntries is the largest number of requests remembered at once, over
	// all environments. 0 means 1,000,000: with the default clock skew of 15
	// minutes, 1,090 a second, in 11 MB of memory and never more than 16 MB.
	// The package comment says how to choose it.
	MaxEntries int
}

const defaultMaxEntries = 1_000_000

// Store is a [core.ReplayStore] in the memory of one process. It is safe for
// concurrent use and needs no closing. Make one with [New].
type Store struct {
	seed  maphash.Seed
	rings [len(classes)]ring

	_       [64]byte // entries changes with every request; what is above hardly does
	entries counter
	_       [48]byte

	swept     atomic.Int64 // the second of the last sweep
	forgotten atomic.Int64
	mu        sync.Mutex // guards all below, and changes to which buckets and tables there are
	relieved  int64      // the second of the last sweep for want of room
	bytes     int64
	dropped   int64
}

var _ core.ReplayStore = (*Store)(nil)

// New makes an empty store. It refuses a negative number of entries.
func New(c Config) (*Store, error) {
	switch {
	case c.MaxEntries < 0:
		return nil, fmt.Errorf("replay: MaxEntries: %d is negative", c.MaxEntries)
	case c.MaxEntries == 0:
		c.MaxEntries = defaultMaxEntries
	}
	s := &Store{seed: maphash.MakeSeed(), relieved: math.MinInt64}
	s.entries.most = int64(c.MaxEntries)
	for i := range s.rings {
		s.rings[i].init(classes[i])
	}
	return s, nil
}

// Add records e and reports whether it was new. It reports false for what was
// recorded before, and for dates of which something was recorded and is
// forgotten (see the package comment). Its errors are ErrFull, that of ctx, and
// one for an entry whose Until is too long after SignedAt; nothing is
// recorded then. It does not block, and allocates only where a bucket of time
// begins or grows.
func (s *Store) Add(ctx context.Context, e core.ReplayEntry) (added bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	lifetime := e.Until.Sub(e.SignedAt) // saturates
	r := s.ring(lifetime, e.Presigned)
	if r == nil {
		return false, errLifetime
	}
	// Before the sweep, which would otherwise drop what e makes worth keeping.
	r.lengthen(int64((lifetime + time.Second - 1) / time.Second))
	now, index := e.Now.Unix(), r.index(e.SignedAt.Unix())
	if now != s.swept.Load() && s.mu.TryLock() {
		s.sweep(now, false)
		s.mu.Unlock()
	}

	mark := s.mark(&e)
	result := s.add(r, index, now, mark)
	if result == full && s.relieve(now) {
		result = s.add(r, index, now, mark)
	}
	switch result {
	case fresh:
		return true, nil
	case full:
		return false, ErrFull
	case gone:
		s.forgotten.Add(1)
	}
	return false, nil
}

// mark shortens the identity of e to 64 bits, with a key of this store that
// nobody knows, so that nobody can look for two requests with one mark.
func (s *Store) mark(e *core.ReplayEntry) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.Write(e.Fingerprint[:])
	h.WriteString(e.Environment)
	return max(h.Sum64(), firstMark)
}

// add finds the bucket of e's date and adds its mark there.
func (s *Store) add(r *ring, index, now int64, mark uint64) outcome {
	b := (*r.buckets.Load())[index]
	if b == nil {
		if b = s.begin(r, index, now); b == nil {
			return gone
		}
	}
	for t := b.first.Load(); ; {
		result := t.add(mark, &s.entries)
		if result != passed {
			return result
		}
		next := t.next.Load()
		if next == nil {
			if next = s.grow(r, b, t); next == nil {
				return gone
			}
		}
		t = next
	}
}

// Stats are counts for metrics. They are taken one after the other, while
// requests may be added.
type Stats struct {
	// Entries are the requests remembered. Calls of Add that are under way may
	// be counted already. What expired counts until the next sweep.
	Entries int
	// MaxEntries is the bound.
	MaxEntries int
	// Bytes is the memory of the entries, as it was asked for.
	Bytes int64
	// Buckets are the spans of time that entries are kept for.
	Buckets int
	// Dropped entries have expired, or were too far in the future for a clock
	// that was set back.
	Dropped int64
	// Forgotten is how often Add reported false because something of that date
	// was dropped. It stays 0 unless a clock steps or a policy lengthens the
	// time for which requests are accepted.
	Forgotten int64
}

// Stats returns what the store holds now.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Entries: int(s.entries.n.Load()), MaxEntries: int(s.entries.most), Bytes: s.bytes,
		Dropped: s.dropped, Forgotten: s.forgotten.Load(),
	}
	for i := range s.rings {
		st.Buckets += len(*s.rings[i].buckets.Load())
	}
	return st
}

// Scope is "process": what another process accepted is not known here. It is
// the value of the label replay_scope in metrics.
func (s *Store) Scope() string { return "process" }
