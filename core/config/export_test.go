package config

import (
	"context"
	"sync"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// Servers stands for all Redis servers until the test ends, so that none is called.
type Servers struct {
	mu     sync.Mutex
	opened []*Server
}

// Server is a store on one of them.
type Server struct {
	Config redis.Config
	mu     sync.Mutex
	closed bool
	seen   map[core.ReplayEntry]bool
}

// NoServers replaces redis.New.
func NoServers(t testing.TB) *Servers {
	all, before := new(Servers), newRedis
	newRedis = func(c redis.Config) (core.ReplayStore, func() error, error) {
		s := &Server{Config: c, seen: map[core.ReplayEntry]bool{}}
		all.mu.Lock()
		all.opened = append(all.opened, s)
		all.mu.Unlock()
		return s, s.close, nil
	}
	t.Cleanup(func() { newRedis = before })
	return all
}

// Opened are the stores that were made, in their order.
func (all *Servers) Opened() []*Server {
	all.mu.Lock()
	defer all.mu.Unlock()
	return append([]*Server(nil), all.opened...)
}

func (s *Server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Closed reports whether nobody uses it any more.
func (s *Server) Closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Add is that of core.ReplayStore.
func (s *Server) Add(_ context.Context, e core.ReplayEntry) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, redis.ErrUnavailable
	}
	e = core.ReplayEntry{Environment: e.Environment, Fingerprint: e.Fingerprint}
	seen := s.seen[e]
	s.seen[e] = true
	return !seen, nil
}
