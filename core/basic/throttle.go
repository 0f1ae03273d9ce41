package basic

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	guesses = 10               // wrong passwords per second and address
	trusted = 10 * time.Minute // how long a right password lifts the limit
	slots   = 1024
)

// throttle counts wrong passwords by address and user. Its size is fixed: several pairs
// share a slot, which holds the last of them. A pair is never throttled or trusted
// because of another one; a pair that was replaced starts again at zero.
type throttle struct {
	now   func() time.Time
	seed  maphash.Seed
	slots [slots]slot
}

// slot stores trust separately from the counts, so that wrong passwords of another pair
// do not remove trust.
type slot struct {
	mu      sync.Mutex
	guesser uint64    // the peer that sent the wrong passwords
	since   time.Time // start of the current second of them
	wrong   int
	knower  uint64    // the peer that sent the last right password
	right   time.Time // when
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, seed: maphash.MakeSeed()}
}

type pair struct {
	prefix netip.Prefix
	remote string // where that is no address
	user   string
}

// peer returns a hash of a user and of the remote IP address, or of its /64 for IPv6.
func (t *throttle) peer(remote, user string) uint64 {
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
	return maphash.Comparable(t.seed, p)
}

func (t *throttle) allow(peer uint64) bool {
	now, s := t.now(), &t.slots[peer%slots]
	s.mu.Lock()
	defer s.mu.Unlock()
	throttled := s.guesser == peer && s.wrong >= guesses && now.Sub(s.since) < time.Second
	return !throttled || s.knower == peer && now.Sub(s.right) < trusted
}

func (t *throttle) record(peer uint64, right bool) {
	now, s := t.now(), &t.slots[peer%slots]
	s.mu.Lock()
	defer s.mu.Unlock()
	if right {
		s.knower, s.right = peer, now
		return
	}
	if s.guesser != peer || now.Sub(s.since) >= time.Second {
		s.guesser, s.since, s.wrong = peer, now, 0
	}
	s.wrong++
}
