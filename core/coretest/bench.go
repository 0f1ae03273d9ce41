package coretest

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// bench is one running server: the adapter under test in front of an application that
// records its requests.
type bench struct {
	reporter
	suite    *suite
	verifier *core.Verifier
	app      *application
	handler  http.Handler // the server's handler; a script may wrap it
	server   *http.Server
	addr     string

	events  recorder
	records logs
	running gauge // number of handlers that have not returned
}

// newBench builds the verifier and starts the server.
func newBench(t reporter, s *suite, change func(*core.Config)) *bench {
	t.Helper()
	b := &bench{reporter: t, suite: s, app: &application{}}
	b.events.buffered = func() int64 { return b.verifier.Buffered() }
	c := fixture(b.records.logger(), &b.events)
	if change != nil {
		change(&c)
	}
	var err error
	if b.verifier, err = core.New(c); err != nil {
		t.Errorf("core.New: %v", err)
		return nil
	}
	b.handler = s.mount(b.verifier, b.app)
	return b.listen()
}

func (b *bench) listen() *bench {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Errorf("listen: %v", err)
		return nil
	}
	b.addr = listener.Addr().String()
	b.server = &http.Server{
		Handler:        http.HandlerFunc(b.serve),
		MaxHeaderBytes: 16 << 20, // large, because the limits under test are the verifier's
		Protocols:      new(http.Protocols),
		ErrorLog:       log.New(&b.records.server, "", 0),
	}
	b.server.Protocols.SetHTTP1(true)
	b.server.Protocols.SetUnencryptedHTTP2(true)
	go b.server.Serve(listener)
	return b
}

// serve counts the running handlers, including the adapter.
func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	b.running.add(1)
	defer b.running.add(-1)
	b.handler.ServeHTTP(w, r)
}

// settle waits until all handlers have returned, and checks that the memory of bodies is
// released.
func (b *bench) settle() {
	b.Helper()
	select {
	case <-b.running.zero():
	case <-time.After(b.suite.patience):
		b.Errorf("a handler has not returned")
		return
	}
	if n := b.verifier.Buffered(); n != 0 {
		b.Errorf("Buffered() = %d after all handlers returned, want 0: the adapter must call core.Release", n)
	}
}

// close ends the case. It checks that no memory of bodies is held, and that the logs
// contain no secret.
func (b *bench) close() {
	b.Helper()
	b.settle()
	b.server.Close()
	b.suite.inspectLog(b.records.json.String() + b.records.text.String() + b.records.server.String())
}

// gauge counts running handlers.
type gauge struct {
	mu      sync.Mutex
	n       int
	waiting []chan struct{}
}

func (g *gauge) add(delta int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n += delta; g.n == 0 {
		for _, done := range g.waiting {
			close(done)
		}
		g.waiting = nil
	}
}

// zero returns a channel that is closed when the count is 0.
func (g *gauge) zero() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	done := make(chan struct{})
	if g.n == 0 {
		close(done)
	} else {
		g.waiting = append(g.waiting, done)
	}
	return done
}

// recorder is a core.Observer that records the events.
type recorder struct {
	kept[event]
	buffered func() int64
}

// event is a verdict, with the number of body bytes in memory at that moment.
type event struct {
	core.Event
	buffered int64
}

// Observe implements [core.Observer].
func (o *recorder) Observe(_ context.Context, e core.Event) { o.add(event{e, o.buffered()}) }

// kept is a list that several goroutines append to.
type kept[T any] struct {
	mu      sync.Mutex
	items   []T
	arrived chan struct{} // closed by the next add; nil if nothing waits
}

// wait returns when there is an item, or after patience.
func (k *kept[T]) wait(patience time.Duration) {
	k.mu.Lock()
	if len(k.items) > 0 {
		k.mu.Unlock()
		return
	}
	arrived := make(chan struct{})
	k.arrived = arrived
	k.mu.Unlock()
	select {
	case <-arrived:
	case <-time.After(patience):
	}
}

func (k *kept[T]) add(item T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.items = append(k.items, item)
	if k.arrived != nil {
		close(k.arrived)
		k.arrived = nil
	}
}

// take returns the items that were added since the last call.
func (k *kept[T]) take() []T {
	k.mu.Lock()
	defer k.mu.Unlock()
	items := k.items
	k.items = nil
	return items
}

// logs has the log at debug level, in both formats of slog.
type logs struct{ json, text, server logBuffer }

func (l *logs) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	return slog.New(slog.NewMultiHandler(slog.NewJSONHandler(&l.json, options), slog.NewTextHandler(&l.text, options)))
}

// logBuffer is a buffer for concurrent writers.
type logBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements [io.Writer].
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

// String returns the written text.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
