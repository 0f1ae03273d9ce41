package token

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// negativeFor is how long a negative answer, or a failure of the token, is remembered:
// a token that was not valid seldom becomes so.
const negativeFor = 30 * time.Second

var (
	errInvalid = errors.New("the token is not valid")
	errClosed  = errors.New("the scheme is closed")
)

// client checks tokens with one identity service. It remembers the answers, and
// makes one call at a time for each token.
type client struct {
	key     Key
	iam     *iam
	own     *ownToken
	now     func() time.Time
	timeout time.Duration
	keepFor time.Duration
	hashKey [32]byte
	ctx     context.Context // of all calls
	cancel  context.CancelFunc

	mu             sync.Mutex
	valid, invalid cache
	calls          map[digest]*call
	gate           gate
}

// newClient takes a configuration that was checked and has its defaults.
func newClient(c Config, key Key) *client {
	url, _ := key.endpoint()
	service := &iam{url: url, key: key, transport: c.Transport, now: c.Now}
	k := &client{key: key, iam: service, own: newOwnToken(service), now: c.Now, timeout: c.Timeout, keepFor: c.CacheFor,
		valid: newCache(c.MaxEntries), invalid: newCache(c.MaxEntries), calls: map[digest]*call{},
		gate: newGate(c.CallsPerSecond, c.Now())}
	rand.Read(k.hashKey[:]) // never fails
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k
}

func (c *client) digest(token string) (d digest) {
	h := hmac.New(sha256.New, c.hashKey[:])
	h.Write([]byte(token))
	h.Sum(d[:0])
	return d
}

// check returns to whom a token belongs, [errInvalid], or why there is no
// verdict. A caller that leaves early fails nobody but itself.
func (c *client) check(ctx context.Context, token string) (*subject, error) {
	d := c.digest(token)
	known, asked, err := c.begin(d, token)
	switch {
	case err != nil:
		return nil, err
	case asked == nil:
		return known.subject, known.err
	}
	select {
	case <-asked.done:
		return asked.subject, asked.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin returns what is known about a token, or else the call about it that is
// in flight, which it starts where there is none.
func (c *client) begin(d digest, token string) (answer, *call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return answer{}, nil, errClosed
	}
	now, lane := c.now(), &c.gate.unknown
	if good, known := c.valid.get(d); known {
		if good.fresh(now) {
			return good, nil, nil
		}
		lane = &c.gate.known
	}
	if bad, known := c.invalid.get(d); known && bad.fresh(now) {
		return bad, nil, nil
	}
	if running, ok := c.calls[d]; ok {
		return answer{}, running, nil
	}
	if err := c.gate.enter(lane, now); err != nil {
		return answer{}, nil, err
	}
	k := &call{lane: lane, began: now, done: make(chan struct{})}
	c.calls[d] = k
	go c.run(k, d, token)
	return answer{}, k, nil
}

// flush forgets a token and the call about it: later requests must not get an
// answer from before.
func (c *client) flush(token string) {
	d := c.digest(token)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.valid.drop(d)
	c.invalid.drop(d)
	if k, ok := c.calls[d]; ok {
		k.flushed = true
		delete(c.calls, d)
	}
}

func (c *client) flushAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.valid.clear()
	c.invalid.clear()
	for _, k := range c.calls {
		k.flushed = true
	}
	clear(c.calls)
}

func (c *client) close() { c.cancel() }
