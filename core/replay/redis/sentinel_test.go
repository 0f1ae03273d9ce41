package redis_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startTCP starts a server on a port of loopback, with args(port) in addition. Servers of a
// cluster and sentinels tell each other ports, and cannot use sockets. If somebody else
// takes the port first, another one is tried.
func startTCP(t testing.TB, args func(port string) []string) (s *server, port string) {
	t.Helper()
	var err error
	for range 20 {
		port = freePort(t)
		s = newServer(t, append([]string{"--port", port, "--bind", "127.0.0.1"}, args(port)...)...)
		if err = s.launch(); err == nil {
			return s, port
		}
	}
	t.Fatal(err)
	return nil, ""
}

// freePort returns a port that nobody listened on a moment ago, and that no outgoing
// connection gets.
func freePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(10000 + rand.IntN(20000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}

// replicated is a primary with replicas, and the sentinels that watch them.
type replicated struct {
	t         testing.TB
	servers   map[string]*server // by port
	primary   string             // the port of the first one
	sentinels []string           // their ports
	watch     []*server
}

const masterSet = "gateway"

// startSentinels starts a primary with replicas, and sentinels. Options are lines of the
// sentinels' configuration; args are those of all servers.
func startSentinels(t testing.TB, replicas, sentinels int, options string, args ...string) *replicated {
	t.Helper()
	r := &replicated{t: t, servers: map[string]*server{}}
	first, port := startTCP(t, func(string) []string { return append([]string{"--repl-diskless-sync-delay", "0"}, args...) })
	r.primary, r.servers[port] = port, first
	for range replicas {
		s, p := startTCP(t, func(string) []string {
			return append([]string{"--replicaof", "127.0.0.1 " + port}, args...)
		})
		r.servers[p] = s
	}
	eventually(t, "replication", func() bool {
		return strings.Count(strings.Join(first.ask("INFO", "replication"), "\n"), "state=online") == replicas
	})
	for range sentinels {
		r.watch = append(r.watch, r.startSentinel(min(sentinels, 2), options))
	}
	for _, s := range r.watch {
		eventually(t, "the sentinels know all", func() bool {
			info := strings.Join(s.ask("INFO", "sentinel"), "\n")
			return strings.Contains(info, fmt.Sprintf("status=ok,address=127.0.0.1:%s,slaves=%d,sentinels=%d", port, replicas, sentinels))
		})
	}
	return r
}

// downAfter is how long a server does not answer before Sentinel takes it for dead.
// Sentinel never promotes a replica that had lost its primary for ten times as long before
// that one died, so on a busy machine it must not be short.
const downAfter = 3 * time.Second

func (r *replicated) startSentinel(quorum int, options string) *server {
	t := r.t
	t.Helper()
	var err error
	for range 20 {
		port := freePort(t)
		s := newServer(t)
		dir := filepath.Dir(s.socket)
		file := filepath.Join(dir, "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\nunixsocket %s\ndir %s\nsentinel monitor %s 127.0.0.1 %s %d\n"+
			"sentinel down-after-milliseconds %[4]s %[8]d\nsentinel failover-timeout %[4]s 3000\n%[7]s\n",
			port, s.socket, dir, masterSet, r.primary, quorum, options, downAfter.Milliseconds())
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.args = []string{file, "--sentinel"}
		if err = s.launch(); err == nil {
			r.sentinels = append(r.sentinels, port)
			// What saves time where the server has the command (Redis 7).
			s.try("SENTINEL", "DEBUG", "INFO-PERIOD", "500", "PUBLISH-PERIOD", "200", "ASK-PERIOD", "200")
			return s
		}
	}
	t.Fatal(err)
	return nil
}

// url names all sentinels.
func (r *replicated) url() string {
	url := "redis://127.0.0.1:" + r.sentinels[0] + "?master_set=" + masterSet
	for _, port := range r.sentinels[1:] {
		url += "&addr=127.0.0.1:" + port
	}
	return url
}

// promoted waits until all sentinels name the same other primary, and returns its port.
func (r *replicated) promoted() (port string) {
	r.t.Helper()
	// Sentinel tries again where it has found no replica that it takes for good, such as
	// one whose last answer is 5 s old.
	defer func() {
		for _, s := range r.watch {
			if r.t.Failed() {
				replicas, err := s.try("SENTINEL", "REPLICAS", masterSet)
				r.t.Log(s.says("INFO", "sentinel", "tilt:1"), err, strings.Join(replicas, " "))
			}
		}
	}()
	within(r.t, 6*patience, "the fail-over", func() bool {
		port = ""
		for _, s := range r.watch {
			at := s.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterSet)
			if len(at) != 2 || at[1] == r.primary || port != "" && at[1] != port {
				return false
			}
			port = at[1]
		}
		return r.servers[port].says("ROLE", "", "master")
	})
	return port
}
