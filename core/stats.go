package core

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// history survives reloads. It is behind two pointers so that fmt does not print it.
type history struct {
	mu     sync.Mutex
	counts *counts
}

// counts are those of a Verifier. A policy finds its own in them, see [counters].
type counts struct {
	since  time.Time
	mac    hash.Hash // with a key of this process; secrets are told apart by it
	usages map[[sha256.Size]byte]*usage
	apis   map[string]*apiCounts
	log    logState
	mu     sync.Mutex // guards changes of others
	others atomic.Pointer[map[string]*keyUsage]
}

// counters are where a policy counts. Nothing in them is locked, and nothing is
// allocated for a request.
type counters struct {
	*counts
	keys []*keyUsage           // of fixed sets
	apis map[string]*apiCounts // by pattern, "" for none
}

// countersFor returns the counters of p: those of the policies before, where key name
// and secret, or the pattern, are the same.
func (h *history) countersFor(p *policy) counters {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts == nil {
		h.counts = newCounts(p.Now())
	}
	c := counters{counts: h.counts, apis: map[string]*apiCounts{"": nil}}
	active := map[[sha256.Size]byte]*usage{}
	for _, s := range p.schemes {
		for _, known := range s.keys {
			known.usage = c.keyUsage(known.key, s.Name(), active)
			c.keys = append(c.keys, known.usage)
		}
	}
	for _, api := range p.APIs {
		c.apis[api.Match] = nil
	}
	for match := range c.apis {
		if h.counts.apis[match] == nil {
			h.counts.apis[match] = new(apiCounts)
		}
		c.apis[match] = h.counts.apis[match]
	}
	// What is gone may come back with the file that was there before, and has
	// its counts then; but not for ever.
	const most = 1000
	if len(h.counts.usages) > len(active)+most {
		h.counts.usages = active
	}
	if len(h.counts.apis) > len(c.apis)+most {
		h.counts.apis = maps.Clone(c.apis)
	}
	return c
}

func newCounts(now time.Time) *counts {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	c := &counts{since: now, mac: hmac.New(sha256.New, key),
		usages: map[[sha256.Size]byte]*usage{}, apis: map[string]*apiCounts{}}
	c.others.Store(new(map[string]*keyUsage))
	c.log.limits = make([]limiter, len(codes)+furtherKinds)
	return c
}

// keyUsage returns the usage of a key, and notes those of its secrets.
func (c *counts) keyUsage(key *Key, scheme string, active map[[sha256.Size]byte]*usage) *keyUsage {
	k := &keyUsage{name: key.Name, scheme: scheme}
	add := func(secret Secret, until time.Time) {
		id := c.identify(key.Name, secret)
		if c.usages[id] == nil {
			c.usages[id] = new(usage)
		}
		active[id] = c.usages[id]
		k.secrets = append(k.secrets, secretUsage{secret.held, until, c.usages[id]})
	}
	add(key.Secret, time.Time{})
	for _, previous := range key.Previous {
		add(previous.Secret, previous.Until)
	}
	return k
}

// identify returns what stands for a secret of a key, and tells nothing about it.
func (c *counts) identify(name string, secret Secret) (id [sha256.Size]byte) {
	c.mac.Reset()
	c.mac.Write([]byte(strconv.Itoa(len(name)) + ":" + name + secret.Reveal()))
	c.mac.Sum(id[:0])
	return id
}

// countAccepted counts an accepted request.
func (v *verification) countAccepted() {
	if v.usage == nil {
		v.policy.counters.countOther(v)
		return
	}
	for i := range v.usage.secrets {
		if s := &v.usage.secrets[i]; s.held == v.used.held {
			s.usage.count(i > 0, v.now)
			return
		}
	}
}

// countOther counts a request with a key of another source than [Keys].
func (c *counters) countOther(v *verification) {
	key := v.key
	k := (*c.others.Load())[key.Name]
	if k == nil {
		if k = c.addOther(v.scheme.Name(), key.Name); k == nil {
			return
		}
	}
	position := 0
	for i := range key.Previous {
		if key.Secret.held != v.used.held && key.Previous[i].Secret.held == v.used.held {
			position = i + 1
			break
		}
	}
	k.secrets[min(position, len(k.secrets)-1)].usage.count(position > 0, v.now)
}

// addOther makes room for a key of another source, nil where there are too many. Its
// secrets are told apart by their position: for all else, each request would have to
// be hashed.
func (c *counts) addOther(scheme, name string) *keyUsage {
	const most, positions = 1000, 4
	c.mu.Lock()
	defer c.mu.Unlock()
	all := *c.others.Load()
	if k := all[name]; k != nil || len(all) >= most {
		return k
	}
	k := &keyUsage{name: strings.Clone(name), scheme: scheme, secrets: make([]secretUsage, positions)}
	for i := range k.secrets {
		k.secrets[i].usage = new(usage)
	}
	next := map[string]*keyUsage{k.name: k}
	maps.Copy(next, all)
	c.others.Store(&next)
	return k
}

// countRefused counts a refusal with a known code.
func (c *counters) countRefused(match string, code Code, mode Mode) {
	if api := c.apis[match]; api != nil {
		api.counts[mode&Report][codeIndex[code]].Add(1)
	}
}

// keyUsage is the usage of one key.
type keyUsage struct {
	name, scheme string
	secrets      []secretUsage
}

type secretUsage struct {
	held  *held // nil for other sources than fixed sets
	until time.Time
	usage *usage
}

// usage is how often and when a secret was last used. Its neighbours in memory are
// counted by other processors, hence the room.
type usage struct {
	counts [2]atomic.Uint64 // as the current secret, as a previous one
	last   atomic.Int64     // in Unix seconds, 0 for never
	_      [40]byte
}

func (u *usage) count(previous bool, at time.Time) {
	if previous {
		u.counts[1].Add(1)
	} else {
		u.counts[0].Add(1)
	}
	// Most requests share their second with the one before. A clock that was
	// set back is followed: a date in the future would never be overtaken.
	if second := at.Unix(); u.last.Load() != second {
		u.last.Store(second)
	}
}

// apiCounts counts refusals, by mode (enforced, reported) and code.
type apiCounts struct{ counts [2][maxCodes]atomic.Uint64 }

const maxCodes = 32

// codes are all of them, in a fixed order.
var (
	codes     = slices.Sorted(maps.Keys(answers))
	codeIndex = func() map[Code]int {
		index := make(map[Code]int, len(codes))
		for i, code := range codes {
			index[code] = i
		}
		return index
	}()
)
