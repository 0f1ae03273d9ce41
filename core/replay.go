package core

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"time"
)

// A ReplayStore remembers the requests that were accepted, so that each is
// accepted once: replay.New in memory, and redis.New for several instances.
// The [Verifier] asks it last, when everything else about the request is
// proven, so forged requests are not recorded.
type ReplayStore interface {
	// Add records e and reports whether it was new. Until e.Until has passed on
	// the clock of e.Now, it reports true to only one of any number of calls with
	// the same entry, concurrent or not, in all processes that share the store. It
	// reports false for an entry that the store may have recorded and forgotten. It
	// returns an error if it cannot tell; then nothing needs to be recorded.
	//
	// Add must be safe for concurrent use, and return when ctx ends.
	Add(ctx context.Context, e ReplayEntry) (added bool, err error)
}

// ErrSignedBeforeStart is returned by a [ReplayStore] that does not know whether a request
// was accepted before the store began to remember. Such a request is refused with
// [CodeUnavailable], whatever [Replay].AllowUnavailable says.
var ErrSignedBeforeStart = errors.New("signed before this process began to remember requests")

// MaxClockSkew is the largest [Config.ClockSkew]: no policy accepts a request that
// is not presigned later than this after its signed date.
const MaxClockSkew = maxClockSkew

// A ReplayEntry stands for one signed request. Environment and Fingerprint
// together identify it; the rest follows from it but for Now.
type ReplayEntry struct {
	// Environment is the environment that accepted the request: one store may
	// serve several.
	Environment string
	// Fingerprint stands for the string to sign: at least 128 bits that depend on
	// everything signed, not evenly spread over its bytes. Whoever does not hold
	// the key cannot choose it. It may be a part of the signature.
	Fingerprint [32]byte
	// SignedAt is the signed date, to the second. A request that is sent again
	// has the same.
	SignedAt time.Time
	// Until is the last instant at which the policy accepts the request by its
	// date. The policy of the next reload may accept it for longer, up to
	// [MaxClockSkew] after SignedAt: a store that does not know what it has
	// forgotten keeps the entry until then. A presigned request says it itself: up
	// to a week after SignedAt, and the same each time.
	Until     time.Time
	Presigned bool
	// Now is the verifier's clock. It may step in both directions.
	Now time.Time
}

// checkReplay refuses a request that was accepted before, and records one that
// was not. It is the last check.
func checkReplay(v *verification) error {
	c, p, ctx := &v.credential, v.policy, v.request.Context()
	if p.Replay.Store == nil || !c.SignsRequest || slices.Contains(p.Replay.ExemptMethods, v.request.Method) {
		return nil
	}
	if c.Fingerprint == [32]byte{} {
		return Refuse(CodeUnavailable, "the scheme does not say what identifies a request")
	}
	if id, ok := FromContext(ctx); ok && id.replayChecked && id.Environment() == p.Environment && id.fingerprint == short(c.Fingerprint) {
		v.replayChecked, v.retry = true, id.retry // the verifier is mounted twice, or the handler dispatched the request anew
		return nil
	}
	until := c.Time.Add(p.ClockSkew)
	if c.Presigned {
		until = c.Time.Add(c.Expires)
	}
	entry := ReplayEntry{Environment: p.Environment, Fingerprint: c.Fingerprint,
		SignedAt: c.Time, Until: until, Presigned: c.Presigned, Now: v.now}
	added, err := p.callStore(ctx, func(s ReplayStore) (bool, error) { return s.Add(ctx, entry) })
	v.replayUnavailable = err != nil && ctx.Err() == nil // a request that was cancelled is no failure of the store
	switch {
	case err == nil && !added:
		return v.checkRetry(entry)
	case err == nil:
		v.replayChecked = true
		v.mayPermit(entry)
		return nil
	case errors.Is(err, ErrSignedBeforeStart):
		hint := hintBeforeStart
		if c.Presigned {
			hint = hintPresignedBeforeStart
		}
		return &Error{Code: CodeUnavailable, Detail: "replay.refuse_before_start is set", Err: err, Hint: hint}
	case p.Replay.AllowUnavailable && v.replayUnavailable:
		v.replayUnchecked = true
		return nil
	}
	return &Error{Code: CodeUnavailable, Detail: "the replay store is unavailable", Err: err}
}

// short returns a hash of a fingerprint with a seed of this process. Without the seed,
// nobody can find two fingerprints with the same hash.
func short(fingerprint [32]byte) uint64 { return maphash.Bytes(seed, fingerprint[:]) }

var seed = maphash.MakeSeed()

// callStore calls the store, which may be the user's code.
func (p *policy) callStore(ctx context.Context, call func(ReplayStore) (bool, error)) (ok bool, err error) {
	defer func() {
		if recover() != nil {
			p.panicked(ctx, "replay store")
			ok, err = false, Refuse(CodeUnavailable, "the replay store failed")
		}
	}()
	return call(p.Replay.Store)
}
