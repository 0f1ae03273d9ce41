package token

import (
	"context"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// ownToken is the verifier's own token. It is obtained when it is first needed, and
// renewed by the next call that needs it shortly before it expires.
type ownToken struct {
	iam     *iam
	lock    chan struct{} // guards what follows; a channel, since waiting must end
	current *issued
	failed  error     // of the last log-in, if it failed
	retry   time.Time // after that: when to try again
}

// issued is one token of our own.
type issued struct {
	secret              core.Secret
	since, renew, until time.Time
}

// isNew reports whether the token is so young that it is taken for good, whatever
// the service says: that bounds the log-ins to three a minute.
func (t *issued) isNew(now time.Time) bool { return now.Sub(t.since) < 20*time.Second }

func newOwnToken(i *iam) *ownToken { return &ownToken{iam: i, lock: make(chan struct{}, 1)} }

// get returns our token: a new one where the present one is the refused one, is
// near its end, or is none. If a renewal ahead of time fails, the present one
// will do. A log-in that failed is not tried again by those that waited for it.
func (o *ownToken) get(ctx context.Context, refused *issued) (*issued, error) {
	select {
	case o.lock <- struct{}{}:
		defer func() { <-o.lock }()
	case <-ctx.Done():
		return nil, errEnded
	}
	now := o.iam.now()
	usable := o.current != nil && o.current != refused && now.Before(o.current.until) && !now.Before(o.current.since)
	if usable && now.Before(o.current.renew) {
		return o.current, nil
	}
	if pause := o.retry.Sub(now); 0 < pause && pause <= maxPause { // longer: the clock was set back
		return o.without(usable)
	}
	secret, until, err := o.iam.authenticate(ctx)
	if err != nil {
		failed := o.iam.now()
		o.failed, o.retry = err, failed.Add(bounded(pauseOf(err)))
		if usable {
			o.current.renew = failed.Add(10 * time.Second)
		}
		return o.without(usable)
	}
	life := until.Sub(now)
	o.current = &issued{secret: secret, since: now, until: until, renew: until.Add(-min(life/4, 10*time.Minute))}
	return o.current, nil
}

// without returns what there is without a log-in.
func (o *ownToken) without(usable bool) (*issued, error) {
	if usable {
		return o.current, nil
	}
	return nil, o.failed
}
