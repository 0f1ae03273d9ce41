package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// reconnect is how long a store may take to find a server that was restarted: it
// tries once a second.
const reconnect = 3 * time.Second

// A redisServer keeps nothing over a restart. It knows its outages.
type redisServer struct {
	dir string
	cmd *exec.Cmd

	mu      sync.Mutex
	outages []outage
}

// An outage lasts from killing, when the signal is sent, to ready, by adapter, when a
// store has surely connected to the next server. From dead to starting there is none.
type outage struct {
	killing, dead, starting, up time.Time
	ready                       map[string]time.Time
}

func startRedis(dir string) (*redisServer, error) {
	s := &redisServer{dir: dir}
	return s, s.start()
}

func (s *redisServer) socket() string { return filepath.Join(s.dir, "redis") }
func (s *redisServer) url() string    { return "unix://" + s.socket() }

// start returns when the server answers.
func (s *redisServer) start() error {
	s.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket(), "--save", "", "--appendonly", "no", "--dir", s.dir)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "eady to accept connections") {
			go io.Copy(io.Discard, out) // it stops when nobody reads what it prints
			return nil
		}
	}
	s.stop()
	return errors.New("redis-server ended while it started")
}

func (s *redisServer) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
	os.Remove(s.socket())
}

// interrupt kills the server, and starts it again after away.
func (s *redisServer) interrupt(away time.Duration) error {
	s.note(func() { s.outages = append(s.outages, outage{killing: time.Now(), ready: map[string]time.Time{}}) })
	o := &s.outages[len(s.outages)-1]
	s.stop()
	s.note(func() { o.dead = time.Now() })
	time.Sleep(away)
	s.note(func() { o.starting = time.Now() })
	err := s.start()
	s.note(func() { o.up = time.Now() })
	return err
}

func (s *redisServer) note(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// down is the state of a server that cannot be asked; others are the number of outages
// before, since each loses what was recorded.
const down = -1

// during returns the states in which the store of an adapter may have found the server.
func (s *redisServer) during(adapter string, from, to time.Time) (states []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var began time.Time // of the server that the outage ended
	for i, o := range s.outages {
		if !to.Before(began) && (o.dead.IsZero() || !from.After(o.dead)) {
			states = append(states, i)
		}
		if !to.Before(o.killing) && !from.After(o.end(adapter)) {
			states = append(states, down)
		}
		if began = o.starting; began.IsZero() {
			return states
		}
	}
	if !to.Before(began) {
		states = append(states, len(s.outages))
	}
	return states
}

// end is when the store of an adapter has surely connected again.
func (o *outage) end(adapter string) time.Time {
	ready, known := o.ready[adapter]
	switch {
	case known:
		return ready
	case o.up.IsZero():
		return time.Now().Add(time.Hour)
	}
	return o.up.Add(reconnect)
}

// answered notes that the store of an adapter has answered a request.
func (s *redisServer) answered(adapter string, from, to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.outages) == 0 {
		return
	}
	o := &s.outages[len(s.outages)-1]
	if _, known := o.ready[adapter]; !known && !o.starting.IsZero() && from.After(o.starting) {
		o.ready[adapter] = to
	}
}

// kills returns how often the server was killed, and whether all stores have
// surely connected since.
func (s *redisServer) kills() (n int, settled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = len(s.outages)
	return n, n == 0 || !s.outages[n-1].up.IsZero() && time.Since(s.outages[n-1].up) > reconnect
}
