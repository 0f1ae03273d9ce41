package basic

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	guesses = 10               // wrong passwords per second and address
	trusted = 10 * time.Minute // for which a right password lifts the limit
	slots   = 1024
)

// throttle counts wrong passwords by address and user. Its size is fixed: pairs
// share slots, at worst throttling a neighbour that has not sent a right
// password yet, for a second.
type throttle struct {
	now   func() time.Time
	seed  maphash.Seed
	slots [slots]slot
}

type slot struct {
	mu    sync.Mutex
	since time.Time // start of the current second of wrong passwords
	wrong int
	right time.Time // of the last right password
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, seed: maphash.MakeSeed()}
}

type pair struct {
	prefix netip.Prefix
	remote string // where that is no address
	user   string
}

// peer returns the slot of a remote address (by IP address, for IPv6 by /64)
// and a user.
func (t *throttle) peer(remote, user string) *slot {
	p := pair{remote: remote, user: user}
	if addr, err := netip.ParseAddrPort(remote); err == nil {
		ip, bits := addr.Addr().Unmap(), 64
		if ip.Is4() {
			bits = 32
		}
		if p.prefix, err = ip.WithZone("").Prefix(bits); err == nil {
			p.remote = ""
		}
	}
	return &t.slots[maphash.Comparable(t.seed, p)%slots]
}

func (t *throttle) allow(s *slot) bool {
	now := t.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrong < guesses || now.Sub(s.since) >= time.Second || now.Sub(s.right) < trusted
}

func (t *throttle) record(s *slot, right bool) {
	now := t.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if right {
		s.right = now
		return
	}
	if now.Sub(s.since) >= time.Second {
		s.since, s.wrong = now, 0
	}
	s.wrong++
}
