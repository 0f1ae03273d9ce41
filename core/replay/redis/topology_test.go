package redis_test

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// slots is how many a cluster has.
const slots = 16384

// startCluster starts n servers that have the slots among them in equal parts.
func startCluster(t *testing.T, n int, args ...string) (servers []*server, ports []string) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		eventually(t, "what a cluster's client leaves ends", func() bool { return leaks(before) == nil })
	})
	for i := range n {
		bus := ""
		s, port := startTCP(t, func(string) []string {
			bus = freePort(t)
			return append([]string{"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-announce-bus-port", bus}, args...)
		})
		servers, ports = append(servers, s), append(ports, port)
		s.ask("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/n), strconv.Itoa((i+1)*slots/n-1))
		if i > 0 {
			servers[0].ask("CLUSTER", "MEET", "127.0.0.1", port, bus)
		}
	}
	for _, s := range servers {
		eventually(t, "the cluster", func() bool {
			info := strings.Join(s.ask("CLUSTER", "INFO"), "\n")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(n)) &&
				strings.Contains(info, "cluster_slots_ok:"+strconv.Itoa(slots))
		})
	}
	return servers, ports
}

// TestCluster: two servers, one of them in the URL, and slots that move.
func TestCluster(t *testing.T) {
	servers, ports := startCluster(t, 2)
	before := goleak.IgnoreCurrent()
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

// statistic returns a number that a server's INFO has, 0 if it has none.
func (s *server) statistic(section, prefix string) int {
	for _, line := range s.ask("INFO", section) {
		if rest, found := strings.CutPrefix(line, prefix); found {
			digits, _, _ := strings.Cut(rest, ",")
			n, _ := strconv.Atoi(digits)
			return n
		}
	}
	return 0
}

// TestResharding_F27: slots move between the servers of a cluster under load. Nothing is
// lost, so that nothing is accepted twice, and no retry that was permitted once is accepted
// twice.
func TestResharding_F27(t *testing.T) {
	needs.Long(t) // moves slots under load
	cli := needs.Program(t, "redis-cli", "redis-tools")
	servers, ports := startCluster(t, 3)
	var ids []string
	for _, s := range servers {
		ids = append(ids, s.ask("CLUSTER", "MYID")[0])
	}
	url := "redis://127.0.0.1:" + ports[0] + "?cluster=true&addr=127.0.0.1:" + ports[1]
	l := startTraffic(t, 4, url, url)
	permits := startPermits(l)
	l.bothAccept("at first")
	// As people do it. Each slot moves within milliseconds, so that clients meet MOVED, and
	// hardly ever ASK.
	out, err := exec.Command(cli, "--cluster", "reshard", "127.0.0.1:"+ports[0], "--cluster-from", ids[0], "--cluster-to", ids[1],
		"--cluster-slots", "50", "--cluster-yes").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l.bothAccept("after moving slots")

	// The same step by step, and all slots at once: clients meet ASK.
	from, to := servers[1], servers[2]
	var moving []string
	for i := range 150 {
		slot := strconv.Itoa(slots/2 + i)
		moving = append(moving, slot)
		to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[1])
		from.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[2])
	}
	// On a busy machine most checks exceed the time that production gives them.
	within(t, 6*patience, "requests and retries that are asked to go elsewhere", func() bool {
		return from.statistic("errorstats", "errorstat_ASK:count=") > 20 && permits.redeemed.Load() > 50
	})
	l.bothAccept("while slots move")
	for _, slot := range moving {
		for keys := from.ask("CLUSTER", "GETKEYSINSLOT", slot, "1000"); len(keys) > 0; keys = from.ask("CLUSTER", "GETKEYSINSLOT", slot, "1000") {
			from.ask(append([]string{"MIGRATE", "127.0.0.1", ports[2], "", "0", "10000", "KEYS"}, keys...)...)
		}
		for _, s := range []*server{to, from, servers[0]} {
			s.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[2])
		}
	}
	l.bothAccept("at last")
	permits.end()
	l.end()

	moved, asked := 0, 0
	for _, s := range servers {
		moved += s.statistic("errorstats", "errorstat_MOVED:count=")
		asked += s.statistic("errorstats", "errorstat_ASK:count=")
		if n := s.statistic("errorstats", "errorstat_CROSSSLOT:count="); n != 0 {
			t.Errorf("%d commands with keys of several slots", n)
		}
	}
	if moved == 0 {
		t.Error("no MOVED")
	}
	t.Logf("%d MOVED, %d ASK; %d retries permitted, %d redeemed, %d unavailable", moved, asked,
		permits.permitted.Load(), permits.redeemed.Load(), permits.unavailable.Load())
	all := map[string]bool{}
	for _, s := range servers {
		for key := range s.keys() {
			all[key] = true
		}
	}
	l.settle(time.Time{}, all, nil)
}

// permits is several clients that permit retries, and redeem each at both backends at once.
type permits struct {
	running                          sync.WaitGroup
	stop                             chan struct{}
	permitted, redeemed, unavailable atomic.Int64
}

func startPermits(l *traffic) *permits {
	p := &permits{stop: make(chan struct{})}
	for range 2 {
		p.running.Go(func() {
			for {
				select {
				case <-p.stop:
					return
				case <-time.After(time.Millisecond):
				}
				e := entry()
				if err := l.stores[0].Permit(context.Background(), e, time.Minute); err != nil {
					p.unavailable.Add(1)
					continue
				}
				p.permitted.Add(1)
				var yes, no atomic.Int64
				var both sync.WaitGroup
				for _, s := range l.stores {
					both.Go(func() {
						switch ok, err := s.Redeem(context.Background(), e); {
						case err != nil:
							p.unavailable.Add(1)
						case ok:
							yes.Add(1)
						default:
							no.Add(1)
						}
					})
				}
				both.Wait()
				if yes.Load() > 1 || no.Load() == 2 {
					l.t.Errorf("%d redeemed a retry, %d could not", yes.Load(), no.Load())
				}
				p.redeemed.Add(yes.Load())
			}
		})
	}
	l.t.Cleanup(p.end)
	return p
}

func (p *permits) end() {
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	p.running.Wait()
}
