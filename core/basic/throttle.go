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
// share slots, where each takes the place of the one before. None is throttled
// or trusted for what another one did; one that is displaced starts anew.
type throttle struct {
	now   func() time.Time
	seed  maphash.Seed
	slots [slots]slot
}

// slot keeps trust apart from the counts, so that guesses displace no trust.
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

// peer returns what stands for a remote address (by IP address, for IPv6 by /64)
// and a user.
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
