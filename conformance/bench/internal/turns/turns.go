// Package turns measures functions that take turns, so that other load of the machine
// affects all of them.
package turns

import (
	"runtime"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/bench/internal/report"
)

// A Func does the same each time. An error ends the program: what fails is not measured.
type Func func() error

// Times are the seconds that a call took in each round.
type Times []float64

// Over returns the median of the ratios to other in the same rounds.
func (t Times) Over(other Times) float64 {
	return median(t, other, func(a, b float64) float64 { return a / b })
}

// Minus returns the median of the differences to other in the same rounds.
func (t Times) Minus(other Times) float64 {
	return median(t, other, func(a, b float64) float64 { return a - b })
}

func median(t, other Times, of func(a, b float64) float64) float64 {
	values := make([]float64, len(t))
	for i := range t {
		values[i] = of(t[i], other[i])
	}
	return report.Median(values)
}

// Measure calls each function for about span in each round. A nil function has no times.
func Measure(all []Func, rounds int, span time.Duration) []Times {
	calls := make([]int, len(all))
	for i, f := range all {
		if f != nil {
			calls[i] = Calls(f, span)
		}
	}
	times := make([]Times, len(all))
	for range rounds {
		for i, f := range all {
			if f == nil {
				continue
			}
			runtime.GC() // so that the garbage of one does not slow the next
			run(f, 1+calls[i]/10)
			times[i] = append(times[i], run(f, calls[i]).Seconds()/float64(calls[i]))
		}
	}
	return times
}

// Calls returns how often f can be called in a span.
func Calls(f Func, span time.Duration) int {
	for n := 1; ; n *= 2 {
		if took := run(f, n); took >= span {
			return max(1, int(float64(n)*float64(span)/float64(took)))
		}
	}
}

// Allocated returns the allocations of a call, and their bytes: the smallest result of
// several, because a garbage collection empties pools.
func Allocated(f Func, calls int) (allocations, bytes float64) {
	var before, after runtime.MemStats
	for i := range 5 {
		runtime.ReadMemStats(&before)
		run(f, calls)
		runtime.ReadMemStats(&after)
		a, b := float64(after.Mallocs-before.Mallocs)/float64(calls), float64(after.TotalAlloc-before.TotalAlloc)/float64(calls)
		if i == 0 || a < allocations {
			allocations, bytes = a, b
		}
	}
	return allocations, bytes
}

func run(f Func, calls int) time.Duration {
	start := time.Now()
	for range calls {
		if err := f(); err != nil {
			panic(err)
		}
	}
	return time.Since(start)
}
