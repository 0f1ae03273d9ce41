package core

import (
	"context"
)

// ask calls a key source of the user's, which may fail in any way: panic, return
// late, or not at all. It waits no longer than KeyTimeout, and for no more calls
// at once than Limits.KeyLookups, so that a source that hangs takes so many
// goroutines and no more.
func (p *policy) ask(ctx context.Context, source KeySource, id string) (*Key, error) {
	if p.lookups.Add(1) > int64(p.Limits.KeyLookups) {
		p.lookups.Add(-1)
		return nil, Refuse(CodeUnavailable, "too many calls to the key source have not returned")
	}
	ctx, cancel := context.WithTimeout(ctx, p.KeyTimeout)
	defer cancel()
	answer := make(chan found, 1)
	go func() {
		defer p.lookups.Add(-1)
		answer <- p.find(ctx, source, id)
	}()
	select {
	case f := <-answer:
		return f.key, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// found is what a key source has answered.
type found struct {
	key *Key
	err error
}

func (p *policy) find(ctx context.Context, source KeySource, id string) (f found) {
	defer func() {
		if recover() != nil {
			p.panicked(ctx, "key source")
			f = found{err: Refuse(CodeUnavailable, "the key source failed")}
		}
	}()
	f.key, f.err = source.Key(ctx, id)
	return f
}
