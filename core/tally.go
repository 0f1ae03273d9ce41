package core

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// tally is where a policy counts. What it points at may be that of the policy
// before it. Nothing in it is locked, and nothing is allocated for a request.
type tally struct {
	since  time.Time
	keys   []*keyUse                           // of fixed sets
	apis   map[string]*apiUse                  // by pattern, "" for none
	others *atomic.Pointer[map[string]*keyUse] // of other sources, by name
	ledger *ledger
	log    *logState
}

// accepted counts a request.
func (t *tally) accepted(a *attempt) {
	if a.use == nil {
		t.other(a)
		return
	}
	for i := range a.use.secrets {
		if s := &a.use.secrets[i]; s.held == a.used.held {
			s.use.count(i > 0, a.usedAt)
			return
		}
	}
}

// other counts a request with a key of another source than [Keys].
func (t *tally) other(a *attempt) {
	key, secret := a.key, a.used
	use := (*t.others.Load())[key.Name]
	if use == nil {
		if use = t.ledger.other(a.scheme.Name(), key.Name); use == nil {
			return
		}
	}
	place := 0
	for i := range key.Previous {
		if key.Secret.held != secret.held && key.Previous[i].Secret.held == secret.held {
			place = i + 1
			break
		}
	}
	use.secrets[min(place, len(use.secrets)-1)].use.count(place > 0, a.usedAt)
}

// refused counts a refusal with a known code.
func (t *tally) refused(match string, code Code, mode Mode) {
	if use := t.apis[match]; use != nil {
		use.counts[mode&Report][codeIndex[code]].Add(1)
	}
}

// keyUse is the use of one key.
type keyUse struct {
	name, scheme string
	secrets      []secretUse
}

type secretUse struct {
	held  *held // nil for other sources than fixed sets
	until time.Time
	use   *use
}

// use is how often and when a secret was last used. Its neighbours in memory are
// counted by other processors, hence the room.
type use struct {
	counts [2]atomic.Uint64 // as the current secret, as a previous one
	last   atomic.Int64     // in Unix seconds, 0 for never
	_      [40]byte
}

func (u *use) count(previous bool, at time.Time) {
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

// apiUse counts refusals, by mode (enforced, reported) and code.
type apiUse struct{ counts [2][maxCodes]atomic.Uint64 }

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
