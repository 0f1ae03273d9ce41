package redis_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// logged collects records.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) to(c *redis.Config) { c.Logger = slog.New(slog.NewTextHandler(l, nil)) }

// TestEvictionPolicy_F23: a server that may drop entries is warned about, as is one that
// does not say.
func TestEvictionPolicy_F23(t *testing.T) {
	policy := func(p string) string { return "%1\r\n+maxmemory-policy\r\n+" + p + "\r\n" }
	const forbidden = "-NOPERM this user has no permissions to run the 'config|get' command\r\n"
	info := func(p string) string {
		text := "# Memory\r\nused_memory:1\r\nmaxmemory_policy:" + p + "\r\nallocator:libc\r\n"
		return "=" + itoa(len(text)+4) + "\r\ntxt:" + text + "\r\n"
	}
	for _, tt := range []struct {
		name, config, info, want string
	}{
		{"right", policy("noeviction"), "", ""},
		{"evicts", policy("allkeys-lru"), "", "maxmemory-policy=allkeys-lru"},
		{"evicts what ends", policy("volatile-ttl"), "", "maxmemory-policy=volatile-ttl"},
		{"RESP2", "*2\r\n$16\r\nmaxmemory-policy\r\n$11\r\nallkeys-lru\r\n", "", "maxmemory-policy=allkeys-lru"},
		{"forbidden, right", forbidden, info("noeviction"), ""},
		{"forbidden, evicts", forbidden, info("volatile-lru"), "maxmemory-policy=volatile-lru"},
		{"both forbidden", forbidden, forbidden, "cannot be read"},
		{"says nothing", "%0\r\n", "$-1\r\n", "cannot be read"},
		{"odd", "+OK\r\n", ":1\r\n", "cannot be read"},
		{"long", policy(strings.Repeat("x", 1000)), "", "maxmemory-policy=" + strings.Repeat("x", 40) + "\n"},
	} {
		f := newFake(map[string]string{"SET": "+OK\r\n", "CONFIG": tt.config, "INFO": tt.info})
		address, _ := listen(t, f.handle)
		if got := probed(t, "redis://"+address, func(log string) bool {
			return log != "" || tt.want == "" && f.count("CONFIG") > 0 && (tt.info == "" || f.count("INFO") > 0)
		}); !strings.Contains(got, tt.want) || tt.want == "" && got != "" ||
			strings.Count(got, "level=WARN") != strings.Count(got, "\n") || strings.Count(got, "\n") > 1 {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// probed returns what a store on url has logged when done reports true. It opens another
// one if a second has passed: the probe then gives up, and the log says something else.
func probed(t *testing.T, url string, done func(log string) bool) string {
	t.Helper()
	for {
		var log logged
		start := time.Now()
		s := open(t, url, log.to)
		works(t, s)
		eventually(t, "the probe", func() bool { return done(log.String()) })
		s.Close() // ends the probe
		if time.Since(start) < time.Second {
			return log.String()
		}
	}
}

// TestEvictionPolicyOfServer_F23: the same with a server, and once for all its life.
func TestEvictionPolicyOfServer_F23(t *testing.T) {
	server := startServer(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	if got := probed(t, server.url(""), func(log string) bool { return log != "" }); !strings.Contains(got, "maxmemory-policy=allkeys-lru") || strings.Count(got, "\n") != 1 {
		t.Errorf("got %q", got)
	}
}

// TestFullServer_F23: a full server with the right policy refuses, and forgets nothing.
func TestFullServer_F23(t *testing.T) {
	server := startServer(t)
	s := open(t, server.url(""))
	e := works(t, s)
	server.ask("CONFIG", "SET", "maxmemory", "1")
	if err := wantUnavailable(t, "full", s, entry()); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("got %v", err)
	}
	server.ask("CONFIG", "SET", "maxmemory", "0")
	want(t, "recorded before", s, e, false)
}

// TestUnreachableIsLogged once, at the start.
func TestUnreachableIsLogged(t *testing.T) {
	var log logged
	s := open(t, "unix:///nowhere/socket", log.to)
	for range 10 {
		wantUnavailable(t, "nowhere", s, entry())
	}
	eventually(t, "a warning", func() bool { return log.String() != "" })
	s.Close()
	if got := log.String(); strings.Count(got, "cannot be reached") != 1 || strings.Count(got, "\n") != 1 {
		t.Errorf("got %q", got)
	}
}
