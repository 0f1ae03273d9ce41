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

// call is one check of a token, shared by all requests that wait for it.
type call struct {
	lane    *lane
	began   time.Time
	done    chan struct{} // closed when the fields below are set
	subject *subject
	err     error
	ended   bool
	flushed bool // the answer may be from before a flush: do not keep it
}

// run makes a call. It has a timeout of its own, and does not end with the requests
// that wait for it. A transport that ignores the timeout keeps its goroutine and one
// of the places of its lane, but nobody waits for it any longer.
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
		k.lane.leave()
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
	// Either token may be meant. If ours is not new, the service is asked about
	// ours alone, so that nobody can make us log in with a token that is not valid.
	if own.isNew(c.now()) {
		return nil, errInvalid
	}
	switch _, err = c.iam.validate(ctx, own.secret, own.secret.Reveal()); {
	case err == nil:
		return nil, errInvalid
	case err != errUnauthorized:
		return nil, err
	}
	if own, err = c.own.get(ctx, own); err != nil {
		return nil, err
	}
	if subject, err = c.iam.validate(ctx, own.secret, token); err == errUnauthorized {
		return nil, errInvalid
	}
	return subject, err
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
	switch {
	case err == nil || err == errInvalid:
		c.gate.answered()
	case isOfToken(err):
		// Anyone can send such a token.
	default:
		c.gate.failed(c.now(), err)
		return
	}
	if !k.flushed {
		c.keep(d, answer{subject: subject, err: err, since: k.began})
	}
}

// keep remembers an answer. A token that was valid stays known as such until the
// service says otherwise.
func (c *client) keep(d digest, a answer) {
	if a.err != nil {
		if a.err == errInvalid {
			c.valid.drop(d)
		}
		a.until = a.since.Add(negativeFor)
		c.invalid.put(d, a)
		return
	}
	a.until = a.since.Add(c.keepFor)
	if a.subject.expires.Before(a.until) {
		a.until = a.subject.expires
	}
	c.invalid.drop(d)
	c.valid.put(d, a)
}
