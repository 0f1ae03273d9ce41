package replay

import "testing"

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
	from.reserve(&total)
	from.append(newTable(64))
	to.absorb(from)
	for i := range from.slots {
		if from.slots[i].Load() == nothing {
			t.Fatalf("slot %d has room", i)
		}
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

// TestSpans: has is true of what was added, and of what lies between where
// there are too many spans; the widest gap stays.
func TestSpans(t *testing.T) {
	var s spans
	for _, i := range []int64{5, 7, 6, 5, -3, -2, 9} {
		s.add(i)
	}
	if len(s) != 3 || s[0] != (span{-3, -2}) || s[1] != (span{5, 7}) || s[2] != (span{9, 9}) {
		t.Errorf("got %v", s)
	}
	for i := range int64(10 * maxSpans) {
		s.add(100 + 3*i)
		s.add(1_000_000 - 3*i)
	}
	for i := range int64(10 * maxSpans) {
		if !s.has(100+3*i) || !s.has(1_000_000-3*i) {
			t.Fatalf("%d is forgotten", i)
		}
	}
	for _, i := range []int64{-4, 500_000, 1_000_001} {
		if s.has(i) {
			t.Errorf("%d was never added, and is in no narrow gap", i)
		}
	}
	if len(s) > maxSpans {
		t.Errorf("%d spans", len(s))
	}
}
