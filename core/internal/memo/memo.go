// Package memo remembers the results of pure functions.
package memo

import (
	"hash/maphash"
	"sync/atomic"
)

// A Memo remembers what a function has returned for some of its arguments. The
// function depends on its argument alone, so whoever calls it gets the same value
// whether the memo has it or not. Values are shared, and nobody changes them.
//
// A Memo is bounded: it is a table of small sets, and a set that is full starts
// anew. It is safe for concurrent use, and no call waits for another. The zero Memo
// is empty.
type Memo[K comparable, V any] struct {
	sets [256]atomic.Pointer[set[K, V]]
}

// set is immutable.
type set[K comparable, V any] struct {
	entries [4]entry[K, V]
	n       int
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

var seed = maphash.MakeSeed()

func (m *Memo[K, V]) at(key K) *atomic.Pointer[set[K, V]] {
	return &m.sets[maphash.Comparable(seed, key)%uint64(len(m.sets))]
}

// Get returns the value of a key, and false where it is not remembered.
func (m *Memo[K, V]) Get(key K) (value V, ok bool) {
	if s := m.at(key).Load(); s != nil {
		for i := range s.entries[:s.n] {
			if e := &s.entries[i]; e.key == key {
				return e.value, true
			}
		}
	}
	return value, false
}

// Put remembers a value. The key and the value must not refer to memory that is
// used for something else later, or that is much larger than they are.
func (m *Memo[K, V]) Put(key K, value V) {
	at := m.at(key)
	old, next := at.Load(), new(set[K, V])
	if old != nil && old.n < len(old.entries) {
		*next = *old
	}
	next.entries[next.n] = entry[K, V]{key, value}
	next.n++
	at.CompareAndSwap(old, next) // where another call was faster, the value is found again
}
