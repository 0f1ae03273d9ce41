package config

import (
	"cmp"
	"context"
	"crypto/hmac"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

const (
	memoryStore = "memory"
	redisStore  = "redis"
	// missingStore is one whose URL is not known.
	missingStore = "missing"
)

// store is a replay store that was made, or none.
type store struct {
	settings
	core.ReplayStore // nil where there is none
	close            func() error
}

// newRedis is replaced where no server may be called.
var newRedis = func(c redis.Config) (core.ReplayStore, func() error, error) {
	s, err := redis.New(c)
	if err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

// open makes the store. It waits for no server.
func (s settings) open(l *slog.Logger) (*store, error) {
	made := &store{settings: s, close: func() error { return nil }}
	var err error
	switch s.store {
	case memoryStore:
		made.ReplayStore, err = replay.New(replay.Config{MaxEntries: s.maxEntries})
	case missingStore:
		made.ReplayStore = absent{}
	case redisStore:
		made.ReplayStore, made.close, err = newRedis(redis.Config{
			URL: s.url, Prefix: s.prefix, Timeout: s.timeout, Logger: l})
	}
	if err != nil {
		return nil, err
	}
	return made, nil
}

// problems are what is wrong with the settings of a store on a Redis server.
func (s settings) problems() []core.ConfigError {
	return problemsOf(nil, redis.Config{URL: s.url, Prefix: s.prefix, Timeout: s.timeout}.Validate())
}

// serves reports whether s can go on with other settings, so that nothing is
// forgotten. A store in memory has room for as many entries as it was made for;
// another one would have forgotten all of them.
func (s *store) serves(other settings) bool {
	if s.store == memoryStore {
		return other.store == memoryStore
	}
	return s.store == other.store && hmac.Equal([]byte(s.url.Reveal()), []byte(other.url.Reveal())) && s.prefix == other.prefix && s.timeout == other.timeout
}

// absent is the store of a policy that is only checked, or whose URL is not known.
type absent struct{}

func (absent) Add(context.Context, core.ReplayEntry) (bool, error) {
	return false, errors.New("no replay store")
}

// stores keeps the replay store of an environment over its reloads.
type stores struct {
	current *store
	retired []retired // that requests under an older policy may still use
}

type retired struct {
	*store
	until time.Time
}

// take returns a store for the settings: the one that is there, or was lately,
// or a new one. It is put to use by use, or given back by leave.
func (s *stores) take(want settings, l *slog.Logger) (*store, error) {
	if s.current != nil && s.current.serves(want) {
		return s.current, nil
	}
	for _, old := range s.retired {
		if old.serves(want) {
			return old.store, nil
		}
	}
	return want.open(l)
}

// use makes st the current store. The one before is closed after a while, in
// which requests that were being judged have come to their end.
func (s *stores) use(st *store, after time.Duration) {
	if st == s.current {
		return
	}
	s.retired = slices.DeleteFunc(s.retired, func(r retired) bool { return r.store == st })
	if s.current != nil {
		s.retired = append(s.retired, retired{s.current, time.Now().Add(after)})
	}
	s.current = st
}

// leave closes a store that was taken and is of no use.
func (s *stores) leave(st *store) {
	if st != s.current && !slices.ContainsFunc(s.retired, func(r retired) bool { return r.store == st }) {
		st.close()
	}
}

// sweep closes the stores whose time is over, and returns how long it is until
// the next one's is, or 0.
func (s *stores) sweep() (next time.Duration) {
	now := time.Now()
	s.retired = slices.DeleteFunc(s.retired, func(r retired) bool {
		left := r.until.Sub(now)
		if left <= 0 {
			r.close()
			return true
		}
		next = min(cmp.Or(next, left), left)
		return false
	})
	return next
}

// close closes all.
func (s *stores) close() {
	for _, r := range s.retired {
		r.close()
	}
	if s.current != nil {
		s.current.close()
	}
}
