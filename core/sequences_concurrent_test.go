package core_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestSequencesConcurrently: each of many requests at once is judged as by a new
// Verifier of one policy: the one in force before a reload or after it, while the reload
// is under way; else the one that is in force. The counters of Status are then the sum
// of what these new Verifiers have counted, and no body is held.
func TestSequencesConcurrently(t *testing.T) {
	const requests, workers = 24, 4
	seeds, rounds := uint64(needs.Rounds(1, 3)), 25
	if raceEnabled {
		rounds = 5
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		g := newSequenceGenerator(seed)
		g.unique = true
		s, _, _ := play(t, nil)
		for round := range rounds {
			if round%5 == 4 {
				g.clock()
			}
			s.now = g.now
			before := s.policy
			for valid := false; !valid; { // some changes do not go together
				g.policy = before
				g.reload()
				_, err := s.fresh(&g.policy)
				valid = err == nil
			}
			if g.policy.environment = "a"; before.environment == "a" {
				g.policy.environment = "b" // so that outcomes tell the policies apart
			}
			g.policy.silent = false
			s.policy = g.policy
			all := make([]judged, requests)
			for i := range all {
				all[i] = judged{q: g.anyRequest(), m: anyManner(g.random)}
				all[i].m.mounted = false // each time, the policy of that time judges
				all[i].before.judge(s, &before, &all[i])
				all[i].after.judge(s, &s.policy, &all[i])
			}
			s.allAtOnce(all, workers)
			for i := range all {
				j := &all[i]
				switch {
				case j.got == j.before.text && !j.late:
					s.expected.add(&before, j.before.counts)
				case j.got == j.after.text && !j.early:
					s.expected.add(&s.policy, j.after.counts)
				case j.late:
					t.Fatalf("seed %d, round %d, after the reload, %s: %v:\n  %s", seed, round, j.q.name, j.m, difference(j.got, j.after.text))
				default:
					t.Fatalf("seed %d, round %d, before or while reloading, %s: %v:\n  %s", seed, round, j.q.name, j.m, difference(j.got, j.before.text))
				}
			}
			if n := s.verifier.Buffered(); n != 0 {
				t.Fatalf("seed %d, round %d: %d bytes are held at the end", seed, round, n)
			}
			fresh, err := s.fresh(&s.policy)
			if err != nil {
				t.Fatal(err)
			}
			if problem := difference(countersOf(s.verifier.Status()), s.expected.text(&s.policy, fresh.Status())); problem != "" {
				t.Fatalf("seed %d, round %d, counters: %s", seed, round, problem)
			}
		}
	}
}

// judged is one request of many, and what may come of it.
type judged struct {
	q             *sequenceRequest
	m             manner
	before, after outcome
	got           string
	early, late   bool // it ended before the reload began, or began after its end
}

type outcome struct {
	text   string
	counts core.Status
}

// judge is what a new verifier of the policy does.
func (o *outcome) judge(s *sequence, p *sequencePolicy, j *judged) {
	v, err := core.New(p.config(builder{}, new(sequenceStore), s.clock))
	if err != nil {
		s.t.Fatal(err)
	}
	o.text = j.m.send(v, j.received())
	o.counts = v.Status()
}

func (j *judged) received() *http.Request {
	return j.q.received(context.WithValue(context.Background(), traceKey{}, new(trace)))
}

// allAtOnce sends the requests from several goroutines. One of them reloads in the middle.
func (s *sequence) allAtOnce(all []judged, workers int) {
	config := s.policy.config(s.kept, &s.store, s.clock)
	var next atomic.Int64
	var began, ended atomic.Bool // the reload
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				if i == int64(len(all)/2) {
					began.Store(true)
					if err := s.verifier.Reload(config); err != nil {
						s.t.Error(err)
					}
					ended.Store(true)
				}
				j := &all[i]
				j.late = ended.Load()
				j.got = j.m.send(s.verifier, j.received())
				j.early = !began.Load()
			}
		})
	}
	running.Wait()
}
