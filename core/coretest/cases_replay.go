package coretest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

var seenBefore = refused(core.CodeReplayed)

// RunReplay runs the cases of replay protection against one adapter and one kind of store.
// newStore returns a new, empty store. [Run] includes these cases with package replay.
func RunReplay(t *testing.T, mount Mount, newStore func() core.ReplayStore) {
	s := newSuite(mount, 20*time.Second)
	for _, c := range replayCases(newStore) {
		t.Run(c.name, func(t *testing.T) { s.run(t, c) })
	}
}

func memoryReplayCases() []testCase {
	return replayCases(func() core.ReplayStore {
		store, err := replay.New(replay.Config{})
		if err != nil {
			panic(err) // impossible: the zero Config is valid
		}
		return store
	})
}

// Replay protection: a request that was accepted is refused when it is sent again.
func replayCases(newStore func() core.ReplayStore) []testCase {
	on := func(change ...func(*core.Config)) func(*core.Config) {
		return func(c *core.Config) {
			c.Replay.Store = newStore()
			for _, f := range change {
				f(c)
			}
		}
	}
	exempt := func(c *core.Config) { c.Replay.ExemptMethods = []string{http.MethodGet, http.MethodHead} }
	const other = "/v1/items/"
	return []testCase{
		{name: "T088 the same request twice", config: on(), script: func(b *bench) {
			b.expect(p1(), accepted)
			b.expect(p1(), seenBefore)
			b.expect(p2(), accepted)
			b.expect(p2(), seenBefore)
		}},
		{name: "T088 the same body again, in chunks", config: on(), script: func(b *bench) {
			b.expect(p2(), accepted)
			b.expect(p2().chunked(3), seenBefore)
		}},
		{name: "T089 the same request from 200 connections at once", config: on(), script: sameAtOnce},
		{name: "T091 a forgery does not use up the request", config: on(), script: func(b *bench) {
			b.expect(forged(), mismatch)
			b.expect(tampered(`{"amount":900}`), mismatch)
			b.expect(p1(), accepted)
			b.expect(p2(), accepted)
		}},
		{name: "F14 an incomplete body does not use up the request", config: on(), script: func(b *bench) {
			b.breakOff(p2())
			b.expect(p2(), accepted)
		}},
		{name: "T092 equal requests of an exempt method", config: on(exempt), script: func(b *bench) {
			b.expect(p1(), accepted)
			b.expect(p1(), accepted)
			b.expect(p2(), accepted)
			b.expect(p2(), seenBefore)
		}},
		{name: "T093 requests with the same signature are the same request", config: on(), script: func(b *bench) {
			b.expect(p1(), accepted)
			b.expect(p1().to(other), seenBefore)
		}},
		{name: "T095 a replay after the window is expired", config: on(), script: func(b *bench) {
			b.expect(p1(), accepted)
			c := fixture(b.records.logger(), &b.events)
			c.Replay.Store = newStore()
			c.Now = func() time.Time { return now().Add(15*time.Minute + time.Second) }
			if err := b.verifier.Reload(c); err != nil {
				b.Errorf("Reload: %v", err)
			}
			b.expect(p1(), refused(core.CodeSignatureExpired))
		}},
		{name: "T097 Basic credentials are sent again and again", config: on(), script: func(b *bench) {
			m := p1().to("/basic/items").set("Authorization", basicAuth(k2.id+":"+k2.secret))
			b.expect(m, basicAllowed)
			b.expect(m, basicAllowed)
		}},
		{name: "T099 a key of another API does not use up the request", config: on(), script: func(b *bench) {
			m := k7.sign(p1(), plain)
			b.expect(m, refused(core.CodeKeyNotBound))
			b.expect(m, refused(core.CodeKeyNotBound))
			b.expect(p1(), accepted)
		}},
		{name: "T183 another service does not use up the request", script: func(b *bench) {
			c := fixture(b.records.logger(), &b.events)
			c.Replay.Store = newStore()
			reload := func() {
				if err := b.verifier.Reload(c); err != nil {
					b.Errorf("Reload: %v", err)
				}
			}
			elsewhere(&c)
			reload()
			b.expect(p1(), notOurs)
			b.expect(p1(), notOurs)
			c.Hosts = nil
			reload()
			b.expect(p1(), accepted)
			b.expect(p1(), seenBefore)
		}},
		{name: "T171 mounted twice", config: on(), script: func(b *bench) {
			b.handler = b.suite.mount(b.verifier, b.suite.mount(b.verifier, b.app))
			b.answers(p1(), 200, 1)
			b.answers(p1(), 401, 0)
		}},
		{name: "T172 the handler dispatches the request again", config: on(), script: func(b *bench) {
			inner := b.suite.mount(b.verifier, b.app)
			b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(w, r) }))
			b.answers(p1(), 200, 1)
		}},
		{name: "T172 the handler dispatches a changed request", config: on(), script: func(b *bench) {
			inner := b.suite.mount(b.verifier, b.app)
			b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				changed := r.Clone(r.Context())
				changed.RequestURI = "/v1/other"
				changed.URL.Path = "/v1/other"
				recorder := httptest.NewRecorder()
				inner.ServeHTTP(recorder, changed)
				w.WriteHeader(recorder.Code)
			}))
			b.answers(p1(), 401, 0)
		}},
	}
}

// sameAtOnce sends one request many times concurrently. Exactly one must be accepted.
func sameAtOnce(b *bench) {
	const connections = 200
	var all sync.WaitGroup
	var good, again atomic.Int32
	start := make(chan struct{})
	for range connections {
		all.Go(func() {
			<-start
			switch b.exchange(p1()).status {
			case http.StatusOK:
				good.Add(1)
			case http.StatusUnauthorized:
				again.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	b.settle()
	if runs := len(b.app.seen.take()); good.Load() != 1 || runs != 1 || again.Load() != connections-1 {
		b.Errorf("%d accepted, %d refused, the handler ran %d times; want 1, %d and 1", good.Load(), again.Load(), runs, connections-1)
	}
}

// breakOff sends half of the body and closes the connection.
func (b *bench) breakOff(m message) {
	b.Helper()
	c, err := b.dial()
	if err != nil {
		b.Errorf("dial: %v", err)
		return
	}
	text := m.bytes()
	c.conn.Write(text[:len(text)-len(m.body)/2])
	c.conn.Close()
	b.events.wait(b.suite.patience)
	b.settle()
	if events, runs := b.events.take(), len(b.app.seen.take()); len(events) != 1 || !slices.ContainsFunc(events, func(e event) bool { return e.Code == core.CodeBodyMismatch || e.Code == core.CodeUnavailable }) || runs != 0 {
		b.Errorf("%d verdicts, the handler ran %d times; want 1 refusal for the body", len(events), runs)
	}
}

// answers checks the status and the number of handler runs of a request with several
// verdicts.
func (b *bench) answers(m message, status, runs int) {
	b.Helper()
	a := b.exchange(m)
	b.settle()
	b.events.take()
	if n := len(b.app.seen.take()); a.status != status || n != runs {
		b.Errorf("got status %d, the handler ran %d times; want %d and %d times (%s)", a.status, n, status, runs, strings.TrimSpace(a.body))
	}
}
