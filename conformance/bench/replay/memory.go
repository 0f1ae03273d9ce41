package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench"
	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

const skew = 15 * time.Minute

// inMemory fills stores of growing size with 15 minutes of even traffic, and then adds as
// many new entries while the first ones expire.
func inMemory() *report.Table {
	floor := bench.Floor(bench.Requests()[0])
	table := report.New(fmt.Sprintf("In memory: nanoseconds for each check, medians of %d chunks, and bytes for each entry.", chunks),
		"entries", "filling", "full, new", "in floors", "full, seen", "full, new, two callers", "bytes", "at most")
	for n := max(chunks, *entries/1000); n <= *entries; n *= 10 {
		table.Add(grow(n, floor)...)
	}
	return table
}

func grow(n int, floor bench.Verify) []any {
	before := heap()
	s, err := replay.New(replay.Config{MaxEntries: 2*n + 1000})
	if err != nil {
		panic(err)
	}
	var peak float64
	start := time.Now()
	for i := range n {
		add(s, i, n, true)
		if i%(n/64+1) == 0 && i > n/10 {
			st := s.Stats()
			peak = max(peak, float64(st.Bytes)/float64(st.Entries))
		}
	}
	filling := time.Since(start)
	bytes := float64(heap()-before) / float64(n)

	few := min(n, 1_000_000) / chunks
	var seen, fresh, floors, both []float64
	for chunk := range chunks {
		seen = append(seen, each(few, func(i int) {
			i += chunk * few
			if ok, err := s.Add(context.Background(), entry(n-1-i*7919%n, n, n)); ok || err != nil {
				panic(fmt.Sprint("a replay was accepted: ", err))
			}
		}))
	}
	next := n
	for range chunks {
		fresh = append(fresh, each(few, func(i int) { add(s, next+i, n, true) }))
		next += few
		floors = append(floors, each(1000, func(int) {
			if err := floor(); err != nil {
				panic(err)
			}
		}))
	}
	for range chunks {
		both = append(both, each(few, func(i int) {
			if i > 0 {
				return
			}
			var callers sync.WaitGroup
			for caller := range 2 {
				callers.Go(func() {
					for i := caller; i < few; i += 2 {
						add(s, next+i, n, false)
					}
				})
			}
			callers.Wait()
		}))
		next += few
	}
	runtime.KeepAlive(s)
	return []any{fmt.Sprint(n), float64(filling.Nanoseconds()) / float64(n), report.Median(fresh), report.Median(fresh) / report.Median(floors),
		report.Median(seen), report.Median(both), bytes, peak}
}

const chunks = 100

// each returns the time of one of n calls, in nanoseconds.
func each(n int, call func(i int)) float64 {
	start := time.Now()
	for i := range n {
		call(i)
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

// add adds the i-th request of traffic with n requests in 15 minutes.
func add(s *replay.Store, i, n int, mustBeNew bool) {
	ok, err := s.Add(context.Background(), entry(i, i, n))
	if err != nil || mustBeNew && !ok {
		panic(fmt.Sprint("a new request was refused: ", err))
	}
}

var began = time.Now().Truncate(time.Second)

// entry returns the entry of the i-th request at the time of the now-th.
func entry(i, now, n int) core.ReplayEntry {
	e := core.ReplayEntry{Environment: "bench", SignedAt: at(i, n), Now: at(now, n)}
	e.Until = e.SignedAt.Add(skew)
	binary.LittleEndian.PutUint64(e.Fingerprint[:], uint64(i)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(e.Fingerprint[8:], ^uint64(i)*0xd1342543de82ef95)
	return e
}

func at(i, n int) time.Time {
	return began.Add(time.Duration(float64(skew/time.Second)*float64(i)/float64(n)) * time.Second)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
