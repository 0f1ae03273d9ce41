package replay

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// mostPermissions bounds the permissions of a store that count, over all environments.
// They take less than 12 MB, with those that were redeemed.
const mostPermissions = 1 << 15

// permissions are the requests that may be sent once more. They live for a minute at
// most, so that few are there at a time.
type permissions struct {
	mu   sync.Mutex
	byID map[permissionID]period
	list []permissionID // the oldest first, also some that were redeemed
}

type permissionID struct {
	environment string
	fingerprint [32]byte
}

// A period is the time in which a permission counts, on the verifier's clock.
type period struct{ from, until time.Time }

// Permit permits the request of e to be sent once more: see [core.RetryStore]. It returns
// [ErrFull] if 32,768 requests are permitted already, and have not been redeemed.
func (s *Store) Permit(ctx context.Context, e core.ReplayEntry, within time.Duration) error {
	p := &s.permitted
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removePast(e.Now)
	if len(p.byID) >= mostPermissions {
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

// removePast removes the oldest permissions whose time has passed. It goes over the list
// only if half of it was redeemed, so that a permission that is kept does not make each
// later one cost more.
func (p *permissions) removePast(now time.Time) {
	n := 0
	for _, id := range p.list {
		if found, ok := p.byID[id]; ok && found.contains(now) {
			break
		}
		delete(p.byID, id)
		n++
	}
	p.list = p.list[n:]
	if len(p.list) > 2*len(p.byID)+64 {
		p.list = slices.DeleteFunc(p.list, func(id permissionID) bool {
			_, ok := p.byID[id]
			return !ok
		})
	}
}
