package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/gatewayauth/gatewayauth/core"
)

const (
	// maxRunning bounds the commands without a reply, and so the goroutines. It must
	// be below the length of rueidis's queue, 1024, because a command waits without a
	// limit if the queue is full.
	maxRunning = 512
	// maxLife is longer than a presigned request can be valid (a week) plus any clock
	// skew.
	maxLife = 8 * 24 * time.Hour
)

// A Store is a [core.ReplayStore] on a Redis or Valkey server. It is made by
// [New], safe for concurrent use, and closed with [Store.Close].
type Store struct {
	config  Config
	network *network
	running chan struct{} // semaphore for commands and attempts to connect
	ctx     context.Context
	stop    func()
	closing sync.Once
	outage  outage
}

var _ core.RetryStore = (*Store)(nil)

// New returns a Store on the server of c, or an error that lists all problems of c. It
// does not wait for the server: it connects in the background, and checks connect again
// if there is no connection.
func New(c Config) (*Store, error) {
	option, err := c.check()
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	s := &Store{config: c, running: make(chan struct{}, maxRunning)}
	s.config.URL = core.Secret{}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.network = newNetwork(s.ctx, option, c.Logger)
	s.running <- struct{}{}
	go func() {
		defer s.leave()
		s.network.greet()
	}()
	return s, nil
}

// Add records e on the server and reports whether it was new: see
// [core.ReplayStore]. Every error wraps [ErrUnavailable].
func (s *Store) Add(ctx context.Context, e core.ReplayEntry) (added bool, err error) {
	if s.ctx.Err() != nil {
		return false, errClosed
	}
	if e.Until.Sub(e.Now) <= -s.config.ClockStep {
		return false, errEnded
	}
	life := end(&e).Sub(e.Now)
	if life > maxLife {
		return false, errLife
	}
	milliseconds := (life + s.config.ClockStep + time.Millisecond - 1).Milliseconds()
	return s.ask(ctx, func(b rueidis.Builder) rueidis.Completed {
		// The value is a small number because the server shares those between keys.
		return b.Set().Key(s.key(e)).Value("1").Nx().PxMilliseconds(milliseconds).Build()
	}, isOK)
}

// isOK reads the reply to a SET NX.
func isOK(reply rueidis.RedisMessage, err error) (bool, error) {
	if rueidis.IsRedisNil(err) {
		return false, nil
	}
	if err != nil {
		return false, failure(err)
	}
	if text, err := reply.ToString(); err == nil && text == "OK" {
		return true, nil
	}
	return false, errReply
}

// ask sends a command and reads its reply, within the timeout, and logs the end of an
// outage.
func (s *Store) ask(ctx context.Context, command func(rueidis.Builder) rueidis.Completed, read func(rueidis.RedisMessage, error) (bool, error)) (bool, error) {
	yes, err := s.try(ctx, command, read)
	switch {
	case err == nil:
		if lasted := s.outage.end(); lasted >= shortOutage {
			s.config.Logger.Info("gatewayauth: the replay store answers again", slog.String("after", lasted.Round(time.Second).String()))
		}
	case ctx.Err() == nil && s.ctx.Err() == nil: // nobody gave up
		s.outage.begin()
	}
	return yes, err
}

func (s *Store) try(ctx context.Context, command func(rueidis.Builder) rueidis.Completed, read func(rueidis.RedisMessage, error) (bool, error)) (bool, error) {
	budget, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	if budget.Err() != nil {
		return false, s.late(ctx)
	}
	select {
	case s.running <- struct{}{}:
	case <-budget.Done():
		return false, s.late(ctx)
	case <-s.ctx.Done():
		return false, errClosed
	}
	// The command runs in its own goroutine: rueidis ignores the context while it
	// connects and while its queue is full, which may take longer than the timeout.
	results := make(chan result, 1)
	go func() {
		defer s.leave()
		results <- s.send(budget, command, read)
	}()
	select {
	case r := <-results:
		return r.yes, r.err
	case <-budget.Done():
		return false, s.late(ctx)
	}
}

// end returns the last time at which any policy can accept the request. It does not use
// the clock skew of the current policy, because a reload may increase it, and the server
// does not report which entries have expired.
func end(e *core.ReplayEntry) time.Time {
	if last := e.SignedAt.Add(core.MaxClockSkew); !e.Presigned && last.After(e.Until) {
		return last
	}
	return e.Until
}

type result struct {
	yes bool
	err error
}

func (s *Store) leave() { <-s.running }

// send sends a command, unless its check has already timed out.
func (s *Store) send(budget context.Context, command func(rueidis.Builder) rueidis.Completed, read func(rueidis.RedisMessage, error) (bool, error)) (r result) {
	defer func() {
		if recover() != nil {
			r = result{err: errPanic}
		}
	}()
	client, err := s.network.client()
	if err != nil {
		return result{err: failure(err)}
	}
	if err := budget.Err(); err != nil {
		return result{err: failure(err)}
	}
	yes, err := read(client.Do(s.ctx, command(client.B())).ToMessage())
	return result{yes, err}
}

// late returns the error of a check that has timed out.
func (s *Store) late(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("%w: no reply within %v", ErrUnavailable, s.config.Timeout)
}

// key returns the key of e on the server. With 144 bits of a hash, nobody can find a
// collision with another caller's entry. A caller who finds a collision between two of
// their own requests only has one of them refused.
func (s *Store) key(e core.ReplayEntry) string {
	text := make([]byte, 0, 128)
	text = binary.BigEndian.AppendUint64(text, uint64(len(e.Environment)))
	text = append(text, e.Environment...)
	text = append(text, e.Fingerprint[:]...)
	sum := sha256.Sum256(text)
	name := make([]byte, 0, len(s.config.Prefix)+24)
	name = append(name, s.config.Prefix...)
	return string(base64.RawURLEncoding.AppendEncode(name, sum[:18]))
}

// Close ends the connections and all goroutines, and returns when that is done.
// Checks that are running get an error, as do all later ones. It may be called
// more than once.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.stop()                   // closes the connections, so that no command waits for a reply
		for range cap(s.running) { // until all commands have ended
			s.running <- struct{}{}
		}
		s.network.close()
	})
	return nil
}

// Format writes the type's name for every verb.
func (s *Store) Format(f fmt.State, _ rune) { f.Write([]byte("redis.Store")) }
