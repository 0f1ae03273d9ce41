package core

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Status has the counts of a [Verifier] since it was made: which secrets are in use, what
// each API refused, and which records the log lost. It covers one process: if you run
// several, read all of them. It holds no secret.
//
// An old secret can be removed when its Uses stay 0 (or its LastUsed does not change) in
// every process for longer than the longest time between two requests of one caller: a
// week for a weekly job, and a week for presigned requests. Since says how long the
// process has been counting. If a secret is removed too early, its callers get
// [CodeSignatureMismatch].
//
// In [Report] mode, APIs tells for each API what [Enforce] would refuse, and why.
type Status struct {
	// Environment and Mode are those of the policy in force.
	Environment string
	Mode        Mode
	// Time is the verifier's clock now, Since what it was when the Verifier was
	// made.
	Time, Since time.Time
	// Keys are sorted by name: all of those that [Keys] holds, and the first
	// 1000 of other sources that signed a request that was accepted.
	Keys []KeyStatus
	// APIs are sorted by pattern; without those that refused nothing.
	APIs []APIStatus
	// Log tells what the log did not get.
	Log LogStatus
}

// KeyStatus is the use of one key.
type KeyStatus struct {
	// Name is [Key.Name], Scheme the name of the scheme that has the key.
	Name, Scheme string
	// Secrets are those of the key as the policy has them: the current one, then
	// the previous ones, those that have ended included.
	Secrets []SecretStatus
}

// SecretStatus is the use of one secret. It stays with the secret when the policy
// is loaded anew and key name and secret are the same. For sources other
// than [Keys] only the secrets of accepted requests are known: there, it is the use of all
// secrets that had this position.
type SecretStatus struct {
	// Until is [PreviousSecret.Until]. It is zero for other sources than Keys.
	Until time.Time
	// Uses is how many requests were accepted because of this secret while it
	// stood where it stands now: as the current one, or as a previous one.
	Uses uint64
	// LastUsed is the second of the last such request, on the verifier's clock and
	// wherever the secret then stood; zero for never.
	LastUsed time.Time
}

// APIStatus is what was refused at one API, or would have been.
type APIStatus struct {
	// Match is [API.Match]. It is empty for requests that no pattern matched, and
	// for those that were refused before a pattern was looked for.
	Match string
	// Refused counts the refusals by code, WouldRefuse those in report mode,
	// where the requests went through all the same.
	Refused, WouldRefuse map[Code]uint64
}

// LogStatus counts records that were not written. They are verdicts all the
// same, and observers saw them.
type LogStatus struct {
	// Suppressed were over [Config.LogLimit]; records with the attribute
	// "suppressed" sum them up.
	Suppressed uint64
	// Failed were refused by the log's handler, or not taken in time.
	Failed uint64
}

// Status returns what was seen so far. It is for an operator's page, a metric or
// a test: it takes time and memory in proportion to the keys and APIs.
func (v *Verifier) Status() Status {
	p := v.current()
	if p == nil {
		return Status{}
	}
	s := Status{Environment: p.Environment, Mode: p.Mode, Time: p.Now(), Since: p.counters.since}
	s.Log = LogStatus{p.counters.log.suppressed.Load(), p.counters.log.failed.Load()}
	named := maps.Clone(*p.counters.others.Load())
	for _, k := range p.counters.keys {
		s.Keys = append(s.Keys, k.status())
		delete(named, k.name)
	}
	for _, k := range named {
		s.Keys = append(s.Keys, k.status())
	}
	slices.SortFunc(s.Keys, func(a, b KeyStatus) int { return strings.Compare(a.Name, b.Name) })
	for match, counts := range p.counters.apis {
		if api := counts.status(match); len(api.Refused)+len(api.WouldRefuse) > 0 {
			s.APIs = append(s.APIs, api)
		}
	}
	slices.SortFunc(s.APIs, func(a, b APIStatus) int { return strings.Compare(a.Match, b.Match) })
	return s
}

// ReplayStore returns the store of the policy in force, nil without one, for
// those that can tell how full it is.
func (v *Verifier) ReplayStore() ReplayStore {
	if p := v.current(); p != nil {
		return p.Replay.Store
	}
	return nil
}

func (k *keyUsage) status() KeyStatus {
	s := KeyStatus{Name: k.name, Scheme: k.scheme}
	seen := 1
	for i, secret := range k.secrets {
		status := SecretStatus{Until: secret.until, Uses: secret.usage.counts[min(i, 1)].Load()}
		if last := secret.usage.last.Load(); last != 0 {
			status.LastUsed = time.Unix(last, 0).UTC()
		}
		if s.Secrets = append(s.Secrets, status); secret.held != nil || status.Uses > 0 {
			seen = i + 1
		}
	}
	s.Secrets = s.Secrets[:seen]
	return s
}

func (c *apiCounts) status(match string) APIStatus {
	s := APIStatus{Match: match, Refused: map[Code]uint64{}, WouldRefuse: map[Code]uint64{}}
	for i, code := range codes {
		for mode, counts := range []map[Code]uint64{s.Refused, s.WouldRefuse} {
			if n := c.counts[mode][i].Load(); n > 0 {
				counts[code] = n
			}
		}
	}
	return s
}
