package replay_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay"
)

// grow adds n requests of one second, the first with the number from, and returns how
// often the store took more memory.
func grow(t *testing.T, s *replay.Store, from, n uint64, at time.Time) (times int) {
	t.Helper()
	bytes := s.Stats().Bytes
	for i := range n {
		want(t, s, request(from+i, at), true, "new")
		if now := s.Stats().Bytes; now > bytes {
			times++
			bytes = now
		}
	}
	return times
}

// TestTablesOfBuckets: a bucket has room for as many requests as the one before it, and then
// for as many as any of the last eight. Each request takes what the package comment says.
func TestTablesOfBuckets(t *testing.T) {
	const busy, quiet = 3000, 600
	for _, tt := range []struct {
		name   string
		before []uint64 // after many busy ones
		n      uint64
		parts  int // in which the bucket takes its memory; 0: more than two
		room   int // for how many requests, in those parts
	}{
		{"even", nil, busy, 1, busy},
		{"quiet after busy", nil, quiet, 1, busy},
		{"quiet", []uint64{quiet}, quiet, 1, quiet},
		{"busy after one quiet", []uint64{quiet}, busy, 2, busy},
		{"busy after seven quiet", []uint64{quiet, quiet, quiet, quiet, quiet, quiet, quiet}, busy, 2, busy},
		{"busy after eight quiet", []uint64{quiet, quiet, quiet, quiet, quiet, quiet, quiet, quiet}, busy, 0, 0},
		{"a tenth more", nil, busy * 11 / 10, 2, busy * 9 / 8},
	} {
		s, n, at := newStore(t, 0), uint64(0), start
		for _, requests := range append(slices.Repeat([]uint64{busy}, 12), tt.before...) {
			for range requests {
				want(t, s, request(n, at), true, "new")
				n++
			}
			at = at.Add(15 * time.Second)
		}
		before := s.Stats().Bytes
		parts := grow(t, s, n, tt.n, at)
		bytes := float64(s.Stats().Bytes-before) / float64(max(tt.room, 1))
		switch {
		case tt.parts == 0 && parts <= 2, tt.parts > 0 && parts != tt.parts:
			t.Errorf("%s: memory was taken in %d parts, want %d", tt.name, parts, tt.parts)
		case tt.parts > 0 && (bytes < 10.6 || bytes > 11.2):
			t.Errorf("%s: %.2f bytes for each request, want 10.7", tt.name, bytes)
		}
	}
}

// TestBurst: a bucket grows in few steps to any size, takes at most 16 bytes for each
// request on the way, and is searched in at most three tables.
func TestBurst(t *testing.T) {
	n := 100_000
	s := newStore(t, n)
	bytes, steps, most := s.Stats().Bytes, 0, 0
	for i := range uint64(n) {
		want(t, s, request(i, start), true, "new")
		got := s.Stats()
		if got.Bytes > bytes {
			steps++
			most = max(most, replay.LongestChain(s))
		}
		bytes = got.Bytes
		if got.Entries > 20_000 && bytes > 16*int64(got.Entries) {
			t.Fatalf("%d bytes for %d requests", bytes, got.Entries)
		}
	}
	t.Logf("%d steps, %d bytes", steps, bytes)
	if steps > 40 || most != 3 {
		t.Errorf("the bucket grew %d times and had %d tables, want at most 40 times and 3", steps, most)
	}
}
