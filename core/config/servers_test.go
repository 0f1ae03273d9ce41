package config_test

import (
	"context"
	"errors"
	"sync"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
)

// loadAll is config.Load with all that can be linked.
func loadAll(path string, opts ...config.LoadOption) (*config.File, error) {
	return config.Load(path, append(opts, redisstore.Option(), smkeys.Option())...)
}

// servers stands for all Redis servers, so that none is called.
type servers struct {
	mu     sync.Mutex
	stores []*serverStore
}

// serverStore is a store on one of them.
type serverStore struct {
	Config config.RedisConfig
	mu     sync.Mutex
	closed bool
	seen   map[core.ReplayEntry]bool
}

// option is redisstore.Option with these servers.
func (all *servers) option() config.Extension {
	return config.Extension{Redis: &config.RedisStores{
		Validate: redisstore.Option().Redis.Validate,
		Open: func(c config.RedisConfig) (config.RedisStore, error) {
			s := &serverStore{Config: c, seen: map[core.ReplayEntry]bool{}}
			all.mu.Lock()
			defer all.mu.Unlock()
			all.stores = append(all.stores, s)
			return s, nil
		},
	}}
}

// opened are the stores that were made, in their order.
func (all *servers) opened() []*serverStore {
	all.mu.Lock()
	defer all.mu.Unlock()
	return append([]*serverStore(nil), all.stores...)
}

func (s *serverStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// isClosed reports whether nobody uses it any more.
func (s *serverStore) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Add is that of core.ReplayStore.
func (s *serverStore) Add(_ context.Context, e core.ReplayEntry) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, errors.New("the store is closed")
	}
	e = core.ReplayEntry{Environment: e.Environment, Fingerprint: e.Fingerprint}
	seen := s.seen[e]
	s.seen[e] = true
	return !seen, nil
}
