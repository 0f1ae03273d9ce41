package replay_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// heap is what is in use after everything else was collected.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// fill adds n requests over a span of time, two callers at once, and returns
// the most bytes that the store ever took for more than few entries, per entry.
func fill(t testing.TB, s *replay.Store, n uint64, span time.Duration) (peak float64) {
	const few = 20_000
	var wg sync.WaitGroup
	for g := range uint64(2) {
		wg.Go(func() {
			for i := g; i < n; i += 2 {
				e := request(i, start.Add(time.Duration(float64(span)*float64(i)/float64(n))).Truncate(time.Second))
				if ok, err := s.Add(context.Background(), e); !ok || err != nil {
					t.Errorf("request %d: got %v, %v", i, ok, err)
					return
				}
				if g == 0 && i%1024 == 0 {
					if st := s.Stats(); st.Entries > few {
						peak = max(peak, float64(st.Bytes)/float64(st.Entries))
					}
				}
			}
		})
	}
	wg.Wait()
	return peak
}

// refill adds the same again, and returns how many were new.
func refill(s *replay.Store, n uint64, span time.Duration) (added int) {
	for i := range n {
		e := request(i, start.Add(time.Duration(float64(span)*float64(i)/float64(n))).Truncate(time.Second))
		if ok, _ := s.Add(context.Background(), e); ok {
			added++
		}
	}
	return added
}

// TestGrowth_T096: 100,000 requests take few bytes each, and no more are kept
// than MaxEntries.
func TestGrowth_T096(t *testing.T) {
	before := heap()
	s := newStore(t, 0)
	peak := fill(t, s, 100_000, skew)
	used, st := heap()-before, s.Stats()
	t.Logf("%d entries: %d bytes in the heap, %d by Stats, peak %.1f per entry", st.Entries, used, st.Bytes, peak)
	if st.Entries != 100_000 || used > 100_000*16+200_000 || st.Bytes > 100_000*16 {
		t.Errorf("%d bytes in the heap, %+v", used, st)
	}
	if used > st.Bytes*5/4+50_000 || used < st.Bytes*3/4 {
		t.Errorf("Stats says %d bytes, the heap grew by %d", st.Bytes, used)
	}
	if added := refill(s, 100_000, skew); added != 0 {
		t.Errorf("%d replays let through", added)
	}
	runtime.KeepAlive(s)
}

// TestMemoryAtPeak: five million requests take at most 16 bytes each at any moment,
// in steady traffic and in one burst, and none of them is new again.
func TestMemoryAtPeak(t *testing.T) {
	needs.Long(t) // adds millions of entries
	for name, tt := range map[string]struct {
		n    uint64
		span time.Duration
	}{"steady": {5_000_000, skew}, "rising": {1_000_000, 20 * time.Second}, "burst": {1_000_000, time.Second}} {
		n, span := tt.n, tt.span
		if raceEnabled {
			n /= 20
		}
		before := heap()
		s := newStore(t, int(n))
		peak := fill(t, s, n, span)
		used, st := float64(heap()-before)/float64(n), s.Stats()
		t.Logf("%s: %.2f bytes per entry in the heap, %.2f by Stats, peak %.2f", name, used, float64(st.Bytes)/float64(n), peak)
		if peak > 16 || used > 16.2 {
			t.Errorf("%s: %.2f bytes per entry in the heap, peak %.2f, want at most 16", name, used, peak)
		}
		if longest := replay.LongestChain(s); longest > 3 {
			t.Errorf("%s: %d tables in a bucket", name, longest)
		}
		if added := refill(s, n, span); added != 0 {
			t.Errorf("%s: %d replays let through", name, added)
		}
		runtime.KeepAlive(s)
	}
}

// TestMemoryInSteadyTraffic: an hour of even traffic takes at most 11 bytes per entry once
// the store knows what to expect, though gateways' clocks differ.
func TestMemoryInSteadyTraffic(t *testing.T) {
	perSecond := uint64(1000)
	if raceEnabled {
		perSecond /= 10
	}
	s := newStore(t, 0)
	var n uint64
	for second := range uint64(3600) {
		now := start.Add(time.Duration(second) * time.Second)
		for range perSecond {
			n++
			ahead := time.Duration(n%3) * time.Second
			if n%1000 == 0 {
				ahead = skew
			}
			e := request(n, now.Add(ahead))
			e.Now = now
			want(t, s, e, true, "new")
		}
		if st := s.Stats(); second > 2000 && !raceEnabled && st.Bytes > int64(st.Entries)*11 {
			t.Fatalf("at second %d: %.2f bytes per entry: %+v", second, float64(st.Bytes)/float64(st.Entries), st)
		}
	}
	st := s.Stats()
	t.Logf("%.2f bytes per entry: %+v", float64(st.Bytes)/float64(st.Entries), st)
}

// TestAllocations: adding allocates nothing, nor does refusing.
func TestAllocations(t *testing.T) {
	s := newStore(t, 100_000)
	fill(t, s, 90_000, time.Second)
	ctx, n := t.Context(), uint64(1<<32)
	for name, add := range map[string]func(){
		"new":     func() { n++; s.Add(ctx, request(n, start)) },
		"seen":    func() { s.Add(ctx, request(1, start)) },
		"at work": func() { n++; s.Add(ctx, at(request(n, start), start.Add(time.Duration(n%100)*time.Second))) },
	} {
		before := s.Stats().Bytes
		got := testing.AllocsPerRun(1000, add)
		if s.Stats().Bytes == before && got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
		if s.Stats().Bytes != before {
			t.Errorf("%s: the bucket grew, which this test is not about", name)
		}
	}
	full := newStore(t, 1)
	want(t, full, request(1, start), true, "new")
	if got := testing.AllocsPerRun(1000, func() { full.Add(ctx, request(2, start)) }); got != 0 {
		t.Errorf("full: %v allocations", got)
	}
}
