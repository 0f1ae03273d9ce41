package redis_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// freePort returns a port that nobody listened on a moment ago: servers of a
// cluster and Sentinel tell each other ports, and cannot use sockets.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// TestCluster: two servers, one of them in the URL, and slots that move.
func TestCluster(t *testing.T) {
	before := goleak.IgnoreCurrent()
	var servers []*server
	var ports []string
	for range 2 {
		port, bus := freePort(t), freePort(t)
		servers = append(servers, startServer(t, "--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes",
			"--cluster-port", bus, "--cluster-announce-bus-port", bus))
		ports = append(ports, port)
		if len(ports) > 1 {
			servers[1].ask("CLUSTER", "MEET", "127.0.0.1", ports[0], busOf(servers[0]))
		}
	}
	servers[0].ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
	servers[1].ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
	for _, s := range servers {
		eventually(t, "the cluster", func() bool {
			info := strings.Join(s.ask("CLUSTER", "INFO"), "\n")
			return containsAny(info, "cluster_state:ok") && containsAny(info, "cluster_known_nodes:2")
		})
	}
	s := open(t, "redis://127.0.0.1:"+ports[0]+"?cluster=true")
	for range 50 {
		e := works(t, s)
		want(t, "again", s, e, false)
	}
	for i, server := range servers {
		if n := len(server.ask("KEYS", "*")); n < 5 {
			t.Errorf("server %d has %d of 50 keys", i, n)
		}
	}
	// Without cluster=true the other half is refused, and nothing is assumed.
	single := open(t, "redis://127.0.0.1:"+ports[0])
	works(t, single)
	moved := false
	for range 50 {
		e := entry()
		if _, err := single.Add(t.Context(), e); err != nil {
			moved = moved || containsAny(err.Error(), "MOVED")
		}
	}
	if !moved {
		t.Error("no entry of the other server")
	}
	single.Close()

	servers[1].kill()
	eventually(t, "failures", func() bool {
		_, err := s.Add(t.Context(), entry())
		return err != nil
	})
	s.Close()
	eventually(t, "what closing leaves ends", func() bool { return leaks(before) == nil })
}

func busOf(s *server) string {
	for i, arg := range s.args {
		if arg == "--cluster-port" {
			return s.args[i+1]
		}
	}
	return ""
}

// TestSentinel: the primary dies, and its replica takes over.
func TestSentinel(t *testing.T) {
	ports := []string{freePort(t), freePort(t), freePort(t)}
	primary := startServer(t, "--port", ports[0], "--bind", "127.0.0.1")
	replica := startServer(t, "--port", ports[1], "--bind", "127.0.0.1", "--replicaof", "127.0.0.1 "+ports[0])
	eventually(t, "replication", func() bool {
		return containsAny(strings.Join(replica.ask("INFO", "replication"), "\n"), "master_link_status:up")
	})
	dir := t.TempDir()
	file := filepath.Join(dir, "sentinel.conf")
	err := os.WriteFile(file, []byte("port "+ports[2]+"\nbind 127.0.0.1\ndir "+dir+"\n"+
		"sentinel monitor gateway 127.0.0.1 "+ports[0]+" 1\n"+
		"sentinel down-after-milliseconds gateway 500\n"+
		"sentinel failover-timeout gateway 5000\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	sentinel := &server{t: t, program: program(t), args: []string{file, "--sentinel"}}
	sentinel.start()
	t.Cleanup(sentinel.kill)

	for _, protocol := range []string{"", "&protocol=2"} {
		s := open(t, "redis://127.0.0.1:"+ports[2]+"?master_set=gateway"+protocol, timeout(time.Second))
		wantSeen(t, "again", s, works(t, s))
		defer func() {
			wantSeen(t, "after the fail-over", s, works(t, s))
		}()
	}
	primary.kill()
}
