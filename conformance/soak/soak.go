package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// options say how long and how hard.
type options struct {
	lasts         time.Duration
	clients, rate int
	seed          uint64
}

// soak is a run.
type soak struct {
	adapters       []*adapter // gRPC is the last one
	pairs          []testkit.Pair
	redis          *redisServer
	report         *report
	stalls         stalls
	replays, links ring
	pause          sync.RWMutex // clients hold it for reading while a message is on its way
	samples        []sample
}

// run returns whether nothing was wrong.
func run(ctx context.Context, o options, out io.Writer) (ok bool, err error) {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // opens what the runtime polls with
		l.Close()
	}
	before := take()
	dir, err := os.MkdirTemp("", "soak") // sockets must have short names
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	s := &soak{pairs: pairs(signedHeaders...), report: &report{out: out, began: time.Now(), locked: locked[counts]{value: counts{}}}}
	fmt.Fprintf(out, "%d clients, %d requests a second, for %v, seed %d, %s, GOMAXPROCS=%d\n",
		o.clients, o.rate, o.lasts, o.seed, runtime.Version(), runtime.GOMAXPROCS(0))
	if s.redis, err = startRedis(dir); err != nil {
		return false, err
	}
	at := services{redis: s.redis.url()}
	var stopIAM func()
	if at.iam, stopIAM, err = serveIAM(); err != nil {
		return false, err
	}
	watching, unwatch := context.WithCancel(context.Background())
	for i, name := range []string{"net/http", "Echo", "Echo v5", "Gin", "gRPC", "guard"} {
		if err := s.serve(watching, name, filepath.Join(dir, fmt.Sprintf("environments%d.yaml", i)), at); err != nil {
			unwatch()
			s.redis.stop()
			return false, err
		}
	}

	ctx, cancel := context.WithTimeout(ctx, o.lasts)
	var running sync.WaitGroup
	running.Go(func() { s.stalls.watch(ctx.Done()) })
	running.Go(func() { s.progress(ctx) })
	for _, a := range s.adapters {
		running.Go(func() {
			if err := a.rotate(ctx); err != nil {
				s.report.fail(a.name, "%v", err)
			}
		})
	}
	for i := range o.clients {
		running.Go(func() { s.client(ctx, o, uint64(i)) })
	}
	s.cycles(ctx, max(5*time.Second, min(30*time.Second, o.lasts/10)))
	cancel()
	running.Wait()

	s.sample("at the end")
	s.samples = s.samples[:len(s.samples)-1] // of a program whose clients have ended
	for _, a := range s.adapters {
		if a.conn != nil {
			a.conn.Close()
		}
		a.stop()
	}
	unwatch()
	s.redis.stop()
	stopIAM()
	s.end(before)
	return s.report.total(wrong) == 0, nil
}

// serve starts an adapter with an environments file of its own.
func (s *soak) serve(ctx context.Context, name, path string, at services) error {
	e, err := watch(ctx, name, path, at)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	a := &adapter{environment: e, name: name, address: l.Addr().String(), idle: make(chan *connection, 64)}
	switch name {
	case "gRPC":
		a.stop = serveGRPC(e.verifier, l)
		a.conn, err = a.dialGRPC()
	case "guard":
		a.stop, err = serveGuard(e.verifier, l)
	default:
		a.stop = serveHTTP(name, e.verifier, l)
	}
	s.adapters = append(s.adapters, a)
	return err
}

// client sends messages at its share of the rate until ctx ends.
func (s *soak) client(ctx context.Context, o options, n uint64) {
	c := &client{s, rand.New(rand.NewPCG(o.seed, n))}
	every := time.Second * time.Duration(o.clients) / time.Duration(o.rate)
	for next := time.Now().Add(time.Duration(c.Int64N(int64(every)))); ; next = next.Add(every) {
		if late := time.Since(next); late > time.Second {
			next = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		s.pause.RLock()
		c.next()
		s.pause.RUnlock()
	}
}

// count judges an answer and counts it.
func (s *soak) count(kind string, m *message, want expectation, got answer) verdict {
	v := s.judge(m, want, got)
	m.forget()
	if v.problem != "" {
		loaded, refused := m.adapter.reloads()
		kills, _ := s.redis.kills()
		s.report.fail(m.adapter.name, "%s: %s\n  got %d %q, error %v; want %v; began %s, took %v\n"+
			"  generations %d to %d of the file in force (%d loaded, %d refused), states of Redis %v (killed %d times), first sent %v ago, accepted %d times before\n  %s",
			kind, v.problem, got.status, got.text, got.err, v.allowed, got.from.Format("15:04:05.000"), got.to.Sub(got.from),
			v.first, v.last, loaded, refused, v.states, kills, time.Since(m.sent).Round(time.Millisecond), m.accepted,
			strings.ReplaceAll(strings.TrimSpace(m.String()), "\n", "\n  "))
		return v
	}
	names := []string{kind}
	switch {
	case got.status == http.StatusServiceUnavailable:
		names[0] = unavailable
	case want.replayed && got.status == http.StatusOK:
		names[0] = lost
	}
	if len(v.allowed) > 1 {
		names = append(names, either)
	}
	if v.excused {
		names = append(names, excused)
	}
	s.report.add(m.adapter.name, names...)
	return v
}

// cycles kills Redis once a cycle, and at its end takes a sample.
func (s *soak) cycles(ctx context.Context, cycle time.Duration) {
	wait := func(d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	for ctx.Err() == nil {
		wait(cycle * 3 / 10)
		if ctx.Err() == nil {
			if err := s.redis.interrupt(cycle * 3 / 20); err != nil {
				s.report.fail("Redis", "%v", err)
				return
			}
		}
		wait(max(cycle*11/20, reconnect))
		if ctx.Err() == nil {
			s.sample("at a pause")
		}
	}
}

// sample lets all messages end, and then looks at what is left of them.
func (s *soak) sample(when string) {
	s.pause.Lock()
	defer s.pause.Unlock()
	for _, a := range s.adapters {
		a.closeIdle()
		if !settle(func() bool { return a.verifier.Buffered() == 0 }) {
			s.report.fail(a.name, "%s %d bytes of bodies are still held in memory though no request is on its way", when, a.verifier.Buffered())
		}
	}
	last, same := 0, 0
	settle(func() bool {
		n := runtime.NumGoroutine()
		if same++; n != last {
			last, same = n, 0
		}
		return same == 40
	})
	s.samples = append(s.samples, take())
}

// progress prints a line every 10 seconds.
func (s *soak) progress(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for last := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		loaded, refused := 0, 0
		buffered := int64(0)
		for _, a := range s.adapters {
			l, r := a.reloads()
			loaded, refused, buffered = loaded+l, refused+r, buffered+a.verifier.Buffered()
		}
		kills, settled := s.redis.kills()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		all := s.report.total("")
		fmt.Fprintf(s.report.out, "%7v  %d requests, %.0f/s; wrong %d, either %d, slow machine %d; %d reloads, %d files refused; "+
			"Redis killed %d times (settled: %v); %d goroutines, heap %.1f MiB, bodies %d bytes\n",
			time.Since(s.report.began).Round(time.Second), all, float64(all-last)/10, s.report.total(wrong), s.report.total(either),
			s.report.total(excused), loaded, refused, kills, settled, runtime.NumGoroutine(), float64(m.HeapAlloc)/(1<<20), buffered)
		last = all
	}
}

// end compares what is left with what was there before the run, and prints the table.
func (s *soak) end(before sample) {
	if !settle(func() bool { return runtime.NumGoroutine() <= before.goroutines }) {
		s.report.fail("process", "%d goroutines at the end, %d before the run:\n%.8000s", runtime.NumGoroutine(), before.goroutines, stacks())
	}
	after := take()
	if after.files > before.files {
		s.report.fail("process", "%d open files at the end, %d before the run", after.files, before.files)
	}
	for _, problem := range growth(s.samples) {
		s.report.fail("process", "%s", problem)
	}
	out := s.report.out
	fmt.Fprintf(out, "\nAfter %v:\n", time.Since(s.report.began).Round(time.Second))
	s.report.table(s.adapters)
	kills, _ := s.redis.kills()
	fmt.Fprintf(out, "Redis killed %d times; this machine stalled %d times.\nGoroutines and open files: %d, %d before, %d, %d at the end.\nAt %d pauses without a request, heap in KiB, goroutines, open files:\n",
		kills, s.stalls.count(), before.goroutines, before.files, after.goroutines, after.files, len(s.samples))
	step := max(1, (len(s.samples)+23)/24)
	for i := 0; i < len(s.samples); i += step {
		fmt.Fprintf(out, "  %d, %d, %d\n", s.samples[i].heap>>10, s.samples[i].goroutines, s.samples[i].files)
	}
	fmt.Fprintf(out, "Wrong: %d\n", s.report.total(wrong))
}
