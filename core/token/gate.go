package token

import (
	"errors"
	"time"
)

const (
	// maxRunning bounds the calls in flight in one lane, including
	// those that hang in a transport that ignores the timeout.
	maxRunning = 64
	// maxFailures is how many calls in a row have no verdict before the service
	// is taken to fail: one may be due to the token, which anyone can send.
	maxFailures = 5
	// probeEvery is the time between two calls while the service fails.
	probeEvery = time.Second
	// maxPause is the longest time without calls that Retry-After can ask for.
	maxPause = 5 * time.Minute
)

var (
	errBusy = errors.New("too many calls are in flight")
	errRate = errors.New("too many calls in this second")
)

// paused is the error of a call that is not made, since the calls before it had no verdict.
type paused struct {
	until time.Time
	last  error // of the calls that were made
}

func (p *paused) Error() string {
	return "the service has failed, and is not called again before " + p.until.UTC().Format(time.RFC3339) + ": " + p.last.Error()
}

// gate decides whether a call may be made. It is a circuit breaker for all calls, with
// two lanes, so that unknown tokens do not delay tokens that are known to be valid.
type gate struct {
	known, unknown lane
	failures       int       // since the last verdict
	last           error     // that of the last of them
	next           time.Time // after maxFailures: when the next call may be made
}

// lane limits the calls in flight, and the calls per second.
type lane struct {
	rate      float64 // calls per second, and at once
	allowance float64
	last      time.Time // when allowance was filled up
	running   int
}

func newGate(perSecond int, now time.Time) gate {
	l := lane{rate: float64(perSecond), allowance: float64(perSecond), last: now}
	return gate{known: l, unknown: l}
}

// enter reserves a call in one of the lanes; leave of the lane releases it.
func (g *gate) enter(l *lane, now time.Time) error {
	failing := g.failures >= maxFailures
	if pause := g.next.Sub(now); failing && 0 < pause && pause <= maxPause { // longer: the clock was set back
		return &paused{g.next, g.last}
	}
	if l.running >= maxRunning {
		return errBusy
	}
	l.allowance = min(l.rate, l.allowance+l.rate*max(0, now.Sub(l.last).Seconds()))
	l.last = now
	if l.allowance < 1 {
		return errRate
	}
	l.allowance--
	l.running++
	if failing {
		g.next = now.Add(probeEvery)
	}
	return nil
}

func (l *lane) leave() { l.running-- }

// failed counts a call without a verdict, and keeps its error, which holds no token and
// no password. If the service asks for a pause, there are no
// calls from now on until it is over.
func (g *gate) failed(now time.Time, err error) {
	pause := pauseOf(err)
	g.failures, g.last = g.failures+1, err
	if pause > 0 {
		g.failures = max(g.failures, maxFailures)
	}
	if next := now.Add(bounded(pause)); next.After(g.next) || g.next.Sub(now) > maxPause {
		g.next = next
	}
}

// bounded returns for how long to make no call, where the service has asked for
// pause, or for none.
func bounded(pause time.Duration) time.Duration { return min(max(pause, probeEvery), maxPause) }

// answered resets the failures, because the service gave a verdict.
func (g *gate) answered() { g.failures, g.last, g.next = 0, nil, time.Time{} }
