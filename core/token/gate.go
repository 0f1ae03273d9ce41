package token

import (
	"errors"
	"time"
)

const (
	// maxRunning bounds the calls in flight for one key, those included that
	// hang in a transport that does not heed their end.
	maxRunning = 64
	// probeEvery is the time between two calls while the service fails.
	probeEvery = time.Second
	// maxPause is the longest time without calls that Retry-After can ask for.
	maxPause = 5 * time.Minute
)

var (
	errPaused = errors.New("it has failed, and is not asked again yet")
	errBusy   = errors.New("too many calls are in flight")
	errRate   = errors.New("too many unknown tokens in this second")
)

// gate decides whether a call may be made: a bulkhead, a limit per second, and
// a breaker.
type gate struct {
	rate      float64 // calls per second, and at once
	allowance float64
	last      time.Time // when allowance was filled up

	running int
	failing bool
	next    time.Time // while failing: when the next call may be made
}

// enter takes a place for a call; leave gives it back.
func (g *gate) enter(now time.Time) error {
	if pause := g.next.Sub(now); g.failing && 0 < pause && pause <= maxPause { // longer: the clock was set back
		return errPaused
	}
	if g.running >= maxRunning {
		return errBusy
	}
	g.allowance = min(g.rate, g.allowance+g.rate*max(0, now.Sub(g.last).Seconds()))
	g.last = now
	if g.allowance < 1 {
		return errRate
	}
	g.allowance--
	g.running++
	if g.failing {
		g.next = now.Add(probeEvery)
	}
	return nil
}

func (g *gate) leave() { g.running-- }

// failed closes the gate for at least probeEvery.
func (g *gate) failed(now time.Time, pause time.Duration) {
	g.failing = true
	if next := now.Add(min(max(pause, probeEvery), maxPause)); next.After(g.next) || g.next.Sub(now) > maxPause {
		g.next = next
	}
}

// answered opens the gate: the service gave a verdict.
func (g *gate) answered() { g.failing, g.next = false, time.Time{} }
