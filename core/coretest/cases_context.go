package coretest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/gatewayauth/gatewayauth/core"
)

// The identity in the context of a request is that of the same request.
func contextCases() []testCase {
	return []testCase{
		{name: "T115 other values of the context change nothing", script: func(b *bench) {
			inner := b.handler
			b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				for _, key := range []any{"identity", "user", "core.Identity", 0} {
					ctx = context.WithValue(ctx, key, "root")
				}
				inner.ServeHTTP(w, r.WithContext(ctx))
			})
			b.app.then = func(_ http.ResponseWriter, r *http.Request) {
				if r.Context().Value("identity") != "root" {
					b.Errorf("the handler's context does not have the application's value")
				}
			}
			b.expect(p1(), accepted)
			b.expect(unsigned("/health"), letIn)
			b.expect(forged(), mismatch)
		}},
		{name: "T115 an identity in the context in front of the adapter is not used", script: func(b *bench) {
			inner := b.handler
			b.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				inner.ServeHTTP(w, r.WithContext(core.NewContext(r.Context(), &core.Identity{})))
			})
			b.expect(p1(), accepted)
			b.expect(unsigned("/health"), letIn)
		}},
		{name: "T116 ten thousand requests of several users at once", script: neighbours},
	}
}

// neighbours sends four kinds of requests over eight connections. Each handler checks the
// identity in its context, also from a goroutine that runs after it returns. Every response
// must match its request. At the end, when a framework has reused its pooled contexts many
// times, the contexts of all requests are checked again.
func neighbours(b *bench) {
	const connections, each = 8, 1250
	kinds := []struct {
		send   message
		status int
		body   string
	}{
		{k1.sign(p2(), plain), 200, k1.name + " 14"},
		{k7.sign(p2().to("/partner/x").carrying("seven"), plain), 200, k7.name + " 5"},
		{onBasic(basicAuth(k2.id + ":" + k2.secret)), 200, k2.name + " 0"},
		{tampered(`{"amount":900}`), 401, ""},
	}
	var late sync.WaitGroup
	type visit struct {
		ctx  context.Context
		name string
	}
	var visits kept[visit]
	b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, _ := io.Copy(io.Discard, r.Body)
		name := keyName(r.Context())
		visits.add(visit{r.Context(), name})
		late.Go(func() {
			r.Body.Read(make([]byte, 1)) // an error, because the handler has returned; it must not panic
			if again := keyName(r.Context()); again != name {
				b.Errorf("the identity of a request of %s became that of %s", name, again)
			}
		})
		fmt.Fprintf(w, "%s %d", name, size)
	}))
	var clients sync.WaitGroup
	for n := range connections {
		clients.Go(func() {
			c, err := b.dial()
			if err != nil {
				b.Errorf("dial: %v", err)
				return
			}
			defer c.conn.Close()
			for i := range each {
				kind := kinds[(n+i)%len(kinds)]
				a, err := c.send(kind.send.method, kind.send.bytes())
				if err != nil || a.status != kind.status || kind.body != "" && a.body != kind.body {
					b.Errorf("connection %d, request %d: got %d %q, error %v; want %d %q", n, i, a.status, a.body, err, kind.status, kind.body)
					return
				}
			}
		})
	}
	clients.Wait()
	late.Wait()
	ran := visits.take()
	for _, v := range ran {
		if again := keyName(v.ctx); again != v.name {
			b.Errorf("at the end, the identity of a request of %s is that of %s", v.name, again)
		}
	}
	if want := connections * each * 3 / 4; len(ran) != want {
		b.Errorf("the handler ran %d times, want %d", len(ran), want)
	}
	if n := len(b.events.take()); n != connections*each {
		b.Errorf("got %d verdicts for %d requests", n, connections*each)
	}
}

func keyName(ctx context.Context) string {
	id, ok := core.FromContext(ctx)
	if !ok || id == nil {
		return "nobody"
	}
	return id.Key()
}
