package redis_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// TestRetry_T193 is that a permission is redeemed once, by whichever store, and that the
// server removes it when its time has passed.
func TestRetry_T193(t *testing.T) {
	server := startServer(t)
	s, other := open(t, server.url(""), timeout(10*time.Second)), open(t, server.url(""), timeout(10*time.Second))
	ctx, first, second := context.Background(), entry(), entry()
	redeem := func(name string, s *redis.Store, want bool) {
		t.Helper()
		if got, err := s.Redeem(ctx, first); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
	redeem("without a permission", s, false)
	if err := s.Permit(ctx, first, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := s.Permit(ctx, second, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	redeem("by another store", other, true)
	redeem("once more", s, false)

	for range 20 {
		if err := s.Permit(ctx, first, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		var redeemed atomic.Int32
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				if ok, err := []*redis.Store{s, other}[i%2].Redeem(ctx, first); err != nil {
					t.Error(err)
				} else if ok {
					redeemed.Add(1)
				}
			})
		}
		all.Wait()
		if redeemed.Load() != 1 {
			t.Fatalf("redeemed %d times, want once", redeemed.Load())
		}
	}

	if err := s.Permit(ctx, first, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the permission", func() bool { return len(server.ask("KEYS", "*:retry")) == 1 }) // that of the second entry
	redeem("too late", s, false)

	server.kill()
	eventually(t, "an error of Permit", func() bool { return errors.Is(s.Permit(ctx, entry(), time.Second), redis.ErrUnavailable) })
	if _, err := s.Redeem(ctx, second); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("without a server: got %v", err)
	}
	s.Close()
	if _, err := s.Redeem(ctx, second); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("after Close: got %v", err)
	}
}

// TestRetryReplies_T193 is that only the reply 1 redeems, and everything but 0 and 1 is an
// error.
func TestRetryReplies_T193(t *testing.T) {
	for reply, want := range map[string]int{":1\r\n": isNew, ":0\r\n": isSeen,
		":2\r\n": unavailable, ":-1\r\n": unavailable, "+OK\r\n": unavailable, "+1\r\n": unavailable, "$1\r\n1\r\n": unavailable, "_\r\n": unavailable, "#t\r\n": unavailable,
		"-MOVED 3999 127.0.0.1:1\r\n": unavailable, "-NOPERM this user has no permissions to run the 'del' command\r\n": unavailable, "*1\r\n:1\r\n": unavailable} {
		f := newFake(map[string]string{"SET": "+OK\r\n", "DEL": reply})
		address, _ := listen(t, f.handle)
		s, first := open(t, "redis://"+address, timeout(10*time.Second)), entry()
		if err := s.Permit(context.Background(), first, time.Second); err != nil {
			t.Fatal(err)
		}
		got, err := s.Redeem(context.Background(), first)
		if got != (want == isNew) || (err != nil) != (want == unavailable) || err != nil && !errors.Is(err, redis.ErrUnavailable) {
			t.Errorf("%q: got %v, %v", reply, got, err)
		}
	}
}
