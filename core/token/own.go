package token

import (
	"context"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// ownToken is the token that we ask with. It is obtained when it is first
// needed, and renewed by whoever needs it next when its end comes near.
type ownToken struct {
	iam     *iam
	lock    chan struct{} // guards what follows; a channel, since waiting must end
	current *issued
	retry   time.Time // after a renewal that failed: when to try again
}

// issued is one token of our own.
type issued struct {
	secret              core.Secret
	since, renew, until time.Time
}

// isNew reports whether the token is so young that another one would tell
// nothing else.
func (t *issued) isNew(now time.Time) bool { return now.Sub(t.since) < 10*time.Second }

func newOwnToken(i *iam) *ownToken { return &ownToken{iam: i, lock: make(chan struct{}, 1)} }

// get returns our token: a new one where the present one is the refused one, is
// near its end, or is none. If a renewal ahead of time fails, the present one
// will do.
func (o *ownToken) get(ctx context.Context, refused *issued) (*issued, error) {
	select {
	case o.lock <- struct{}{}:
		defer func() { <-o.lock }()
	case <-ctx.Done():
		return nil, errEnded
	}
	now := o.iam.now()
	usable := o.current != nil && o.current != refused && now.Before(o.current.until) && !now.Before(o.current.since)
	if usable && (now.Before(o.current.renew) || now.Before(o.retry)) {
		return o.current, nil
	}
	secret, until, err := o.iam.authenticate(ctx)
	if err != nil {
		if usable {
			o.retry = now.Add(10 * time.Second)
			return o.current, nil
		}
		return nil, err
	}
	life := until.Sub(now)
	o.current = &issued{secret: secret, since: now, until: until, renew: until.Add(-min(life/4, 10*time.Minute))}
	return o.current, nil
}
