package redis_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestPrimaryKilled_F25: the primary is killed under load, and has lost its replicas shortly
// before, so that writes are lost for sure.
func TestPrimaryKilled_F25(t *testing.T) {
	needs.Long(t) // a fail-over takes seconds
	r := startSentinels(t, 2, 3, "")
	journals := map[string]*journal{}
	for port, s := range r.servers {
		if port != r.primary {
			journals[port] = s.monitor()
		}
	}
	l := startTraffic(t, 4, r.url(), r.url()+"&protocol=2")
	l.bothAccept("at first")
	for _, j := range journals {
		eventually(t, "replication", func() bool { return j.received() > 0 })
	}
	primary := r.servers[r.primary]
	primary.ask("ACL", "SETUSER", "default", "-psync", "-sync")
	primary.ask("CLIENT", "KILL", "TYPE", "REPLICA")
	eventually(t, "requests without replicas", more(&l.accepted, 20))
	fault := time.Now()
	primary.kill()
	port := r.promoted()
	l.bothAccept("after the fail-over")
	l.end()
	l.settle(fault, r.servers[port].keys(), journals[port])
}

// TestPrimaryPaused_F26: the primary stops under load, as a virtual machine does that is
// moved, and goes on when another one has replaced it. It takes no request any more.
func TestPrimaryPaused_F26(t *testing.T) {
	needs.Long(t) // a fail-over takes seconds
	r := startSentinels(t, 1, 3, "")
	var replica string
	for port := range r.servers {
		if port != r.primary {
			replica = port
		}
	}
	received := r.servers[replica].monitor()
	l := startTraffic(t, 4, r.url(), r.url()+"&protocol=2")
	l.bothAccept("at first")
	eventually(t, "replication", func() bool { return received.received() > 0 })
	old := r.servers[r.primary]
	fault := time.Now()
	old.signal(syscall.SIGSTOP)
	if port := r.promoted(); port != replica {
		t.Fatalf("got the primary %s", port)
	}
	l.bothAccept("after the fail-over")
	old.signal(syscall.SIGCONT)
	eventually(t, "the old primary is a replica", func() bool { return old.says("INFO", "replication", "master_link_status:up") })
	l.bothAccept("with the old primary back")
	l.end()
	l.settle(fault, r.servers[replica].keys(), received)
}

// journal has the keys that a replica has received from its primary, as the replica itself
// reports to MONITOR. It ends when the replica is promoted: Sentinel then closes all
// connections of clients.
type journal struct {
	mu   sync.Mutex
	keys map[string]bool
}

func (s *server) monitor() *journal {
	s.t.Helper()
	j := &journal{keys: map[string]bool{}}
	c, err := net.Dial("unix", s.socket)
	if err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprint(c, "MONITOR\r\n")
	lines := bufio.NewScanner(c)
	if !lines.Scan() || lines.Text() != "+OK" {
		s.t.Fatalf("MONITOR: got %q", lines.Text())
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		// +1700000000.123456 [0 127.0.0.1:1234] "SET" "key" "1" "PXAT" "1700007200000"
		for lines.Scan() {
			_, command, _ := strings.Cut(lines.Text(), "] ")
			if args := strings.Split(command, `"`); len(args) > 3 && args[1] == "SET" && !strings.Contains(command, `"NX"`) {
				j.mu.Lock()
				j.keys[args[3]] = true
				j.mu.Unlock()
			}
		}
	})
	s.t.Cleanup(func() {
		c.Close()
		reading.Wait()
	})
	return j
}

// received returns the number of keys.
func (j *journal) received() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.keys)
}

func (j *journal) has(key string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.keys[key]
}

// says reports whether the server replies to a command with the text in it. Sentinel may
// close the connection instead.
func (s *server) says(command, argument, text string) bool {
	args := []string{command}
	if argument != "" {
		args = append(args, argument)
	}
	reply, err := s.try(args...)
	return err == nil && strings.Contains(strings.Join(reply, "\n"), text)
}

// signal sends the process a signal.
func (s *server) signal(which syscall.Signal) {
	if err := s.cmd.Process.Signal(which); err != nil {
		s.t.Error(err)
	}
}

// keys returns those on the server.
func (s *server) keys() map[string]bool {
	all := map[string]bool{}
	for _, key := range s.ask("KEYS", "*") {
		all[key] = true
	}
	return all
}
