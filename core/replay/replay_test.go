package replay_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

const skew = 15 * time.Minute

var start = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// request n, signed and sent at the same time.
func request(n uint64, at time.Time) core.ReplayEntry {
	e := core.ReplayEntry{Environment: "prod", SignedAt: at, Until: at.Add(skew), Now: at}
	binary.LittleEndian.PutUint64(e.Fingerprint[7:], n)
	return e
}

func at(e core.ReplayEntry, now time.Time) core.ReplayEntry {
	e.Now = now
	return e
}

func newStore(t testing.TB, entries int) *replay.Store {
	t.Helper()
	s, err := replay.New(replay.Config{MaxEntries: entries})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func want(t testing.TB, s *replay.Store, e core.ReplayEntry, want bool, what string) {
	t.Helper()
	if got, err := s.Add(context.Background(), e); got != want || err != nil {
		t.Errorf("%s: got %v, %v, want %v", what, got, err, want)
	}
}

func TestNew(t *testing.T) {
	if _, err := replay.New(replay.Config{MaxEntries: -1}); err == nil {
		t.Error("a negative number of entries: no error")
	}
	if got := newStore(t, 0).Stats(); got != (replay.Stats{MaxEntries: 1_000_000}) {
		t.Errorf("empty: got %+v", got)
	}
}

func TestSameTwice_T088(t *testing.T) {
	s := newStore(t, 0)
	e := request(1, start)
	want(t, s, e, true, "first")
	want(t, s, e, false, "again")
	want(t, s, at(e, start.Add(skew)), false, "again in the last instant")
	want(t, s, request(2, start), true, "another of the same second")
	for _, bit := range []int{0, 63, 64, 127, 200, 255} {
		other := e
		other.Fingerprint[bit/8] ^= 1 << (bit % 8)
		want(t, s, other, true, "one bit of the fingerprint differs")
	}
	if got := s.Stats(); got.Entries != 8 || got.Buckets != 1 {
		t.Errorf("got %+v, want 8 entries in 1 bucket", got)
	}
}

// TestConcurrent_T089: of 200 goroutines that add one request, one is told that
// it is new. The bucket fills and grows meanwhile, as the rounds go on.
func TestConcurrent_T089(t *testing.T) {
	s := newStore(t, 0)
	const goroutines, rounds = 200, 300
	for round := range uint64(rounds) {
		var added atomic.Int32
		var ready, done sync.WaitGroup
		ready.Add(goroutines)
		for range goroutines {
			done.Go(func() {
				ready.Done()
				ready.Wait()
				if ok, err := s.Add(context.Background(), request(round, start)); err != nil {
					t.Error(err)
				} else if ok {
					added.Add(1)
				}
			})
		}
		done.Wait()
		if added.Load() != 1 {
			t.Fatalf("round %d: new to %d of %d", round, added.Load(), goroutines)
		}
	}
	if got := s.Stats().Entries; got != rounds {
		t.Errorf("got %d entries, want %d", got, rounds)
	}
}

// TestConcurrentGrowth: eight goroutines add the same requests to one bucket,
// each in another order, while its tables are replaced. Each is new to one.
func TestConcurrentGrowth(t *testing.T) {
	const n = 50_021 // a prime
	s := newStore(t, n)
	var added [n]atomic.Int32
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			for i := range uint64(n) {
				i = i * (1 + g/2) % n
				if ok, err := s.Add(context.Background(), request(i, start)); err != nil && !errors.Is(err, replay.ErrFull) {
					t.Error(err)
				} else if ok {
					added[i].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for i := range added {
		if got := added[i].Load(); got > 1 {
			t.Fatalf("request %d: new to %d", i, got)
		}
	}
	for i := range added { // reservations that were not needed may have made it look full
		if ok, err := s.Add(context.Background(), request(uint64(i), start)); err != nil || ok != (added[i].Load() == 0) {
			t.Fatalf("request %d: got %v, %v, new to %d before", i, ok, err, added[i].Load())
		}
	}
	if got := s.Stats(); got.Entries != n {
		t.Errorf("got %+v, want %d entries", got, n)
	}
}

// TestOtherInstance_T090: what the package comment says, that another process
// knows nothing of this one.
func TestOtherInstance_T090(t *testing.T) {
	a, b := newStore(t, 0), newStore(t, 0)
	want(t, a, request(1, start), true, "one instance")
	want(t, b, request(1, start), true, "another instance")
	if got := a.Scope(); got != "process" {
		t.Errorf("scope: got %q", got)
	}
}

// TestTwoEnvironments_T098: the environment is part of the entry, and no part
// of one stands for part of the other.
func TestTwoEnvironments_T098(t *testing.T) {
	s := newStore(t, 0)
	e := request(1, start)
	for _, environment := range []string{"prod", "test", "Prod", "prod ", "", "\x00", "\x00\x00"} {
		e.Environment = environment
		want(t, s, e, true, environment)
	}
	want(t, s, e, false, "the last one again")
	e.Environment = "prod"
	want(t, s, e, false, "the first one again")
}

// TestFullStore: what is new is refused with an error, what was seen as seen, and
// the room comes back with time.
func TestFullStore(t *testing.T) {
	for _, most := range []int{1, 51, 52, 1000, 30_000} {
		s := newStore(t, most)
		for n := range uint64(most) {
			want(t, s, request(n, start), true, "while there is room")
		}
		bytes := s.Stats().Bytes
		for n := range uint64(2 * most) {
			ok, err := s.Add(context.Background(), request(n, start))
			if ok || (n >= uint64(most)) != errors.Is(err, replay.ErrFull) {
				t.Fatalf("%d of %d: got %v, %v", n, most, ok, err)
			}
		}
		if got := s.Stats(); got.Entries != most || got.Bytes != bytes {
			t.Errorf("got %+v, want %d entries in %d bytes", got, most, bytes)
		}
		want(t, s, request(0, start.Add(skew+16*time.Second)), true, "when the others have expired")
	}
}

// TestRefuseBefore_T194 is that nothing is accepted that another store may have recorded
// before, whatever the request and the clock, and that later ones are as without.
func TestRefuseBefore_T194(t *testing.T) {
	for _, fraction := range []time.Duration{0, 1, time.Second - 1} {
		from := start.Add(fraction)
		s, err := replay.New(replay.Config{RefuseBefore: from})
		if err != nil {
			t.Fatal(err)
		}
		for n, signed := range []time.Duration{-time.Hour, -skew, -time.Second, 0} {
			for _, now := range []time.Duration{-time.Minute, 0, time.Minute} {
				for _, presigned := range []bool{false, true} {
					e := at(request(uint64(n), start.Add(signed)), from.Add(now))
					e.Presigned = presigned
					if ok, err := s.Add(context.Background(), e); ok || !errors.Is(err, core.ErrSignedBeforeStart) {
						t.Errorf("signed %v from the start: got %v, %v, want ErrSignedBeforeStart", signed-fraction, ok, err)
					}
				}
			}
		}
		for n, signed := range []time.Duration{time.Second, skew} {
			e := at(request(uint64(100+n), start.Add(signed)), from)
			want(t, s, e, true, "signed after the start")
			want(t, s, e, false, "the same again")
		}
	}
}

// TestRefuseBeforeNothing: without RefuseBefore no date is before the start.
func TestRefuseBeforeNothing(t *testing.T) {
	for _, signed := range []time.Time{{}, time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		want(t, newStore(t, 0), request(1, signed), true, signed.String())
	}
}

// TestRefusedAsFull_T088 is that a request which a full store could not record is new
// later, also after the bucket of its date was removed.
func TestRefusedAsFull_T088(t *testing.T) {
	s := newStore(t, 2)
	for n := range uint64(2) {
		want(t, s, at(request(n, start.Add(-14*time.Minute)), start), true, "new")
	}
	a := request(7, start)
	if _, err := s.Add(context.Background(), a); !errors.Is(err, replay.ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	later := start.Add(skew + 20*time.Second)
	want(t, s, request(8, later), true, "another one, for which expired entries are removed")
	a.Until = start.Add(time.Hour) // after a reload
	want(t, s, at(a, later), true, "the refused one")
	want(t, s, at(a, later), false, "the same again")
}

// TestFullStoreConcurrently: the bound holds exactly, and no request is lost to it
// that was told to be new.
func TestFullStoreConcurrently(t *testing.T) {
	const most = 5000
	s := newStore(t, most)
	var added, full atomic.Int64
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			for n := range uint64(most) {
				switch ok, err := s.Add(context.Background(), request(n*8/5+g, start)); {
				case ok:
					added.Add(1)
				case errors.Is(err, replay.ErrFull):
					full.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got := s.Stats(); added.Load() != most || got.Entries != most || full.Load() == 0 {
		t.Errorf("%d added, %d refused as full, %+v", added.Load(), full.Load(), got)
	}
}

func TestErrors(t *testing.T) {
	s := newStore(t, 0)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if ok, err := s.Add(ctx, request(1, start)); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, %v", ok, err)
	}
	for _, until := range []time.Time{start.Add(7*24*time.Hour + 1), time.Unix(1<<60, 0)} {
		e := request(1, start)
		e.Until, e.Presigned = until, true
		if ok, err := s.Add(context.Background(), e); ok || err == nil {
			t.Errorf("until %v: got %v, %v", until, ok, err)
		}
	}
	e := request(1, start)
	e.Until = start.Add(time.Hour + 1)
	if ok, err := s.Add(context.Background(), e); ok || err == nil {
		t.Errorf("not presigned, for more than an hour: got %v, %v", ok, err)
	}
	want(t, s, request(1, start), true, "after errors, which record nothing")
}

// TestExtremeDates: nothing panics, and nothing is new twice.
func TestExtremeDates(t *testing.T) {
	dates := []time.Time{{}, time.Unix(0, 0), time.Unix(-1, 5), time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0), start}
	for _, signed := range dates {
		for _, until := range dates {
			s := newStore(t, 0)
			e := request(1, signed)
			e.Until, e.Presigned = until, until.Day() != 15
			first, err := s.Add(context.Background(), e)
			for _, now := range dates {
				again, _ := s.Add(context.Background(), at(e, now))
				if first && again || first && err != nil {
					t.Errorf("signed %v, until %v: new again at %v", signed, until, now)
				}
				first = first || again
			}
		}
	}
}
