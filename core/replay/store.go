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

// ErrFull is returned by [Store.Add] for a new request if the store is full. Removing
// another entry instead would let that request be replayed.
var ErrFull = errors.New("the store in memory is full: raise replay.max_entries")

var errLifetime = errors.New("replay: the request is valid for more than an hour, or for more than a week if it is presigned")

// Config configures a [Store].
type Config struct {
	// MaxEntries is the largest number of entries, over all environments. 0 means
	// 1,000,000, which suffices for 1,090 requests per second with the default clock
	// skew of 15 minutes and takes 11 MB of memory, at most 16 MB. The package comment
	// says how to choose it.
	MaxEntries int
	// RefuseBefore is the time at which the store began to remember, such as that of its
	// creation. Add returns [core.ErrSignedBeforeStart] for requests that were signed in that
	// second or before: another store, before a restart, may have recorded them. The zero
	// time refuses none.
	//
	// A gateway whose clock is slow is refused for as long as it is slow, and one whose clock
	// is fast leaves a gap of that length.
	RefuseBefore time.Time
}

const defaultMaxEntries = 1_000_000

// Store is a [core.ReplayStore] in the memory of one process. It is safe for concurrent
// use and need not be closed. Create one with [New].
type Store struct {
	seed  maphash.Seed
	start time.Time // Config.RefuseBefore
	rings [len(classes)]ring

	_       [64]byte // keeps entries, which every request changes, in another cache line than the fields above
	entries counter
	_       [48]byte

	swept     atomic.Int64 // the second of the last sweep
	forgotten atomic.Int64
	mu        sync.Mutex // guards the fields below, and creating and removing buckets and tables
	relieved  int64      // the second of the last sweep of a full store
	bytes     int64
	dropped   int64

	permitted permissions
}

var _ core.RetryStore = (*Store)(nil)

// New returns an empty store, or an error if MaxEntries is negative.
func New(c Config) (*Store, error) {
	switch {
	case c.MaxEntries < 0:
		return nil, fmt.Errorf("replay: MaxEntries must not be negative: %d", c.MaxEntries)
	case c.MaxEntries == 0:
		c.MaxEntries = defaultMaxEntries
	}
	s := &Store{seed: maphash.MakeSeed(), start: c.RefuseBefore, relieved: math.MinInt64}
	s.entries.most = int64(c.MaxEntries)
	for i := range s.rings {
		s.rings[i].init(classes[i])
	}
	return s, nil
}

// Add records e and reports whether it was new. It reports false for an entry that was
// recorded before, and for dates whose entries were removed (see the package comment).
// It returns ErrFull if the store is full, core.ErrSignedBeforeStart as Config.RefuseBefore says, the error of ctx, or an error if Until is too
// long after SignedAt; e is not recorded then. It does not block, and allocates only if
// a bucket is created or grows.
func (s *Store) Add(ctx context.Context, e core.ReplayEntry) (added bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !s.start.IsZero() && !e.SignedAt.After(s.start) {
		return false, core.ErrSignedBeforeStart
	}
	lifetime := e.Until.Sub(e.SignedAt) // saturates
	r := s.ring(lifetime, e.Presigned)
	if r == nil {
		return false, errLifetime
	}
	// Before the sweep, so that it keeps buckets for the longer lifetime of e.
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

// mark returns a hash of 64 bits of the identity of e. The hash is keyed with a secret
// of the store, so that nobody can search for two requests with the same mark.
func (s *Store) mark(e *core.ReplayEntry) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.Write(e.Fingerprint[:])
	h.WriteString(e.Environment)
	return max(h.Sum64(), firstMark)
}

// add adds the mark of e to the bucket of its date.
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

// Stats are counts for metrics. They are not a consistent snapshot: requests may be
// added while they are read.
type Stats struct {
	// Entries is the number of entries. It may include those of running calls of Add,
	// and expired ones that the next call of Add removes.
	Entries int
	// MaxEntries is the largest number of entries.
	MaxEntries int
	// Bytes is the memory that was allocated for the entries.
	Bytes int64
	// Buckets is the number of buckets, each of which holds a span of signed dates.
	Buckets int
	// Dropped counts removed entries: those that had expired, and those too far in
	// the future after the clock was set back.
	Dropped int64
	// Forgotten counts how often Add reported false because the entries of the date
	// were removed. It stays 0 unless the clock steps or a policy accepts requests for
	// longer than before.
	Forgotten int64
}

// Stats returns the current counts.
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

// Scope returns "process": the store does not know what other processes accepted. It is
// the value of the label replay_scope in metrics.
func (s *Store) Scope() string { return "process" }
