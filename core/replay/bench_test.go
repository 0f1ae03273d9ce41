package replay_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay"
)

// traffic is steady: 15 minutes of signed dates hold n requests.
func traffic(i, n uint64) time.Time {
	return start.Add(time.Duration(i*900/n) * time.Second)
}

// BenchmarkAdd adds to a store that holds as many requests as its name says,
// while as many expire.
func BenchmarkAdd(b *testing.B) {
	for _, n := range []uint64{10_000, 1_000_000, 5_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("new/%d", n), func(b *testing.B) {
			s, next := filled(b, n)
			b.ReportAllocs()
			for b.Loop() {
				next++
				s.Add(context.Background(), request(next, traffic(next, n)))
			}
			report(b, s)
		})
		b.Run(fmt.Sprintf("parallel/%d", n), func(b *testing.B) {
			s, first := filled(b, n)
			var next atomic.Uint64
			next.Store(first)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := next.Add(1)
					s.Add(context.Background(), request(i, traffic(i, n)))
				}
			})
			report(b, s)
		})
	}
	b.Run("seen/1000000", func(b *testing.B) {
		s, next := filled(b, 1_000_000)
		now := traffic(next, 1_000_000)
		for i := uint64(0); b.Loop(); i++ {
			n := next - i*7919%900_000
			s.Add(context.Background(), at(request(n, traffic(n, 1_000_000)), now))
		}
	})
}

func filled(b *testing.B, n uint64) (s *replay.Store, next uint64) {
	s = newStore(b, int(n)*2)
	for next < n*3/2 {
		next++
		want(b, s, request(next, traffic(next, n)), true, "new")
	}
	return s, next
}

func report(b *testing.B, s *replay.Store) {
	if st := s.Stats(); st.Forgotten == 0 {
		b.ReportMetric(float64(st.Bytes)/float64(st.Entries), "B/entry")
	}
}
