package aws_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// combinations is the number of random points of the grid, and tampered the number of
// changes to each request. TestEveryByte changes every byte of a request.
var (
	combinations = needs.Rounds(6, 60)
	tampered     = needs.Rounds(4, 16)
)

// TestGrid signs requests along each axis, and then at random points of the whole grid.
// Every request must be accepted, and refused with one byte changed.
func TestGrid(t *testing.T) {
	every := needs.Rounds(4, 1) // in a short run, each signer makes other requests of the grid
	for part, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			var accepted, refusals atomic.Int64
			t.Cleanup(func() {
				t.Logf("%d requests accepted, %d changed ones refused", accepted.Load(), refusals.Load())
			})
			for i, r := range v.grid(wire.Seeded(t)) {
				if i%every != part%every {
					continue
				}
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					refusals.Add(int64(try(t, &v, r, someBytes)))
					accepted.Add(1)
					if t.Failed() {
						t.Log(&r)
					}
				})
			}
		})
	}
}

// try checks that r, signed by v, is accepted, and that it is refused with a date one
// second later and with each of some changes.
func try(t *testing.T, v *variant, r request, choose func(l *wire.Layout, random *rand.Rand) []wire.Change) (refusals int) {
	t.Helper()
	backend := v.start(t, &r)
	raw := v.signed(t, r)
	id := backend.Accept(t, raw)
	if got := id.Covers(); !got.Host || !got.Target || got.Body == v.unsigned(&r) {
		t.Errorf("got coverage %+v, payload %v", got, id.Payload())
	}
	l := wire.Parse(t, raw)
	if body := string(wire.Body(t, raw)); body != r.body || l.Presigned() != v.presigned {
		t.Errorf("the signer sent another body or another kind of credential: %.300q", raw)
	}
	backend.Refuse(t, l.OneSecondLater(t), core.CodeSignatureMismatch)
	return tamper(t, backend, v, &r, l, choose(&l, wire.Seeded(t)))
}

// someBytes chooses changes of a few bytes, so that the grid can be large.
func someBytes(l *wire.Layout, random *rand.Rand) []wire.Change {
	changes := l.Changes(random)
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	return changes[:min(tampered, len(changes))]
}

// grid returns the requests that v signs as published.
func (v *variant) grid(random *rand.Rand) (list []request) {
	base := request{method: "POST", target: "/v1/items?a=1&b=", headers: [][2]string{{"X-Role", "user"}}, body: `{"amount":100}`}
	if v.service == "sts" {
		base.target = "/?a=1&b="
	}
	add := func(change func(r *request)) {
		r := base
		change(&r)
		list = append(list, r)
	}
	axes := *v.values
	if !v.presigned {
		axes.queries = slices.Concat(axes.queries, escapedNames)
	}
	for _, path := range axes.paths {
		add(func(r *request) { r.target = path + "?a=1" })
	}
	for _, q := range axes.queries {
		add(func(r *request) { r.target = target(axes.paths[len(list)%min(len(axes.paths), 4)], q) })
	}
	for i, headers := range axes.headers {
		add(func(r *request) {
			r.headers, r.narrow, r.payload = headers, i%4 == 3, axes.payloads[i%len(axes.payloads)]
		})
	}
	for i, b := range bodies {
		for _, p := range axes.payloads {
			if len(b.text) < 1<<20 || p == axes.payloads[i%len(axes.payloads)] {
				add(func(r *request) { r.body, r.framing, r.payload = b.text, b.framing, p })
			}
		}
	}
	for _, method := range methods {
		add(func(r *request) { r.method = method })
	}
	for _, h := range hosts {
		add(func(r *request) { r.host = h })
	}
	for _, token := range axes.tokens {
		add(func(r *request) { r.token = token })
	}
	for range combinations {
		b := bodies[random.IntN(len(bodies)-3)] // except the large ones
		list = append(list, request{
			method:  methods[random.IntN(len(methods))],
			target:  target(axes.paths[random.IntN(len(axes.paths))], axes.queries[random.IntN(len(axes.queries))]),
			host:    hosts[random.IntN(len(hosts))],
			headers: axes.headers[random.IntN(len(axes.headers))],
			body:    b.text, framing: b.framing,
			payload: axes.payloads[random.IntN(len(axes.payloads))],
			token:   axes.tokens[random.IntN(len(axes.tokens))],
			narrow:  random.IntN(2) == 0,
		})
	}
	return list
}

// target joins path and query.
func target(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// TestEveryByte: a request of each kind is refused if any byte that the signature covers
// is changed. A short run changes every fifth byte.
func TestEveryByte(t *testing.T) {
	for _, v := range variants {
		for name, r := range map[string]request{
			"hash of the body": {method: "POST", target: "/a%20b/%E4%B8%AD/c?k=1&k=2&q=&x%2Fy=a+b%2Bc",
				headers: [][2]string{{"X-Multi", "a b"}, {"X-Multi", "c,d"}}, body: `{"amount":100}`},
			"declared digest": {method: "PUT", target: "/v1/items", body: "A", payload: declared, token: "token+/="},
		} {
			if v.service == "sts" {
				r.target, r.token, r.payload = strings.Replace(r.target, "/v1/items", "/", 1), "", hashed
			}
			if v.unsigned(&r) {
				r.body = ""
			}
			t.Run(v.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				total := 0
				refusals := try(t, &v, r, func(l *wire.Layout, random *rand.Rand) []wire.Change {
					changes := l.EveryByte(random)
					total = len(changes)
					return changes
				})
				t.Logf("%d of %d changes refused, the others hidden by the canonical form", refusals, total)
				if refusals < total*9/10 {
					t.Errorf("got %d refusals of %d changes; want only a few hidden by the canonical form", refusals, total)
				}
			})
		}
	}
}
