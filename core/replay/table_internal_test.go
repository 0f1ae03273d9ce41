package replay

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// These races are too narrow to be met by chance, so they are played by hand.

// TestRequestPassedOnIsNotOvertaken: who was sent to the next table is not overtaken by
// another with the same mark, though room is given back in between.
func TestRequestPassedOnIsNotOvertaken(t *testing.T) {
	total := counter{most: 100}
	tab := newTable(64)
	for range tab.limit {
		if got := tab.reserve(&total); got != fresh {
			t.Fatalf("got %v", got)
		}
	}
	if got := tab.add(12345, &total); got != passed {
		t.Fatalf("full table: got %v, want passed", got)
	}
	tab.release(&total)
	if got := tab.add(12345, &total); got != passed {
		t.Errorf("again: got %v, want passed", got)
	}
	if got := tab.add(1<<63, &total); got != fresh {
		t.Errorf("another: got %v, want fresh", got)
	}
}

// TestAbsorbedTableTakesNothing: whoever has reserved but not yet written when the table
// is absorbed finds no room, and goes on to where the others look.
func TestAbsorbedTableTakesNothing(t *testing.T) {
	total := counter{most: 1000}
	from, to := newTable(64), newTable(128)
	marks := []uint64{2, 1 << 63, 1<<64 - 1, 1<<63 + 1}
	for _, m := range marks {
		from.add(m, &total)
	}
	for from.reserve(&total) == fresh {
	}
	if got := from.add(1<<62, &total); got != passed {
		t.Fatalf("full table: got %v, want passed", got)
	}
	for range from.limit - int64(len(marks)) - 1 {
		from.release(&total)
	}
	from.append(newTable(64))
	to.absorb(from)
	ends := 0 // slots that end a search
	for i := range from.slots {
		if from.slots[i].Load() == moved {
			ends++
		}
	}
	if want := len(from.slots) - len(marks); ends != want {
		t.Fatalf("%d slots lead to the next table, want %d", ends, want)
	}
	from.release(&total)
	for _, m := range marks {
		if got := to.add(m, &total); got != seen {
			t.Errorf("mark %x: got %v, want seen", m, got)
		}
	}
	if n := to.used.Load(); n != int64(len(marks)) || total.n.Load() != n {
		t.Errorf("got %d marks, %d in all, want %d", n, total.n.Load(), len(marks))
	}
}

// TestClosedCounts: what is reserved when a bucket is dropped is counted off
// once, and nothing can be added from then on.
func TestClosedCounts(t *testing.T) {
	for _, seal := range []bool{false, true} {
		total := counter{most: 1000}
		tab := newTable(64)
		tab.add(5, &total)
		tab.reserve(&total)
		if seal {
			tab.append(newTable(64))
		}
		if got := tab.close(&total); got != 2 {
			t.Errorf("closed %d marks, want 2", got)
		}
		tab.release(&total)
		if got := tab.add(6, &total); got != passed {
			t.Errorf("closed table: got %v, want passed", got)
		}
		if got := total.n.Load(); got != 0 {
			t.Errorf("%d left in all, want 0", got)
		}
	}
}

// TestRemovedWhileAdding: a bucket that is removed while a request is added to it takes the
// request no more, and the request is counted as one of a removed bucket.
func TestRemovedWhileAdding(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	e := core.ReplayEntry{Environment: "prod", SignedAt: now, Until: now.Add(time.Minute), Now: now}
	if ok, err := s.Add(t.Context(), e); !ok || err != nil {
		t.Fatalf("got %v, %v", ok, err)
	}
	r := &s.rings[0]
	s.drop(r, (*r.buckets.Load())[r.index(now.Unix())]) // what Add has found still leads to it
	e.Fingerprint[0] = 1
	if ok, err := s.Add(t.Context(), e); ok || err != nil {
		t.Errorf("got %v, %v, want false", ok, err)
	}
	if got := s.Stats(); got.Forgotten != 1 || got.Dropped != 1 || got.Entries != 0 {
		t.Errorf("got %+v, want one entry dropped, and one forgotten", got)
	}
}

// TestSpans: adjacent indexes are one span, in whatever order they are added.
func TestSpans(t *testing.T) {
	indexes := []int64{-3, -2, 5, 6, 7, 9}
	each := func(s spans) {
		if len(s) != 3 || s[0] != (span{-3, -2}) || s[1] != (span{5, 7}) || s[2] != (span{9, 9}) {
			t.Errorf("%v: got %v", indexes, s)
		}
	}
	var permute func(n int)
	permute = func(n int) {
		if n == len(indexes) {
			var s spans
			for _, i := range append(indexes, indexes[0]) {
				s.add(i)
			}
			each(s)
			return
		}
		for i := n; i < len(indexes); i++ {
			indexes[n], indexes[i] = indexes[i], indexes[n]
			permute(n + 1)
			indexes[n], indexes[i] = indexes[i], indexes[n]
		}
	}
	permute(0)
}

// TestManySpans: has is true of what was added, and of what lies between where there are
// too many spans; the widest gap stays.
func TestManySpans(t *testing.T) {
	for name, add := range map[string]func(s *spans, i int64){
		"upwards":   func(s *spans, i int64) { s.add(100 + 3*i) },
		"downwards": func(s *spans, i int64) { s.add(1_000_000 - 3*i) },
		"both":      func(s *spans, i int64) { s.add(100 + 3*i); s.add(1_000_000 - 3*i) },
	} {
		var s spans
		for i := range int64(10 * maxSpans) {
			if add(&s, i); len(s) > maxSpans {
				t.Fatalf("%s: %d spans", name, len(s))
			}
		}
		for i := range int64(10 * maxSpans) {
			if name != "downwards" && !s.has(100+3*i) || name != "upwards" && !s.has(1_000_000-3*i) {
				t.Fatalf("%s: %d is forgotten", name, i)
			}
		}
		for _, i := range []int64{-4, 99, 500_000, 1_000_001} {
			if s.has(i) {
				t.Errorf("%s: %d was never added, and is in no narrow gap", name, i)
			}
		}
	}
}

// TestClosestSpans: 512 spans are kept apart, and with one more the two that are closest
// are joined.
func TestClosestSpans(t *testing.T) {
	for _, closest := range []int64{0, 1, 2, maxSpans / 2, maxSpans - 2, maxSpans - 1} {
		var s spans
		at, gap := int64(0), int64(0) // of the two that are closest
		for i := range int64(maxSpans) {
			s.add(at)
			s.add(at + 1)
			switch at += 12; i {
			case closest:
				at -= 5
				gap = at - 1
			case closest / 2: // closer than most
				at -= 3
			}
		}
		if len(s) != maxSpans || s.has(gap) {
			t.Fatalf("closest %d: %d spans, want %d; the gap is closed: %v", closest, len(s), maxSpans, s.has(gap))
		}
		s.add(at)
		if len(s) != maxSpans || !s.has(gap) || s.has(gap-8) || s.has(gap+8) {
			t.Errorf("closest %d: %d spans, the gap is closed: %v, others: %v, %v", closest, len(s), s.has(gap), s.has(gap-8), s.has(gap+8))
		}
	}
}

// TestRedeemedPermissionsAreRemoved: permissions that were redeemed take no more memory than
// the others, also while an older one is kept.
func TestRedeemedPermissionsAreRemoved(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for n := range 10_000 {
		e := core.ReplayEntry{Environment: "prod", SignedAt: now, Until: now.Add(time.Hour), Now: now}
		binary.LittleEndian.PutUint64(e.Fingerprint[:], uint64(n))
		if err := s.Permit(t.Context(), e, time.Minute); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			s.Redeem(t.Context(), e)
		}
	}
	if got := len(s.permitted.list); got > 100 {
		t.Errorf("one permission counts, and %d are held", got)
	}
}
