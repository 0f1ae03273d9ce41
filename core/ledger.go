package core

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"hash"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// evidence outlives the policies of a Verifier. It is two pointers away from
// whoever prints one.
type evidence struct {
	mu   sync.Mutex
	held *ledger
}

// ledger finds the counts of a policy again in the next one.
type ledger struct {
	since  time.Time
	mac    hash.Hash // with a key of this process; secrets are told apart by it
	uses   map[[sha256.Size]byte]*use
	apis   map[string]*apiUse
	log    logState
	mu     sync.Mutex // guards changes of others
	others atomic.Pointer[map[string]*keyUse]
}

// tally returns the counts for p: those of the policies before, where key name
// and secret, or the pattern, are the same.
func (e *evidence) tally(p *policy) tally {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held == nil {
		e.held = newLedger(p.Now())
	}
	l := e.held
	t := tally{since: l.since, ledger: l, log: &l.log, others: &l.others,
		apis: map[string]*apiUse{"": nil}}
	active := map[[sha256.Size]byte]*use{}
	for _, s := range p.schemes {
		for _, known := range s.keys {
			key := known.key
			k := &keyUse{name: key.Name, scheme: s.Name()}
			add := func(secret Secret, until time.Time) {
				id := l.identity(key.Name, secret)
				if l.uses[id] == nil {
					l.uses[id] = new(use)
				}
				active[id] = l.uses[id]
				k.secrets = append(k.secrets, secretUse{secret.held, until, l.uses[id]})
			}
			add(key.Secret, time.Time{})
			for _, previous := range key.Previous {
				add(previous.Secret, previous.Until)
			}
			known.use = k
			t.keys = append(t.keys, k)
		}
	}
	for _, api := range p.APIs {
		t.apis[api.Match] = nil
	}
	for match := range t.apis {
		if l.apis[match] == nil {
			l.apis[match] = new(apiUse)
		}
		t.apis[match] = l.apis[match]
	}
	// What is gone may come back with the file that was there before, and has
	// its counts then; but not for ever.
	const most = 1000
	if len(l.uses) > len(active)+most {
		l.uses = active
	}
	if len(l.apis) > len(t.apis)+most {
		l.apis = maps.Clone(t.apis)
	}
	return t
}

func newLedger(now time.Time) *ledger {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	l := &ledger{since: now, mac: hmac.New(sha256.New, key),
		uses: map[[sha256.Size]byte]*use{}, apis: map[string]*apiUse{}}
	l.others.Store(new(map[string]*keyUse))
	l.log.limits = make([]limiter, len(codes)+furtherKinds)
	return l
}

// identity stands for a secret of a key, and tells nothing about it.
func (l *ledger) identity(name string, secret Secret) (id [sha256.Size]byte) {
	l.mac.Reset()
	l.mac.Write([]byte(strconv.Itoa(len(name)) + ":" + name + secret.Reveal()))
	l.mac.Sum(id[:0])
	return id
}

// other makes room for a key that a source other than [Keys] has, nil where there
// are too many. Its secrets are told apart by place: for all else, each request
// would have to be hashed.
func (l *ledger) other(scheme, name string) *keyUse {
	const most, places = 1000, 4
	all := *l.others.Load()
	if len(all) >= most {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all = *l.others.Load()
	if k := all[name]; k != nil || len(all) >= most {
		return k
	}
	k := &keyUse{name: strings.Clone(name), scheme: scheme, secrets: make([]secretUse, places)}
	for i := range k.secrets {
		k.secrets[i].use = new(use)
	}
	next := maps.Clone(all)
	if next == nil {
		next = map[string]*keyUse{}
	}
	next[k.name] = k
	l.others.Store(&next)
	return k
}
