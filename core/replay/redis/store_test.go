package redis_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// ask sends a command to the server and returns its reply as a string or a list
// of strings.
func (s *server) ask(args ...string) []string {
	s.t.Helper()
	values, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return values
}

// try is like ask, for a server that may close the connection.
func (s *server) try(args ...string) ([]string, error) {
	c, err := net.Dial("unix", s.socket)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	text := "*" + strconv.Itoa(len(args)) + "\r\n"
	for _, a := range args {
		text += "$" + strconv.Itoa(len(a)) + "\r\n" + a + "\r\n"
	}
	c.Write([]byte(text + "*1\r\n$4\r\nPING\r\n"))
	var reply []byte
	for buffer := make([]byte, 1<<16); !strings.HasSuffix(string(reply), "+PONG\r\n"); {
		n, err := c.Read(buffer)
		if err != nil {
			return nil, err
		}
		reply = append(reply, buffer[:n]...)
	}
	var values []string
	for line := range strings.SplitSeq(strings.TrimSuffix(string(reply), "+PONG\r\n"), "\r\n") {
		if line != "" && line[0] != '$' && line[0] != '*' {
			values = append(values, line)
		}
	}
	return values, nil
}

func TestTwice_T088(t *testing.T) {
	s := open(t, startServer(t).url(""))
	e := entry()
	want(t, "first", s, e, true)
	want(t, "second", s, e, false)
	e.Now = e.Now.Add(time.Minute)
	want(t, "later", s, e, false)
	other := entry()
	want(t, "another", s, other, true)
	want(t, "another again", s, other, false)
}

func TestGoroutines_T089(t *testing.T) {
	server := startServer(t)
	stores := []*redis.Store{open(t, server.url("")), open(t, server.url(""))}
	for range 20 {
		e, start := entry(), make(chan struct{})
		var added atomic.Int64
		var running sync.WaitGroup
		for i := range 200 {
			running.Go(func() {
				<-start
				got, err := stores[i%2].Add(context.Background(), e)
				if err != nil {
					t.Error(err)
				}
				if got {
					added.Add(1)
				}
			})
		}
		close(start)
		running.Wait()
		if added.Load() != 1 {
			t.Fatalf("%d were told that the entry was new", added.Load())
		}
	}
}

// TestKeys_T098: environments do not meet, and nothing of an entry shows.
func TestKeys_T098(t *testing.T) {
	server := startServer(t)
	s := open(t, server.url(""))
	prod, test := entry(), entry()
	test.Environment, test.Fingerprint = "test", prod.Fingerprint
	want(t, "prod", s, prod, true)
	want(t, "test", s, test, true)
	want(t, "prod again", s, prod, false)
	want(t, "test again", s, test, false)
	want(t, "another prefix", open(t, server.url(""), func(c *redis.Config) { c.Prefix = "other:" }), prod, true)

	keys := server.ask("KEYS", "*")
	if len(keys) != 3 {
		t.Fatalf("got keys %q", keys)
	}
	for _, key := range keys {
		name, ok := strings.CutPrefix(strings.TrimPrefix(key, "other:"), "gatewayauth:replay:")
		if len(name) != 24 || !ok && !strings.HasPrefix(key, "other:") {
			t.Errorf("got key %q", key)
		}
		if containsAny(key, "prod", "test", hex.EncodeToString(prod.Fingerprint[:4])) {
			t.Errorf("key %q tells of the entry", key)
		}
	}
}

// TestEntryLifetime_F10: an entry outlives its request by ClockStep, whatever the clock did,
// and whatever clock skew the policy has.
func TestEntryLifetime_F10(t *testing.T) {
	server := startServer(t)
	for _, tt := range []struct {
		name        string
		presigned   bool
		step, until time.Duration
		life        time.Duration
	}{
		{"default", false, 0, 15 * time.Minute, 2 * time.Hour},
		{"a short skew", false, 0, time.Second, 2 * time.Hour},
		{"the longest skew", false, 0, time.Hour, 2 * time.Hour},
		{"presigned", true, 0, 7 * 24 * time.Hour, 169 * time.Hour},
		{"presigned, at its end", true, 0, 0, time.Hour},
		{"presigned, past its end", true, 0, -59 * time.Minute, time.Minute},
		{"presigned, configured", true, 2 * time.Minute, time.Minute, 3 * time.Minute},
		{"configured", false, 2 * time.Minute, time.Minute, 62 * time.Minute},
		{"past its end", false, 0, -59 * time.Minute, 2 * time.Hour},
	} {
		server.ask("FLUSHALL")
		s := open(t, server.url(""), func(c *redis.Config) { c.ClockStep = tt.step })
		e := entry()
		e.SignedAt, e.Until, e.Presigned = e.Now, e.Now.Add(tt.until), tt.presigned
		want(t, tt.name, s, e, true)
		keys := server.ask("KEYS", "*")
		left, err := strconv.Atoi(strings.TrimPrefix(server.ask("PTTL", keys[0])[0], ":"))
		if got := time.Duration(left) * time.Millisecond; err != nil || got > tt.life || got < tt.life-patience {
			t.Errorf("%s: got a life of %v, want %v", tt.name, got, tt.life)
		}
		for _, step := range []time.Duration{-time.Hour, 16 * time.Minute, time.Hour} {
			stepped := e
			stepped.Now = e.Now.Add(step)
			if added, _ := s.Add(context.Background(), stepped); added {
				t.Errorf("%s: new again after a step by %v", tt.name, step)
			}
		}
	}
	s := open(t, server.url(""))
	for name, until := range map[string]time.Duration{"too far": 9 * 24 * time.Hour, "long past": -time.Hour,
		"far past": -1 << 62, "never": 1<<63 - 1} {
		e := entry()
		e.Until = e.Now.Add(until)
		wantUnavailable(t, name, s, e)
	}
}

// TestContext_T144: a caller that is gone records nothing.
func TestContext_T144(t *testing.T) {
	server := startServer(t)
	s := open(t, server.url(""))
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("gone"))
	e := entry()
	added, err := s.Add(ctx, e)
	if added || !errors.Is(err, redis.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", added, err)
	}
	want(t, "afterwards", s, e, true)
}

// TestPipelining: callers share one connection, however many they are.
func TestPipelining(t *testing.T) {
	proxy := newProxy(t, startServer(t).socket)
	s := open(t, "redis://"+proxy.address)
	var running sync.WaitGroup
	for range 256 {
		running.Go(func() {
			for range 20 {
				if added, err := s.Add(context.Background(), entry()); err != nil || !added {
					t.Errorf("got %v, %v", added, err)
				}
			}
		})
	}
	running.Wait()
	if n := proxy.accepted.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
