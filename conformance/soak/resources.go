package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// A sample is what the process holds while no request is on its way.
type sample struct {
	goroutines, files int
	heap              int64 // bytes, after a collection
}

func take() sample {
	runtime.GC()
	runtime.GC() // what pools held through the first one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return sample{runtime.NumGoroutine(), openFiles(), int64(m.HeapAlloc)}
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// settle waits until ok, at most for as long as what was closed may take to end.
func settle(ok func() bool) bool {
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// growth applies one rule to heap, goroutines and open files. Without the first quarter of
// the samples, which is the warm-up, the median of the second half must not exceed
// that of the first half by more than a tenth and some room. Of two values in the middle it is
// the one that speaks against growth, since a run of a minute has few samples.
func growth(samples []sample) (problems []string) {
	samples = samples[(len(samples)+3)/4:]
	half := len(samples) / 2
	if half == 0 {
		return nil
	}
	check := func(what string, room int64, of func(sample) int64) {
		sorted := func(part []sample) []int64 {
			var values []int64
			for _, s := range part {
				values = append(values, of(s))
			}
			slices.Sort(values)
			return values
		}
		before, after := sorted(samples[:half])[half/2], sorted(samples[len(samples)-half:])[(half-1)/2]
		if after > before+before/10+room {
			problems = append(problems, fmt.Sprintf("%s grow: median %d in the first half after warm-up, %d in the second", what, before, after))
		}
	}
	check("bytes of heap", 2<<20, func(s sample) int64 { return s.heap })
	check("goroutines", 2, func(s sample) int64 { return int64(s.goroutines) })
	check("open files", 2, func(s sample) int64 { return int64(s.files) })
	return problems
}

// stacks are all goroutines as text.
func stacks() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}
