package storemodel

import (
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Memory is the model of package core/replay. A restart begins a new one.
type Memory struct {
	MaxEntries int
	entries    map[identity]bucket
	removed    map[bucket]bool
	longest    time.Duration // of the clock skews seen
	relieved   time.Time
}

// A bucket holds the requests that were signed in a span of time. Presigned requests that
// are kept equally long share buckets. For the others, kept is 0.
type bucket struct {
	from        time.Time
	width, kept time.Duration
}

func bucketOf(e core.ReplayEntry) bucket {
	width, kept := 15*time.Second, time.Duration(0)
	switch lifetime := e.Until.Sub(e.SignedAt); {
	case !e.Presigned:
	case lifetime <= time.Hour:
		kept = time.Hour
	case lifetime <= 6*time.Hour:
		width, kept = time.Minute, 6*time.Hour
	case lifetime <= 24*time.Hour:
		width, kept = 5*time.Minute, 24*time.Hour
	default:
		width, kept = 30*time.Minute, 7*24*time.Hour
	}
	return bucket{e.SignedAt.Truncate(width), width, kept}
}

// NewMemory returns the model of an empty store.
func NewMemory(maxEntries int) *Memory {
	return &Memory{MaxEntries: maxEntries, entries: map[identity]bucket{}, removed: map[bucket]bool{}}
}

// Pass does nothing: the store has no clock of its own.
func (m *Memory) Pass(time.Duration) {}

// Add returns the answer to e.
func (m *Memory) Add(e core.ReplayEntry) Answer {
	b, id, now := bucketOf(e), identity{e.Environment, e.Fingerprint}, e.Now.Truncate(time.Second)
	if !e.Presigned {
		m.longest = max(m.longest, e.Until.Sub(e.SignedAt))
	}
	m.remove(func(b bucket) bool { // after the end of its last request
		last := b.from.Add(b.width - time.Second)
		return b.kept != 0 && now.After(last.Add(b.kept)) || b.kept == 0 && now.After(last.Add(m.longest))
	})
	_, seen := m.entries[id]
	full := func() bool { return !seen && !m.removed[b] && len(m.entries) >= m.MaxEntries }
	if full() && !m.relieved.Equal(now) {
		m.relieved = now
		m.remove(func(b bucket) bool { return b.from.After(now.Add(core.MaxClockSkew)) })
	}
	switch {
	case seen:
		return Seen
	case m.removed[b]:
		return Forgotten
	case full():
		return Full
	}
	m.entries[id] = b
	return New
}

func (m *Memory) remove(ended func(bucket) bool) {
	for id, b := range m.entries {
		if ended(b) {
			m.removed[b] = true
			delete(m.entries, id)
		}
	}
}
