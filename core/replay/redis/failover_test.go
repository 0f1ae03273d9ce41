package redis_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
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

// account is what the stores of all backends have told.
type account struct {
	mu      sync.Mutex
	added   map[string][]time.Time // by key on the server: when checks began that found it new
	failed  map[string]int         // by error
	longest time.Duration          // that a check took
}

// recorded is a store whose answers are recorded.
type recorded struct {
	*redis.Store
	*account
}

var ports = regexp.MustCompile(`:[0-9]+`)

func (r recorded) Add(ctx context.Context, e core.ReplayEntry) (bool, error) {
	start := time.Now()
	added, err := r.Store.Add(ctx, e)
	took := time.Since(start)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.longest = max(r.longest, took)
	if err != nil {
		r.failed[ports.ReplaceAllString(strings.TrimPrefix(err.Error(), redis.ErrUnavailable.Error()+": "), ":*")]++
	}
	if added {
		r.added[r.Key(e)] = append(r.added[r.Key(e)], start)
	}
	return added, err
}

// traffic is several clients that send each request again and again to two backends, which
// share a server but no store.
type traffic struct {
	t        *testing.T
	account  account
	stores   [2]*redis.Store
	backends [2]*backend
	stop     chan struct{}
	running  sync.WaitGroup

	sent, accepted, replayed, unavailable atomic.Int64
	by                                    [2]atomic.Int64 // accepted by a backend

	mu   sync.Mutex
	were []*http.Request // accepted
}

// startTraffic starts clients of two backends, whose stores have these URLs. A request that is answered with 503 is sent again until it
// gets another answer, and at least three times in all.
func startTraffic(t *testing.T, clients int, urls ...string) *traffic {
	t.Helper()
	l := &traffic{t: t, account: account{added: map[string][]time.Time{}, failed: map[string]int{}}, stop: make(chan struct{})}
	for i := range l.backends {
		s := open(t, urls[i], timeout(0)) // the default
		works(t, s)
		l.stores[i], l.backends[i] = s, newBackend(t, recorded{s, &l.account})
	}
	for c := range clients {
		l.running.Go(func() {
			for n := 0; !l.stopped(); n++ {
				r := l.backends[0].sign(fmt.Sprintf("/v1/items/%d/%d", c, n))
				for again := 0; again < 3 && !l.stopped(); time.Sleep(time.Millisecond) {
					if l.send(c+n+again, r) != core.CodeUnavailable {
						again++
					}
				}
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *traffic) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// send sends a request to one of the backends.
func (l *traffic) send(which int, r *http.Request) core.Code {
	which %= len(l.backends)
	code := l.backends[which].send(r)
	l.sent.Add(1)
	switch code {
	case "":
		l.accepted.Add(1)
		l.by[which].Add(1)
		l.mu.Lock()
		l.were = append(l.were, r)
		l.mu.Unlock()
	case core.CodeReplayed:
		l.replayed.Add(1)
	case core.CodeUnavailable:
		l.unavailable.Add(1)
	default:
		l.t.Errorf("%s: got %q", r.URL.Path, code)
	}
	return code
}

// bothAccept waits until both backends have accepted requests that were not sent before.
func (l *traffic) bothAccept(when string) {
	l.t.Helper()
	for i := range l.by {
		eventually(l.t, fmt.Sprintf("backend %d accepts requests %s", i, when), more(&l.by[i], 50))
	}
}

func (l *traffic) end() {
	if !l.stopped() {
		close(l.stop)
	}
	l.running.Wait()
}

// settle checks what was accepted when the traffic has ended. Keys are those that the server has
// now. After a fail-over, which began at fault, received is what its primary received before
// it became one; nil if there was no fail-over, and nothing can be lost. A request is accepted twice only if its write was lost: the primary that is
// gone had accepted it, and the new one has never received it.
func (l *traffic) settle(fault time.Time, keys map[string]bool, received *journal) {
	t := l.t
	t.Helper()
	twice, lost, total := 0, map[string]bool{}, 0
	for key, times := range l.account.added {
		total += len(times)
		if !keys[key] {
			lost[key] = true
		}
		if len(times) == 1 {
			continue
		}
		twice++
		slices.SortFunc(times, time.Time.Compare)
		if received == nil {
			t.Errorf("%s: accepted %d times", key, len(times))
		} else if len(times) > 2 || times[0].After(fault) || times[1].Before(fault) || received.has(key) {
			t.Errorf("%s: accepted at %v after the fault, received by the new primary before it: %v", key,
				[]time.Duration{times[0].Sub(fault), times[len(times)-1].Sub(fault)}, received.has(key))
		}
	}
	runs := l.backends[0].runs.Load() + l.backends[1].runs.Load()
	if int64(total) != runs || runs != l.accepted.Load() {
		t.Errorf("the handlers ran %d times, %d requests were accepted, the stores found %d entries new", runs, l.accepted.Load(), total)
	}
	t.Logf("%d sent: %d accepted, %d replayed, %d unavailable; %d accepted twice, %d lost and not sent again; the longest check took %v; %v",
		l.sent.Load(), l.accepted.Load(), l.replayed.Load(), l.unavailable.Load(), twice, len(lost), l.account.longest, l.account.failed)

	if received == nil && len(lost) > 0 {
		t.Errorf("%d entries are lost", len(lost))
	}
	// What was accepted is refused from now on, but for what was lost.
	before := l.accepted.Load()
	for i, r := range l.were {
		eventually(t, "an answer of the store", func() bool { return l.send(i, r) != core.CodeUnavailable })
	}
	if n := l.accepted.Load() - before; n != int64(len(lost)) {
		t.Errorf("%d accepted again, %d were lost", n, len(lost))
	}
	for key := range lost {
		if len(l.account.added[key]) != 2 {
			t.Errorf("%s: accepted %d times, and was lost once", key, len(l.account.added[key]))
		}
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

// TestPrimaryKilled_F25: the primary is killed under load, and has lost its replicas shortly
// before, so that writes are lost for sure.
func TestPrimaryKilled_F25(t *testing.T) {
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
