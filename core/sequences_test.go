package core_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// sequencesFor is a variable of the environment: for how long TestSequences runs, such
// as 10m. Without it, it runs a few sequences.
const sequencesFor = "GATEWAYAUTH_SEQUENCES"

// TestSequences: a Verifier that has seen other requests, other policies and other times
// judges each request as a new one does that knows only the policy in force, the time and
// the requests that the replay store has. All that shows outside is the same: the verdict
// and its answer, the identity, headers and body as the handler gets them, the events,
// what the replay store is asked, the counters of Status, and that no body is held at the
// end.
func TestSequences(t *testing.T) {
	seeds, end := uint64(needs.Rounds(3, 10)), time.Time{}
	if raceEnabled {
		seeds = min(seeds, 4)
	}
	if text := os.Getenv(sequencesFor); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v", sequencesFor, err)
		}
		end = time.Now().Add(d)
	}
	codes, schemes, steps := map[string]int{}, map[string]bool{}, 0
	for seed := uint64(1); seed <= seeds || time.Now().Before(end); seed++ {
		all := newSequenceGenerator(seed).steps(600)
		s, failed, problem := play(t, all)
		if problem != "" {
			t.Fatalf("seed %d, step %d of %d: a shorter sequence that fails:\n%s", seed, failed+1, len(all), shorten(t, all[:failed+1]))
		}
		steps += len(all)
		maps.Copy(schemes, s.schemes)
		for code, n := range s.codes {
			codes[code] += n
		}
	}
	t.Logf("%d steps; verdicts: %v", steps, codes)
	if len(codes) < 16 || codes["accepted"] < steps/12 || len(schemes) != 11 {
		t.Errorf("too little was tried: verdicts %v, schemes %v", codes, schemes)
	}
}

// TestPooledVerificationsAreEmpty: between two requests, no verification in the pool
// refers to a request or a policy. What would not change the next verdict would still
// keep secrets and bodies in memory, and is one check away from changing it.
func TestPooledVerificationsAreEmpty(t *testing.T) {
	steps, looked := newSequenceGenerator(1).steps(needs.Rounds(300, 1000)), 0
	for i, step := range steps {
		steps[i].run = func(s *sequence) string {
			if problem := step.run(s); problem != "" {
				return problem
			}
			n, fields := core.LeftBehind()
			if looked += n; len(fields) > 0 {
				return fmt.Sprint("left behind: ", fields)
			}
			return ""
		}
	}
	if _, i, problem := play(t, steps); problem != "" {
		t.Errorf("%s: %s", steps[i].name, problem)
	}
	if looked == 0 {
		t.Error("no verification was in the pool")
	}
}

// sequenceStep is one step of a sequence. It can be made in any state.
type sequenceStep struct {
	name string
	run  func(*sequence) (problem string)
}

// sequenceGenerator makes steps. It knows the clock and the policy that they lead to.
type sequenceGenerator struct {
	random *rand.Rand
	now    time.Time
	policy sequencePolicy
	pairs  map[string][]testkit.Pair
	recent []*sequenceRequest
	unique bool // every request is a new one
	n      int
}

func newSequenceGenerator(seed uint64) *sequenceGenerator {
	return &sequenceGenerator{random: rand.New(rand.NewPCG(seed, 0)), now: instant, policy: firstPolicy, pairs: map[string][]testkit.Pair{}}
}

func (g *sequenceGenerator) steps(n int) []sequenceStep {
	all := make([]sequenceStep, n)
	for i := range all {
		switch kind := g.random.IntN(20); {
		case kind < 2:
			all[i] = g.clock()
		case kind < 4:
			all[i] = g.reload()
		case kind < 5:
			down := g.random.IntN(3) == 0
			all[i] = sequenceStep{fmt.Sprintf("the replay store is down: %v", down), func(s *sequence) string { s.down = down; return "" }}
		default:
			all[i] = g.send()
		}
	}
	return all
}

func (g *sequenceGenerator) clock() sequenceStep {
	steps := []time.Duration{time.Second, time.Second, time.Second, -time.Second, -time.Second, time.Minute, -time.Minute, 16 * time.Minute, -16 * time.Minute, 25 * time.Hour, -2 * time.Hour}
	step := steps[g.random.IntN(len(steps))]
	g.now = g.now.Add(step)
	if step.Abs() > time.Minute && g.random.IntN(6) > 0 {
		g.recent = nil // most are too old now, or too new
	}
	at := g.now
	return sequenceStep{"it is " + at.Format(time.DateTime), func(s *sequence) string { s.now = at; return "" }}
}

func (g *sequenceGenerator) reload() sequenceStep {
	var names []string
	var edits []func(*sequencePolicy)
	next := g.policy
	if g.random.IntN(3) == 0 {
		first := func(p *sequencePolicy) { *p = firstPolicy }
		names, edits = append(names, "all as at first"), append(edits, first)
		first(&next)
	}
	for range 1 + g.random.IntN(3) {
		name, edit := anyEdit(g.random, g.now)
		names, edits = append(names, name), append(edits, edit)
		edit(&next)
	}
	if next.environment != "" {
		g.policy = next
	}
	return sequenceStep{"reload: " + strings.Join(names, "; "), func(s *sequence) string { return s.reload(edits) }}
}

// send sends one of the last requests again, or a new one.
func (g *sequenceGenerator) send() sequenceStep {
	if len(g.recent) == 0 || g.random.IntN(2) == 0 {
		g.recent = append(g.recent, g.anyRequest())
		g.recent = g.recent[max(0, len(g.recent)-12):]
	}
	q, m := g.recent[g.random.IntN(len(g.recent))], anyManner(g.random)
	late := []time.Duration{time.Minute, 20 * time.Minute, 0, 0, 0, 0, 0, 0, 0, 0}[g.random.IntN(10)]
	name := fmt.Sprintf("%s: %v", q.name, m)
	if late > 0 {
		name += fmt.Sprintf(", %s pass while its body arrives", late)
	}
	return sequenceStep{name, func(s *sequence) string { return s.send(q, m, late) }}
}

// sequence is the state of one run of a sequence.
type sequence struct {
	t      *testing.T
	now    time.Time
	policy sequencePolicy
	kept   builder
	down   bool // the replay stores

	verifier      *core.Verifier
	store, stores sequenceStore // of verifier, and of all new verifiers
	at            http.Request  // the requests for verifier stand in the same memory
	header        http.Header

	expected *sequenceCounts
	codes    map[string]int
	schemes  map[string]bool
}

// play makes the steps, up to the first problem.
func play(t *testing.T, steps []sequenceStep) (s *sequence, failed int, problem string) {
	s = &sequence{t: t, now: instant, policy: firstPolicy, header: http.Header{}, expected: newSequenceCounts(),
		codes: map[string]int{}, schemes: map[string]bool{},
		kept: builder{map[string]core.Secret{}, map[string]core.Scheme{}}}
	down := func() error {
		if s.down {
			return errors.New("down")
		}
		return nil
	}
	s.store.fail, s.stores.fail = down, down
	var err error
	if s.verifier, err = core.New(s.policy.config(s.kept, &s.store, s.clock)); err != nil {
		t.Fatal(err)
	}
	for i, step := range steps {
		if problem := step.run(s); problem != "" {
			return s, i, problem
		}
	}
	return s, 0, ""
}

func (s *sequence) clock() time.Time { return s.now }

// fresh returns a new verifier of the policy. Nothing in it was used before.
func (s *sequence) fresh(p *sequencePolicy) (*core.Verifier, error) {
	return core.New(p.config(builder{}, &s.stores, s.clock))
}

func (s *sequence) reload(edits []func(*sequencePolicy)) string {
	next := s.policy
	for _, edit := range edits {
		edit(&next)
	}
	_, want := s.fresh(&next)
	got := s.verifier.Reload(next.config(s.kept, &s.store, s.clock))
	if want == nil {
		s.policy = next
	}
	return difference(fmt.Sprint("Reload: ", got), fmt.Sprint("Reload: ", want))
}

// slowBody is a body during which time passes.
type slowBody struct {
	readerFunc
	close func() error
}

func (b slowBody) Close() error { return b.close() }

// send sends a request to the verifier and to a new one.
func (s *sequence) send(q *sequenceRequest, m manner, late time.Duration) string {
	began := s.now
	received := func() *http.Request {
		s.now = began
		r := q.received(context.WithValue(context.Background(), traceKey{}, new(trace)))
		if body := r.Body; late > 0 && body != http.NoBody {
			r.Body = slowBody{func(p []byte) (int, error) { s.now = began.Add(late); return body.Read(p) }, body.Close}
		}
		return r
	}
	r := received()
	clear(s.header)
	maps.Copy(s.header, r.Header)
	s.at = *r
	s.at.Header = s.header
	got := m.send(s.verifier, &s.at)
	if n := s.verifier.Buffered(); n != 0 {
		return fmt.Sprintf("%d bytes are held at the end", n)
	}
	fresh, err := s.fresh(&s.policy)
	if err != nil {
		s.t.Fatal(err)
	}
	var want string
	core.WithNewVerifications(func() { want = m.send(fresh, received()) })
	s.now = began
	verdict, _, _ := strings.Cut(want, "\n")
	s.codes[codeIn(verdict)]++
	if _, scheme, ok := strings.Cut(verdict, `"scheme":"`); ok {
		s.schemes[scheme[:strings.IndexByte(scheme, '"')]] = true
	}
	s.expected.add(&s.policy, fresh.Status())
	if problem := difference(got, want); problem != "" {
		return problem
	}
	return difference(countersOf(s.verifier.Status()), s.expected.text(&s.policy, fresh.Status()))
}

// codeIn returns the code in the first line of an outcome, or its first word.
func codeIn(verdict string) string {
	word, rest, _ := strings.Cut(verdict, ": ")
	if word == "refused" {
		word, _, _ = strings.Cut(rest, ":")
	}
	return word
}

// difference returns the lines in which two texts differ, "" where they do not.
func difference(got, want string) string {
	if got == want {
		return ""
	}
	only := func(text, other string) string {
		lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return slices.Contains(strings.Split(other, "\n"), line) })
		return strings.Join(lines, "\n    ")
	}
	return fmt.Sprintf("the verifier:\n    %s\n  a new one:\n    %s", only(got, want), only(want, got))
}

// shorten leaves out steps as long as what is left fails, and returns what is left as a
// text. What it leaves need not fail in the same way.
func shorten(t *testing.T, steps []sequenceStep) string {
	_, failed, problem := play(t, steps)
	if problem == "" {
		return "it does not fail when it is played again: the state of a pool, or a race"
	}
	steps = steps[:failed+1]
	for size := len(steps) / 2; size > 0; size /= 2 {
		for start := 0; start < len(steps) && len(steps) > 1; {
			fewer := slices.Delete(slices.Clone(steps), start, min(start+size, len(steps)))
			if _, failed, text := play(t, fewer); text != "" {
				steps, problem = fewer[:failed+1], text
			} else {
				start += size
			}
		}
	}
	var b strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&b, "%3d %s\n", i+1, step.name)
	}
	return b.String() + "  " + problem
}
