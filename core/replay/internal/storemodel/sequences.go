package storemodel

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// Letters are the steps of a sequence:
//
//	a  send request a, signed at Setup.Signed
//	b  send the same request to another environment
//	p  send a presigned request, signed at the same time
//	q  send another presigned request
//	n  send a new request, signed now
//	e  time passes until the last instant of the request that was sent last
//	x  time passes until 16 seconds after that instant
//	+  a nanosecond passes
//	F  the clock steps forward by ClockStep, B: back
//	l  reload to the longest clock skew, s: to a shorter one
//	r  restart
const Letters = "abpqne+xFBlsr"

const (
	sends     = "abpqn"
	skew      = 15 * time.Minute
	shortSkew = time.Minute
)

// A Store is the store under test. It starts empty.
type Store interface {
	core.ReplayStore
	Pass(d time.Duration)
	Restart()
}

// A Model predicts its answers.
type Model interface {
	Add(e core.ReplayEntry) Answer
	Pass(d time.Duration)
}

// Setup says what is compared.
type Setup struct {
	Signed    time.Time
	Link      time.Duration // the lifetime of the presigned request
	ClockStep time.Duration
	Length    int    // of the sequences
	Letters   string // which of the letters
	Workers   int
	Persists  bool // whether a restart keeps the entries
	Model     func() Model
	Store     func() Store
}

// Run compares the model with the store, both of them asked by a [core.Verifier], for all
// sequences of Length letters that begin with a or p and end by sending a request. Shorter
// ones are the beginnings of these, and what comes before the first request has no effect.
func (s Setup) Run(t *testing.T) {
	work := make(chan string, 1024)
	var running sync.WaitGroup
	for range s.Workers {
		running.Go(func() {
			r := newRunner(t, &s)
			for sequence := range work {
				if !t.Failed() {
					r.run(sequence)
				}
			}
		})
	}
	n := 0
	var each func(prefix string)
	each = func(prefix string) {
		letters := s.Letters
		switch len(prefix) {
		case 0:
			letters = "ap"
		case s.Length:
			work <- prefix
			n++
			return
		case s.Length - 1:
			letters = strings.Map(func(c rune) rune {
				if !strings.ContainsRune(sends, c) {
					return -1
				}
				return c
			}, letters)
		}
		for _, c := range letters {
			each(prefix + string(c))
		}
	}
	start := time.Now()
	each("")
	close(work)
	running.Wait()
	t.Logf("%d sequences of %d steps in %v", n, s.Length, time.Since(start).Round(10*time.Millisecond))
}

// runner runs one sequence after the other.
type runner struct {
	t      *testing.T
	setup  *Setup
	tested *core.Verifier
	other  *core.Verifier // of the other environment
	store  Store
	model  Model
	wanted Answer // by the model, of the last entry

	now      time.Time
	skew     time.Duration
	steps    time.Duration            // by how much the clock has stepped
	unsteady bool                     // whether it stepped, or the policy changed
	accepted map[string]time.Duration // the requests, with steps when they were accepted
	sent     map[string]bool
	until    time.Time // of the last request
}

func newRunner(t *testing.T, s *Setup) *runner {
	r := &runner{t: t, setup: s, skew: skew}
	r.tested, r.other = testkit.New(t, r.policy("prod")), testkit.New(t, r.policy("other"))
	return r
}

func (r *runner) policy(environment string) core.Config {
	return core.Config{
		Environment: environment, Schemes: schemes, Default: testkit.K1.Name, ClockSkew: r.skew, AllowPresigned: true,
		Replay: core.Replay{Store: (*both)(r)}, Now: func() time.Time { return r.now }, Logger: slog.New(slog.DiscardHandler),
	}
}

var schemes = []core.Scheme{testkit.HMAC(testkit.K1)}

// both asks the model and the store.
type both runner

func (b *both) Add(ctx context.Context, e core.ReplayEntry) (bool, error) {
	b.wanted = b.model.Add(e)
	return b.store.Add(ctx, e)
}

func (r *runner) reload(skew time.Duration) {
	if r.skew == skew {
		return
	}
	r.skew = skew
	for v, environment := range map[*core.Verifier]string{r.tested: "prod", r.other: "other"} {
		if err := v.Reload(r.policy(environment)); err != nil {
			r.t.Error(err)
		}
	}
}

func (r *runner) run(sequence string) {
	r.reload(skew)
	r.store, r.model = r.setup.Store(), r.setup.Model()
	r.now, r.until, r.steps, r.unsteady = r.setup.Signed, r.setup.Signed, 0, false
	r.accepted, r.sent = map[string]time.Duration{}, map[string]bool{}
	for i, letter := range sequence {
		switch letter {
		case 'e':
			r.pass(r.until.Sub(r.now))
		case 'x':
			r.pass(r.until.Add(16 * time.Second).Sub(r.now))
		case '+':
			r.pass(1)
		case 'F', 'B':
			step := r.setup.ClockStep
			if letter == 'B' {
				step = -step
			}
			r.now, r.steps, r.unsteady = r.now.Add(step), r.steps+step, true
		case 'l', 's':
			r.unsteady = true
			r.reload(map[rune]time.Duration{'l': core.MaxClockSkew, 's': shortSkew}[letter])
		case 'r':
			r.store.Restart()
			if !r.setup.Persists {
				r.model, r.accepted = r.setup.Model(), map[string]time.Duration{}
			}
		default:
			if fault := r.send(letter, i); fault != "" {
				r.t.Errorf("%s, step %d (a, b and p signed at %v, the link for %v): %s", sequence, i+1, r.setup.Signed, r.setup.Link, fault)
				return
			}
		}
	}
}

func (r *runner) pass(d time.Duration) {
	d = max(d, 0)
	r.now = r.now.Add(d)
	r.store.Pass(d)
	r.model.Pass(d)
}

// send sends the request of a letter and returns what is wrong with the verdict, or "".
func (r *runner) send(letter rune, step int) string {
	v, date, lifetime, path, options := r.tested, r.setup.Signed, r.skew, string(letter), apig.SignOptions{}
	switch letter {
	case 'b': // the same request as a
		v, path = r.other, "a"
	case 'p', 'q':
		lifetime, options.Expires = r.setup.Link, r.setup.Link
	case 'n':
		date, path = r.now.Truncate(time.Second), fmt.Sprint("n", step)
	}
	r.until, r.wanted = date.Add(lifetime), ""
	valid := !r.now.After(r.until) && !r.now.Before(date.Add(-r.skew))
	_, err := v.Verify(r.request(path, date, options))

	name := string(letter)
	if letter == 'n' {
		name = path
	}
	steps, again := r.accepted[name]
	first := !r.sent[name]
	r.sent[name] = true
	if err == nil {
		r.accepted[name] = r.steps
	}
	switch {
	case !valid && (err == nil || r.wanted != ""):
		return fmt.Sprintf("%s was taken at %v, when its date is not valid", name, r.now)
	case !valid:
	case err == nil && again && (!r.setup.Persists || steps-r.steps <= r.setup.ClockStep):
		return name + " was accepted twice"
	case err != nil && core.CodeOf(err) == core.CodeReplayed && first && (r.setup.Persists || !r.unsteady):
		return name + " was refused as a replay, though it is new"
	case r.wanted == "", r.wanted == New && err != nil, r.wanted != New && (err == nil || core.CodeOf(err) != codes[r.wanted]):
		return fmt.Sprintf("%s got %v, but the model says %q", name, err, r.wanted)
	}
	return ""
}

var codes = map[Answer]core.Code{Seen: core.CodeReplayed, Forgotten: core.CodeReplayed, Full: core.CodeUnavailable}

func (r *runner) request(path string, date time.Time, options apig.SignOptions) *http.Request {
	return testkit.Sign(apig.NewSigner(testkit.K1, options), httptest.NewRequest("GET", "/"+path, nil), "", date)
}
