package redis_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// leaks returns what runs that did not before, the test's own servers left out.
func leaks(before goleak.Option) error {
	const serve = "github.com/gatewayauth/gatewayauth/core/replay/redis_test.serve.func1"
	return goleak.Find(before, goleak.IgnoreAnyFunction(serve), goleak.IgnoreAnyFunction(serve+".1"))
}

// closes checks that Close is quick, can be repeated, and leaves nothing.
func closes(t *testing.T, s *redis.Store, before goleak.Option) {
	t.Helper()
	start := time.Now()
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() { s.Close() })
	}
	s.Close()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
	running.Wait()
	wantUnavailable(t, "after Close", s, entry())
	if err := leaks(before); err != nil {
		t.Error(err)
	}
}

func TestCloseUnderLoad_F18(t *testing.T) {
	proxy := newProxy(t, startServer(t).socket)
	for _, delay := range []time.Duration{0, time.Hour} {
		before := goleak.IgnoreCurrent()
		proxy.delay.Store(0)
		s := open(t, "redis://"+proxy.address)
		works(t, s)
		proxy.delay.Store(int64(delay))
		started := make(chan struct{}, 64)
		var running sync.WaitGroup
		for range 64 {
			running.Go(func() {
				for first := true; ; first = false {
					if first {
						started <- struct{}{}
					}
					if _, err := s.Add(context.Background(), entry()); err != nil {
						if !errors.Is(err, redis.ErrUnavailable) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		for range 64 {
			<-started
		}
		s.Close()
		running.Wait()
		closes(t, s, before)
	}
}

// TestCloseEarly_F18: before the connection stands, or any can.
func TestCloseEarly_F18(t *testing.T) {
	reached := make(chan struct{}, 100)
	silent := func(c net.Conn) {
		reached <- struct{}{}
		io.Copy(io.Discard, c)
	}
	address, _ := listen(t, silent)
	server := startServer(t)
	for _, url := range []string{"redis://" + address, "rediss://" + address, server.url(""), "unix:///nowhere"} {
		before := goleak.IgnoreCurrent()
		closes(t, open(t, url), before)
	}
	for len(reached) > 0 {
		<-reached
	}
	address, _ = listen(t, silent)
	before := goleak.IgnoreCurrent()
	s := open(t, "redis://"+address)
	<-reached // it waits for the greeting
	closes(t, s, before)
}
