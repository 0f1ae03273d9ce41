package token

import (
	"context"
	"errors"
	"time"
)

var (
	errEnded = errors.New("the call took too long, or the scheme was closed")
	errPanic = errors.New("the transport panicked")
)

// call is the asking about one token, for all that wait for it.
type call struct {
	began   time.Time
	done    chan struct{} // closed when the fields below are set
	subject *subject
	err     error
	ended   bool
	flushed bool // the answer may be from before a flush: do not keep it
}

// run makes a call. It belongs to none of the requests that wait for it: its
// end is its own timeout. A transport that does not heed it keeps its goroutine,
// and one of the places of the gate, but nobody waits for it any longer.
func (c *client) run(k *call, d digest, token string) {
	ctx, cancel := context.WithTimeout(c.ctx, c.timeout)
	stop := context.AfterFunc(ctx, func() { c.end(k, d, nil, errEnded) })
	subject, err := (*subject)(nil), errPanic
	defer func() {
		_ = recover() // of the transport, which may be the user's; the value may hold anything
		c.end(k, d, subject, err)
		stop()
		cancel()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.gate.leave()
	}()
	subject, err = c.ask(ctx, token)
}

// ask makes the calls of one check.
func (c *client) ask(ctx context.Context, token string) (*subject, error) {
	own, err := c.own.get(ctx, nil)
	if err != nil {
		return nil, err
	}
	subject, err := c.iam.validate(ctx, own.secret, token)
	if err != errUnauthorized {
		return subject, err
	}
	// Either token may be meant. A new one of ours tells which, and one that
	// is new already.
	if !own.isNew(c.now()) {
		if own, err = c.own.get(ctx, own); err != nil {
			return nil, err
		}
		if subject, err = c.iam.validate(ctx, own.secret, token); err != errUnauthorized {
			return subject, err
		}
	}
	return nil, errInvalid
}

// end hands the outcome of a call to those that wait for it, once, and keeps it.
func (c *client) end(k *call, d digest, subject *subject, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.ended {
		return
	}
	k.ended, k.subject, k.err = true, subject, err
	close(k.done)
	if c.calls[d] == k {
		delete(c.calls, d)
	}
	var cache *cache
	a := answer{subject: subject, since: k.began}
	switch {
	case err == nil:
		cache, a.until = &c.valid, k.began.Add(c.keepFor)
		if subject.expires.Before(a.until) {
			a.until = subject.expires
		}
	case err == errInvalid:
		cache, a.until = &c.invalid, k.began.Add(negativeFor)
	default:
		c.gate.failed(c.now(), pauseOf(err))
		return
	}
	c.gate.answered()
	if !k.flushed {
		cache.put(d, a)
	}
}
