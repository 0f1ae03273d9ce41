package memo_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/internal/memo"
)

// TestMemo: a memo gives what was put into it for the key, or nothing.
func TestMemo(t *testing.T) {
	var m memo.Memo[string, int]
	if _, ok := m.Get(""); ok {
		t.Error("an empty memo has a value")
	}
	m.Put("", 7)
	if got, ok := m.Get(""); !ok || got != 7 {
		t.Errorf("got %v, %v, want 7", got, ok)
	}
	found := 0
	for n := range 100_000 {
		m.Put(fmt.Sprint(n), n)
		if got, ok := m.Get(fmt.Sprint(n)); !ok || got != n {
			t.Fatalf("got %v, %v, want %d", got, ok, n)
		}
	}
	for n := range 100_000 {
		if got, ok := m.Get(fmt.Sprint(n)); ok {
			if found++; got != n {
				t.Fatalf("got %v, want %d", got, n)
			}
		}
	}
	// Of four places, a set of which nothing else is known has at least one taken.
	if found <= 256 || found > 4*256 {
		t.Errorf("%d values are remembered, want more than one in each of the 256 sets, and at most 1024", found)
	}
}

// TestConcurrent: concurrent calls see values of their own keys.
func TestConcurrent(t *testing.T) {
	var m memo.Memo[[2]string, int]
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for n := range 20_000 {
				key := [2]string{fmt.Sprint(n % 3000), "x"}
				if got, ok := m.Get(key); ok && got != n%3000 {
					t.Errorf("worker %d: got %d for %s", worker, got, key)
					return
				}
				m.Put(key, n%3000)
			}
		})
	}
	all.Wait()
}

// TestAllocations_T139: Get allocates nothing.
func TestAllocations_T139(t *testing.T) {
	var m memo.Memo[struct{ a, b, c string }, *int]
	key := struct{ a, b, c string }{"GET", "api.example.com", fmt.Sprint("/orders/", 42)}
	m.Put(key, new(int))
	if got := testing.AllocsPerRun(100, func() { m.Get(key) }); got > 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}
