package differential_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

var (
	duration = flag.Duration("for", 0, "how long to run; 0: as many messages as -messages says")
	messages = flag.Uint64("messages", uint64(needs.Rounds(10_000, 30_000)), "how many messages, where -for is not given")
	seed     = flag.Uint64("seed", 1, "the seed of the generator")
	first    = flag.Uint64("first", 0, "the number of the first message: 0, or where another run has ended")
	sockets  = flag.Uint64("sockets", 200, "one in so many messages is sent over sockets, through every adapter")
	only     = flag.String("only", "", "the type of key, such as sigv4; empty: all")
)

// mostClasses ends a run with so many kinds of disagreement.
const mostClasses = 20

// TestDifferential has the library and the reference judge the same messages.
func TestDifferential(t *testing.T) {
	worlds := newWorlds(t)
	if *only != "" {
		worlds = ofType(worlds, *only)
	}
	run := newRun(t, worlds)
	run.all(*messages, run.message)
	run.report()
}

// A run is one execution of the test.
type run struct {
	*testing.T
	worlds   []*world
	counts   *counts
	backends *backends
	next     atomic.Uint64
	end      uint64 // the number behind that of the last message, where -for is not given
	start    time.Time
}

func newRun(t *testing.T, worlds []*world) *run {
	trustBasic(t, worlds)
	return &run{T: t, worlds: worlds, counts: newCounts(), backends: newBackends(t), start: time.Now()}
}

// all calls judge with the numbers of so many messages, or for as long as -for says.
func (r *run) all(messages uint64, judge func(number uint64)) {
	r.next.Store(*first)
	r.end = *first + messages
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() { r.work(judge) })
	}
	stop := make(chan struct{})
	var progress sync.WaitGroup
	progress.Go(func() { r.progress(stop) })
	workers.Wait()
	close(stop)
	progress.Wait()
}

func (r *run) over(number uint64) bool {
	r.counts.mu.Lock()
	defer r.counts.mu.Unlock()
	if len(r.counts.classes) >= mostClasses {
		return true
	}
	if *duration > 0 {
		return time.Since(r.start) > *duration
	}
	return number >= r.end
}

func (r *run) work(judge func(number uint64)) {
	for {
		number := r.next.Add(1) - 1
		if r.over(number) {
			return
		}
		judge(number)
	}
}

// message makes one message, and has it judged.
func (r *run) message(number uint64) {
	d := newDice(*seed, number)
	w := pick(d, r.worlds)
	raw, kind := d.generate(w)
	f := nothing
	if d.one(8) {
		f = front(d.IntN(numberOfFront))
	}
	v, o, found, reached := w.try(raw, f)
	r.counts.mu.Lock()
	r.counts.messages++
	if !reached {
		r.counts.notHTTP++
	}
	r.counts.mu.Unlock()
	if !reached {
		return
	}
	r.counts.add(kind, v, &o)
	if found != nil {
		r.fail(number, w, f, raw, v, &o, found)
		return
	}
	if number%*sockets == 0 {
		o, found := r.backends.overSockets(w, raw, v, r.counts.sent)
		if found != nil {
			r.failOnce(found.class, func() {
				r.Errorf("%s\n%s\nseed %d, message %d, verifier %q\nmessage:\n%s\nreference: %v\nlibrary: %s", found.class, found.text, *seed, number, w.name, brief(raw), verdict(v), o)
			})
		}
	}
}

// fail reports a disagreement, and the smallest message of its class. A class is reported
// once.
func (r *run) fail(number uint64, w *world, f front, raw []byte, v reference.Verdict, o *outcome, found *disagreement) {
	r.failOnce(found.class, func() { r.failed(number, w, f, raw, v, o, found) })
}

// failOnce counts a disagreement, and calls report for the first of its class.
func (r *run) failOnce(class string, report func()) {
	r.counts.mu.Lock()
	r.counts.classes[class]++
	times := r.counts.classes[class]
	r.counts.mu.Unlock()
	if times == 1 {
		report()
	}
}

func (r *run) failed(number uint64, w *world, f front, raw []byte, v reference.Verdict, o *outcome, found *disagreement) {
	small := minimise(raw, func(shorter []byte) bool {
		_, _, other, _ := w.try(shorter, f)
		return other != nil && other.class == found.class
	})
	smallVerdict, smallOutcome, _, _ := w.try(small, f)
	r.Errorf("%s\n%s\nseed %d, message %d, verifier %q, front %d, after %v\nmessage:\n%s\nreference: %v\nlibrary: %s\nminimised:\n%s\nreference: %v\nlibrary: %s",
		found.class, found.text, *seed, number, w.name, f, time.Since(r.start).Round(time.Millisecond), brief(raw), verdict(v), o, brief(small), verdict(smallVerdict), &smallOutcome)
}

// brief is a message as text, without the middle of a long one.
func brief(raw []byte) string {
	const most = 2000
	if len(raw) <= most {
		return fmt.Sprintf("%q", raw)
	}
	return fmt.Sprintf("%q ... %d bytes ... %q", raw[:most/2], len(raw)-most, raw[len(raw)-most/2:])
}

// verdict is what is compared of a verdict.
func verdict(v reference.Verdict) string {
	return fmt.Sprintf("valid %v (%s), policies %q, %s of key %q, signed %q, body %v", v.Valid, v.Why, v.Policies, v.Scheme, v.KeyID, v.Signed, v.Body)
}

func (o *outcome) String() string {
	if o.accepted {
		text, _ := o.identity.MarshalJSON()
		return "accepted " + string(text)
	}
	return "refused " + o.refusal
}

// progress writes the numbers once in a minute of a long run.
func (r *run) progress(stop chan struct{}) {
	if *duration < 2*time.Minute {
		return
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			fmt.Fprintf(os.Stderr, "%v: next message %d: %v\n", time.Since(r.start).Round(time.Second), r.next.Load(), r.counts)
		}
	}
}

// report writes the numbers, and fails where the generator has not reached something.
func (r *run) report() {
	c, took := r.counts, time.Since(r.start)
	r.Logf("seed %d, messages %d to %d in %v, %.0f in a second: %v", *seed, *first, r.next.Load(), took.Round(time.Millisecond), float64(c.messages)/took.Seconds(), c)
	r.Logf("accepted, by type of key, form and signer:%s", table(c.acceptedOf, nil))
	r.Logf("refused by the library, by code:%s", table(c.codes, nil))
	r.Logf("policies that refused:%s", table(c.policies, func(p reference.Policy) string { return fmt.Sprintf(" (alone %d)", c.alone[p]) }))
	if len(c.classes) > 0 {
		r.Logf("disagreements:%s", table(c.classes, nil))
	}
	if *only != "" || len(c.classes) >= mostClasses {
		return
	}
	for _, p := range policies {
		if c.policies[p] == 0 {
			r.Errorf("policy %q refused no message", p)
		}
	}
	for p := range c.policies {
		if !slices.Contains(policies, p) {
			r.Errorf("policy %q is not in the list", p)
		}
	}
}
