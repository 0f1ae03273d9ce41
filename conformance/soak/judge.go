package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An expectation is what the client knows about the verdict on a message.
type expectation struct {
	// policy is the verdict without the replay store, under a generation of the file.
	// nil accepts.
	policy func(generation int) int
	// late is the verdict of the handler's reads, after the replay store; 0 accepts.
	late int
	// unchecked messages are accepted again and again: their scheme signs nothing.
	unchecked bool
	// replayed messages were accepted in the state recorded.
	replayed bool
	recorded int
	// dated messages may have expired.
	dated bool
}

func always(status int) func(int) int { return func(int) int { return status } }

// A verdict is what may be right, what was got, and what was going on.
type verdict struct {
	allowed     []int
	first, last int   // generations in force
	states      []int // of Redis
	excused     bool  // refused for the slowness of this machine
	problem     string
}

// judge compares an answer with what the policies and the states of Redis between its
// beginning and its end make of the message.
func (s *soak) judge(m *message, want expectation, got answer) (v verdict) {
	v.first, v.last = m.adapter.during(got.from, got.to)
	v.states = s.redis.during(m.adapter.name, got.from, got.to)
	allow := func(status int) {
		if !slices.Contains(v.allowed, status) {
			v.allowed = append(v.allowed, status)
		}
	}
	accept := http.StatusOK
	if want.late != 0 {
		accept = want.late
	}
	for generation := v.first; generation <= v.last; generation++ {
		status := http.StatusOK
		if want.policy != nil {
			status = want.policy(generation)
		}
		if status != http.StatusOK {
			allow(status)
			continue
		}
		if want.unchecked {
			allow(accept)
			continue
		}
		for _, state := range v.states {
			switch {
			case state == down:
				allow(http.StatusServiceUnavailable)
			case want.replayed && state == want.recorded:
				allow(http.StatusUnauthorized)
				continue
			default:
				allow(accept)
			}
			if want.dated {
				allow(http.StatusUnauthorized)
			}
		}
	}
	switch late := got.to.Sub(got.from) > bodyTimeout*3/4 && m.plan.then == "" || s.stalls.during(got.from, got.to); {
	case slices.Contains(v.allowed, got.status):
	case late && (got.status == http.StatusUnauthorized || got.status == http.StatusServiceUnavailable):
		v.excused = true
	default:
		v.problem = "another verdict than those that can be right"
	}
	n := int(m.runs.Load())
	switch sum := sha256.Sum256(m.body); {
	case v.problem != "":
	case got.status == http.StatusOK && strings.TrimSpace(got.text) != m.key+" "+hex.EncodeToString(sum[:]):
		v.problem = fmt.Sprintf("the handler did not see the key %s and the body that was sent", m.key)
	case got.status != http.StatusOK && n != m.accepted:
		v.problem = "refused, but the handler has seen the whole request"
	case got.status == http.StatusOK && n != m.accepted+1:
		v.problem = fmt.Sprintf("accepted, but handlers have run %d times, want %d", n, m.accepted+1)
	case got.err != nil && got.status == http.StatusOK:
		v.problem = "the answer ended early"
	}
	if got.status == http.StatusOK && !want.unchecked {
		s.redis.answered(m.adapter.name, got.from, got.to)
	}
	return v
}

// stalls are the times at which this machine gave the program no processor.
type stalls struct {
	locked[[][2]time.Time]
}

const (
	stall     = 400 * time.Millisecond
	aftermath = 3 * time.Second // in which what was late is refused
)

// watch notes stalls until done.
func (s *stalls) watch(done <-chan struct{}) {
	tick := time.NewTicker(stall / 8)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		now := time.Now()
		if now.Sub(last) > stall {
			s.with(func(list *[][2]time.Time) { *list = append(*list, [2]time.Time{last, now.Add(aftermath)}) })
		}
		last = now
	}
}

func (s *stalls) during(from, to time.Time) (stalled bool) {
	s.with(func(list *[][2]time.Time) {
		stalled = slices.ContainsFunc(*list, func(x [2]time.Time) bool { return !to.Before(x[0]) && !from.After(x[1]) })
	})
	return stalled
}

func (s *stalls) count() (n int) {
	s.with(func(list *[][2]time.Time) { n = len(*list) })
	return n
}
