package redis_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// patience is how long tests wait for what must happen. Nothing is measured
// with it.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		os.Exit(child(url))
	}
	goleak.VerifyTestMain(m)
}

// quiet drops what is logged.
var quiet = slog.New(slog.DiscardHandler)

// open returns a store on url that is closed with the test, and gives servers
// that are slow under load the time that production would not.
func open(t testing.TB, url string, change ...func(*redis.Config)) *redis.Store {
	t.Helper()
	c := redis.Config{URL: core.NewSecret(url), Timeout: 10 * time.Second, Logger: quiet}
	for _, f := range change {
		f(&c)
	}
	s, err := redis.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func timeout(d time.Duration) func(*redis.Config) { return func(c *redis.Config) { c.Timeout = d } }

var serial atomic.Uint64

// entry returns one that no other test has.
func entry() core.ReplayEntry {
	now := time.Now()
	e := core.ReplayEntry{Environment: "prod", SignedAt: now.Truncate(time.Second), Now: now}
	e.Until = e.SignedAt.Add(15 * time.Minute)
	binary.BigEndian.PutUint64(e.Fingerprint[:], serial.Add(1))
	return e
}

func want(t *testing.T, name string, s *redis.Store, e core.ReplayEntry, added bool) {
	t.Helper()
	if got, err := s.Add(context.Background(), e); err != nil || got != added {
		t.Errorf("%s: got %v, %v, want %v", name, got, err, added)
	}
}

func wantUnavailable(t *testing.T, name string, s *redis.Store, e core.ReplayEntry) error {
	t.Helper()
	added, err := s.Add(context.Background(), e)
	if added || !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("%s: got %v, %v, want ErrUnavailable", name, added, err)
	}
	return err
}

// eventually waits for f.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	within(t, patience, what, f)
}

// within is eventually for what takes longer.
func within(t testing.TB, most time.Duration, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, most)
		}
	}
}

// wantSeen demands that e is known to s, which may have so short a timeout that a check
// fails on a busy machine. Such a check is made again.
func wantSeen(t testing.TB, name string, s *redis.Store, e core.ReplayEntry) {
	t.Helper()
	eventually(t, name, func() bool {
		added, err := s.Add(context.Background(), e)
		if added {
			t.Fatalf("%s: a recorded entry is new", name)
		}
		return err == nil
	})
}

// works waits until s takes a new entry, and returns the one it took.
func works(t testing.TB, s *redis.Store) (e core.ReplayEntry) {
	t.Helper()
	var err error
	defer func() {
		if t.Failed() && err != nil {
			t.Log(err)
		}
	}()
	eventually(t, "the store works", func() bool {
		e = entry()
		var added bool
		added, err = s.Add(context.Background(), e)
		if err == nil && !added {
			t.Fatal("a new entry is refused")
		}
		return added
	})
	return e
}

// server is a redis-server of the test's own, on a socket.
type server struct {
	t       testing.TB
	program string
	args    []string
	socket  string
	cmd     *exec.Cmd
	drained chan struct{} // nobody reads what it prints any more
}

// url is the server's; more stands between scheme and path: user and password.
func (s *server) url(user string) string { return "unix://" + user + s.socket }

// startServer starts one that keeps nothing, with args in addition.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := newServer(t, args...)
	s.start()
	return s
}

func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "replay") // sockets must have short names
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &server{t: t, program: program(t), socket: filepath.Join(dir, "s")}
	s.args = append([]string{"--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no", "--dir", dir}, args...)
	t.Cleanup(s.kill)
	return s
}

// serverProgram names the environment variable with the server to test with, for one that
// is not installed as redis-server, such as Valkey's.
const serverProgram = "GATEWAYAUTH_REDIS_SERVER"

func program(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(serverProgram); path != "" {
		return path
	}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	needs.Missing(t, "program redis-server or valkey-server", "redis-server")
	return ""
}

// start returns when the server answers.
func (s *server) start() {
	s.t.Helper()
	if err := s.launch(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) launch() error {
	cmd := exec.Command(s.program, s.args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if containsAny(lines.Text(), "eady to accept connections", "Sentinel ID is") {
			s.drained = make(chan struct{})
			go func() { // a server stops when nobody reads what it prints, and a pipe may hold 4 KiB
				defer close(s.drained)
				io.Copy(io.Discard, out)
			}()
			return nil
		}
		said.WriteString(lines.Text() + "\n")
	}
	s.kill()
	return errors.New("the server ended while it started:\n" + said.String())
}

// kill ends the server as a crash does.
func (s *server) kill() {
	if s.cmd == nil {
		return // it has never run
	}
	s.cmd.Process.Kill()
	if s.drained != nil {
		<-s.drained
	}
	s.cmd.Wait()
	os.Remove(s.socket)
}
