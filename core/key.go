package core

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// A Key is what the gateway signs with and the backend verifies with.
type Key struct {
	// Name is the key's name in this environment, the one that [API.Key] and
	// [Config.Default] refer to.
	Name string
	// ID is what requests carry to name the key: the gateway's "Key", an
	// access key id, a user name. Compared byte for byte.
	ID string
	// Secret is the current secret.
	Secret Secret
	// Previous are earlier secrets, still accepted during a rotation.
	Previous []PreviousSecret
	// Region and Service are what the scope of a credential must name. They come
	// from the configuration alone. A key that has them is of no use to schemes
	// without a scope.
	Region, Service string
	// SessionToken belongs to temporary access keys: where it is set, requests
	// must carry it, equal and signed.
	SessionToken Secret
}

// PreviousSecret is an earlier secret of a key.
type PreviousSecret struct {
	Secret Secret
	// Until is the instant from which it is no longer accepted; zero is no end.
	Until time.Time
}

// usable reports whether a source's answer is the key with the id, fit to be
// verified with: an empty or a blank secret would let everybody sign.
func (k *Key) usable(id string) bool {
	if k.Name == "" || k.ID != id || k.Secret.IsBlank() || k.blankToken() {
		return false
	}
	for i := range k.Previous {
		if k.Previous[i].Secret.IsBlank() {
			return false
		}
	}
	return true
}

// blankToken reports whether the key has a session token that is none.
func (k *Key) blankToken() bool { return !k.SessionToken.IsZero() && k.SessionToken.IsBlank() }

// SecretsAt returns the secrets that are accepted at now: the current one first.
func (k *Key) SecretsAt(now time.Time) []Secret { return k.appendSecrets(nil, now) }

// appendSecrets appends the secrets accepted at now: the current one first.
func (k *Key) appendSecrets(dst []Secret, now time.Time) []Secret {
	dst = append(dst, k.Secret)
	for _, p := range k.Previous {
		if p.Until.IsZero() || now.Before(p.Until) {
			dst = append(dst, p.Secret)
		}
	}
	return dst
}

// A KeySource finds keys by id. Key must be safe for concurrent use, should
// return when ctx ends, and returns [ErrKeyUnknown] where there is no key with
// that id; any other error, a panic, a key with another id, and one without a
// name or with a secret or session token that is empty or blank, is answered with
// 503. The caller does not change the returned key, and neither may the source
// afterwards. The id comes from the request: any bytes up to the limit of the
// header.
type KeySource interface {
	Key(ctx context.Context, id string) (*Key, error)
}

// ErrKeyUnknown is returned by a [KeySource] that has no key with the id.
var ErrKeyUnknown = errors.New("no key with this id")

// A KeySet is a [KeySource] of a fixed set of keys. The zero KeySet has none.
type KeySet struct {
	byID map[string]*Key
	all  []*Key
}

// Keys returns a [KeySet]. [New] reports keys of the
// set without name, id or secret, those that are blank (see [Secret.IsBlank])
// included, and names and ids that occur twice in an
// environment.
func Keys(keys ...Key) *KeySet {
	set := &KeySet{byID: make(map[string]*Key, len(keys)), all: make([]*Key, 0, len(keys))}
	for _, key := range keys {
		key.Previous = append([]PreviousSecret(nil), key.Previous...)
		set.all = append(set.all, &key)
		set.byID[key.ID] = &key
	}
	return set
}

// Key returns the key with the id, or [ErrKeyUnknown].
func (s *KeySet) Key(_ context.Context, id string) (*Key, error) {
	if key, ok := s.byID[id]; ok {
		return key, nil
	}
	return nil, ErrKeyUnknown
}

// All yields the keys in the order in which [Keys] was given them. The caller does
// not change them.
func (s *KeySet) All() iter.Seq[*Key] { return slices.Values(s.all) }

// keyIndex collects the fixed keys of all schemes of an environment, to see
// that each name and id stands for one key.
type keyIndex struct {
	names, ids map[string]bool
	open       bool // a source other than Keys is in use: more names may exist
	short      bool // short secrets are allowed
}

// minSecret is the length in bytes of the shortest secret that a gateway issues, a
// password of Basic.
const minSecret = 8

func (x *keyIndex) add(source KeySource) (problems []error) {
	set, ok := source.(*KeySet)
	if !ok {
		x.open = true
		return nil
	}
	for i, key := range set.all {
		problem := func(field, rule string) {
			problems = append(problems, &ConfigError{Key: key.Name, Field: field, Rule: rule})
		}
		switch {
		case isBlank(key.Name):
			problems = append(problems, &ConfigError{Field: item("Keys", i) + ".Name", Rule: "empty or blank"})
		case x.names[key.Name]:
			problem("Name", "the name occurs twice in this environment")
		}
		switch {
		case isBlank(key.ID):
			problem("ID", "empty or blank")
		case x.ids[key.ID]:
			problem("ID", fmt.Sprintf("the id %q occurs twice in this environment", key.ID))
		}
		check := func(field string, secret Secret) {
			switch {
			case secret.IsBlank():
				problem(field, emptyOrBlank(secret))
			case !x.short && len(secret.Reveal()) < minSecret:
				problem(field, fmt.Sprintf("shorter than %d characters, as no gateway issues them: use a longer one, or set AllowShortSecrets", minSecret))
			}
		}
		check("Secret", key.Secret)
		for j, p := range key.Previous {
			check(item("Previous", j)+".Secret", p.Secret)
		}
		if key.blankToken() {
			problem("SessionToken", "blank")
		}
		x.names[key.Name], x.ids[key.ID] = true, true
	}
	return problems
}

// emptyOrBlank says which of the two a blank secret is.
func emptyOrBlank(s Secret) string {
	if s.IsZero() {
		return "empty"
	}
	return "blank"
}

// findKey finds the key that the credential names in the scheme's source.
func findKey(v *verification) error {
	id := v.credential.KeyID
	if id == "" { // the key's name is its id then
		id = v.binding.key
	}
	source := v.scheme.Keys()
	if set, fixed := source.(*KeySet); fixed && set == v.scheme.set {
		known := v.scheme.keys[id]
		if known == nil {
			return v.unknownKey()
		}
		v.key, v.usage = known.key, known.usage
		return nil
	}
	return v.askForKey(source, id)
}

// askForKey asks a source that may be the user's code.
func (v *verification) askForKey(source KeySource, id string) error {
	key, err := v.policy.ask(v.request.Context(), source, id)
	switch {
	case err == nil && key != nil && key.usable(id):
		v.key = key
		return nil
	case err == nil && key == nil:
		return Refuse(CodeUnavailable, "the key source returned nothing")
	case errors.Is(err, ErrKeyUnknown):
		return v.unknownKey()
	case err != nil:
		return &Error{Code: CodeUnavailable, Detail: "the key source failed", Err: err}
	}
	return Refuse(CodeUnavailable, "the key source returned another key than the one asked for, or one without name or secret")
}

// unknownKey tells a key that does not exist from one of another scheme. The key
// decides which scheme may use it, never the request.
func (v *verification) unknownKey() error {
	for _, s := range v.policy.schemes {
		if set, fixed := s.Keys().(*KeySet); fixed && s != v.scheme && set.byID[v.credential.KeyID] != nil {
			return Refuse(CodeSchemeNotAccepted, "the key belongs to another scheme")
		}
	}
	return Refuse(CodeKeyUnknown, "no such key in this environment")
}

// ask calls a key source of the user's, which may fail in any way: panic, return
// late, or not at all. It waits no longer than KeyTimeout, and for no more calls
// at once than Limits.KeyLookups, so that a source that hangs takes so many
// goroutines and no more.
func (p *policy) ask(ctx context.Context, source KeySource, id string) (*Key, error) {
	if p.lookups.Add(1) > int64(p.Limits.KeyLookups) {
		p.lookups.Add(-1)
		return nil, Refuse(CodeUnavailable, "too many calls to the key source have not returned")
	}
	ctx, cancel := context.WithTimeout(ctx, p.KeyTimeout)
	defer cancel()
	answer := make(chan found, 1)
	go func() {
		defer p.lookups.Add(-1)
		answer <- p.find(ctx, source, id)
	}()
	select {
	case f := <-answer:
		return f.key, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// found is what a key source has answered.
type found struct {
	key *Key
	err error
}

func (p *policy) find(ctx context.Context, source KeySource, id string) (f found) {
	defer func() {
		if recover() != nil {
			p.panicked(ctx, "key source")
			f = found{err: Refuse(CodeUnavailable, "the key source failed")}
		}
	}()
	f.key, f.err = source.Key(ctx, id)
	return f
}
