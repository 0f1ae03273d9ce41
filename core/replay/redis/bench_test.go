package redis_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// BenchmarkAdd is with a server on the same machine, which shares its CPUs.
func BenchmarkAdd(b *testing.B) {
	server := startServer(b)
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			server.ask("FLUSHALL")
			s := open(b, server.url(""), func(c *redis.Config) { c.ClockStep = time.Minute })
			works(b, s)
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var running sync.WaitGroup
			for range callers {
				running.Go(func() {
					for next.Add(1) <= int64(b.N) {
						if added, err := s.Add(context.Background(), entry()); err != nil || !added {
							b.Errorf("got %v, %v", added, err)
							return
						}
					}
				})
			}
			running.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
		})
	}
}
