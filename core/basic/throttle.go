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
	ways    = 8 // pairs of a slot whose wrong passwords are counted at a time
)

// throttle counts wrong passwords by address and user. Its size is fixed: several pairs
// share a slot, which counts eight of them, each exactly, and trusts the last. If all eight
// have guessed within a second, a ninth replaces the one with the fewest wrong passwords,
// which then starts again at zero. So who guesses for thousands of pairs in each second can
// have more than ten guesses for some of them. The other choice, to let the ninth start
// with the count of the one that it replaces, would let guesses from many addresses lock
// out callers at others. A pair is never throttled or trusted because of another one.
type throttle struct {
	now   func() time.Time
	seed  maphash.Seed
	slots [slots]slot
}

// slot stores trust separately from the counts, so that wrong passwords of another pair
// do not remove trust.
type slot struct {
	mu       sync.Mutex
	guessers [ways]guesser
	knower   uint64    // the peer that sent the last right password
	right    time.Time // when
}

// guesser is a peer that sent wrong passwords.
type guesser struct {
	peer  uint64
	since time.Time // start of the current second of them
	wrong int
}

// count returns the wrong passwords in the second that is not over at now.
func (g *guesser) count(now time.Time) int {
	if now.Sub(g.since) >= time.Second {
		return 0
	}
	return g.wrong
}

// find returns the entry of a peer, or the one to replace where it has none: that with the
// fewest wrong passwords.
func (s *slot) find(peer uint64, now time.Time) *guesser {
	fewest := &s.guessers[0]
	for i := range s.guessers {
		g := &s.guessers[i]
		if g.peer == peer {
			return g
		}
		if g.count(now) < fewest.count(now) {
			fewest = g
		}
	}
	return fewest
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
	g := s.find(peer, now)
	throttled := g.peer == peer && g.count(now) >= guesses
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
	g := s.find(peer, now)
	if g.peer != peer || g.count(now) == 0 {
		*g = guesser{peer: peer, since: now}
	}
	g.wrong++
}
