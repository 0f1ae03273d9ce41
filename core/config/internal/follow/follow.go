// Package follow watches the contents of a set of files, and reports each new
// content when it has settled: when two looks in a row found the same, so that a
// file that is being written is not taken for the whole one.
//
// It compares contents, not times. It looks at the files after an event of the file
// system, and at intervals in any case, since not every file system has events.
package follow

import (
	"context"
	"log/slog"
	"time"
)

// Options says which files are followed, and what is done with them. All fields are
// required but PollOnly.
type Options struct {
	// Read reads the files with Snapshot.Read. Which they are may change from
	// call to call.
	Read func(*Snapshot)
	// Settled is called with each new content that has settled.
	Settled func(*Snapshot)
	// Looked is called after every look. It returns the time until it must be
	// called again, 0 for any time.
	Looked func() time.Duration

	// Poll is the time between two looks without an event.
	Poll time.Duration
	// PollOnly does without events of the file system.
	PollOnly bool
	Logger   *slog.Logger
}

// A Follower follows files. Its functions are called by Run, one at a time.
type Follower struct {
	Options
	notices *notices
	last    Sum // of the last look
	settled Sum // of the last content that was reported, or known at the start
}

// New returns a Follower for files whose content the caller knows already: Settled
// is first called with another content than known. Call Run, which releases
// what New has opened.
func New(o Options, known Sum) *Follower {
	return &Follower{Options: o, notices: newNotices(o), last: known, settled: known}
}

const (
	// soon is the time between two looks after an event, and between the last
	// event and the first look.
	soon = 100 * time.Millisecond
	// patience is how long events that keep coming can put a look off.
	patience = time.Second
)

// Run looks at the files until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	n := f.notices
	defer n.close()
	hurry := n.on() // there may have been changes before there were events
	var first time.Time
	timer := time.NewTimer(f.pause(hurry))
	defer timer.Stop()
	for {
		noticed := false
		select {
		case <-ctx.Done():
		case <-n.changes:
			noticed = true
		case err := <-n.failures:
			noticed = true
			n.failed(err)
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return // whatever else was ready: the files may be gone as well
		}
		if noticed {
			now := time.Now()
			if hurry = true; first.IsZero() {
				first = now
			}
			timer.Reset(min(f.pause(true), max(0, first.Add(patience).Sub(now))))
			continue
		}
		first = time.Time{}
		settled, paths := f.look()
		hurry = n.follow(paths) || hurry && !settled
		next := f.pause(hurry)
		if again := f.Looked(); again > 0 {
			next = min(next, again)
		}
		timer.Reset(next)
	}
}

// pause is the time until the next look.
func (f *Follower) pause(hurry bool) time.Duration {
	if hurry {
		return min(soon, f.Poll)
	}
	return f.Poll
}

// look compares the files with the last look, and reports a content that is new and
// the same in both. It returns the paths, and whether the content has been reported.
func (f *Follower) look() (settled bool, paths []string) {
	s := newSnapshot()
	f.Read(s)
	if s.moved() {
		f.last = Sum{} // the files may be of two versions: no look can agree with this one
		return false, s.order
	}
	sum := s.Sum()
	again := sum == f.last
	f.last = sum
	if sum != f.settled && again {
		f.settled = sum
		f.Settled(s)
	}
	return sum == f.settled, s.order
}
