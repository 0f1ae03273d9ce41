package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/gatewayauth/gatewayauth/core"
)

// Permit permits the request of e to be sent once more: see [core.RetryStore]. The time is
// that of the server. Every error wraps [ErrUnavailable].
func (s *Store) Permit(ctx context.Context, e core.ReplayEntry, within time.Duration) error {
	if s.ctx.Err() != nil {
		return errClosed
	}
	permitted, err := s.ask(ctx, func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(s.permission(e)).Value("1").Nx().PxMilliseconds(max(1, within.Milliseconds())).Build()
	}, isOK)
	if err == nil && !permitted { // somebody else has permitted it
		return errReply
	}
	return err
}

// Redeem removes the permission of e, and reports whether there was one: see
// [core.RetryStore]. Every error wraps [ErrUnavailable].
func (s *Store) Redeem(ctx context.Context, e core.ReplayEntry) (bool, error) {
	if s.ctx.Err() != nil {
		return false, errClosed
	}
	return s.ask(ctx, func(b rueidis.Builder) rueidis.Completed {
		return b.Del().Key(s.permission(e)).Build()
	}, func(reply rueidis.RedisMessage, err error) (bool, error) {
		if err != nil {
			return false, failure(err)
		}
		n, err := reply.ToInt64()
		if err != nil || n < 0 || n > 1 {
			return false, errReply
		}
		return n == 1, nil
	})
}

// permission returns the key on the server of the permission of e.
func (s *Store) permission(e core.ReplayEntry) string { return s.key(e) + ":retry" }
