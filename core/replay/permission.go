package replay

import (
	"context"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// mostPermissions bounds the permissions of a store, over all environments. They take
// 3 MB.
const mostPermissions = 1 << 15

// permissions are the requests that may be sent once more. They live for a minute at
// most, so that few are there at a time.
type permissions struct {
	mu   sync.Mutex
	byID map[permissionID]period
	list []permissionID // the oldest first, also those that were redeemed
}

type permissionID struct {
	environment string
	fingerprint [32]byte
}

// A period is the time in which a permission counts, on the verifier's clock.
type period struct{ from, until time.Time }

// Permit permits the request of e to be sent once more: see [core.RetryStore]. Where
// 32,768 requests of the last minute are permitted already, e is not.
func (s *Store) Permit(ctx context.Context, e core.ReplayEntry, within time.Duration) error {
	p := &s.permitted
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removePast(e.Now)
	if len(p.list) >= mostPermissions {
		return ErrFull
	}
	if p.byID == nil {
		p.byID = map[permissionID]period{}
	}
	id := permissionID{e.Environment, e.Fingerprint}
	if _, known := p.byID[id]; !known {
		p.list = append(p.list, id)
	}
	p.byID[id] = period{e.Now, e.Now.Add(within)}
	return nil
}

// Redeem removes the permission of e, and reports whether there was one: see
// [core.RetryStore].
func (s *Store) Redeem(ctx context.Context, e core.ReplayEntry) (bool, error) {
	p := &s.permitted
	p.mu.Lock()
	defer p.mu.Unlock()
	id := permissionID{e.Environment, e.Fingerprint}
	found, ok := p.byID[id]
	delete(p.byID, id)
	return ok && found.contains(e.Now), nil
}

// contains is false also where the clock has stepped back.
func (s period) contains(now time.Time) bool { return !now.Before(s.from) && !now.After(s.until) }

// removePast removes the oldest permissions, as far as they count no more.
func (p *permissions) removePast(now time.Time) {
	n := 0
	for _, id := range p.list {
		if found, ok := p.byID[id]; ok && found.contains(now) {
			break
		}
		delete(p.byID, id)
		n++
	}
	p.list = append(p.list[:0], p.list[n:]...)
}
