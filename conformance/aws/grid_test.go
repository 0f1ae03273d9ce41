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
)

// combinations are the random points of the grid, and tampered the changes made
// to each request. Every byte of a request is changed in TestEveryByte.
const (
	combinations = 60
	tampered     = 16
)

// TestGrid signs along each axis, and then at random points of the whole grid.
// Every request must be accepted, and refused with one byte changed.
func TestGrid(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			var accepted, refusals atomic.Int64
			t.Cleanup(func() {
				t.Logf("%d requests accepted, %d changed ones refused", accepted.Load(), refusals.Load())
			})
			for i, r := range d.grid(seeded(t)) {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					refusals.Add(int64(try(t, &d, r, someBytes)))
					accepted.Add(1)
					if t.Failed() {
						t.Log(&r)
					}
				})
			}
		})
	}
}

// try demands that r is accepted where d signs it, and that it is refused with
// the date one second later and with each of some changes.
func try(t *testing.T, d *door, r request, choose func(l *wire.Layout, random *rand.Rand) []wire.Change) (refusals int) {
	t.Helper()
	backend := d.start(t, &r)
	raw := d.signed(t, r)
	id := accepted(t, backend, raw)
	if got := id.Covers(); !got.Host || !got.Target || got.Body == d.unsigned(&r) {
		t.Errorf("got coverage %+v, payload %v", got, id.Payload())
	}
	l := wire.Parse(t, raw)
	if body := string(bodyOf(t, raw)); body != r.body || l.Presigned() != d.presigned {
		t.Errorf("sent was another body or form: %.300q", raw)
	}
	refused(t, backend, oneSecondLater(t, l), core.CodeSignatureMismatch)
	return tamper(t, backend, d, &r, l, choose(&l, seeded(t)))
}

// someBytes chooses changes of a few bytes, so that the grid can be large.
func someBytes(l *wire.Layout, random *rand.Rand) []wire.Change {
	changes := l.Changes(random)
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	return changes[:min(tampered, len(changes))]
}

// grid returns the requests that d signs as published.
func (d *door) grid(random *rand.Rand) (list []request) {
	base := request{method: "POST", target: "/v1/items?a=1&b=", headers: [][2]string{{"X-Role", "user"}}, body: `{"amount":100}`}
	if d.service == "sts" {
		base.target = "/?a=1&b="
	}
	add := func(change func(r *request)) {
		r := base
		change(&r)
		list = append(list, r)
	}
	v := *d.values
	if !d.presigned {
		v.queries = slices.Concat(v.queries, escapedNames)
	}
	for _, path := range v.paths {
		add(func(r *request) { r.target = path + "?a=1" })
	}
	for _, q := range v.queries {
		add(func(r *request) { r.target = target(v.paths[len(list)%min(len(v.paths), 4)], q) })
	}
	for i, headers := range v.headers {
		add(func(r *request) { r.headers, r.narrow, r.payload = headers, i%4 == 3, v.payloads[i%len(v.payloads)] })
	}
	for i, b := range bodies {
		for _, p := range v.payloads {
			if len(b.text) < 1<<20 || p == v.payloads[i%len(v.payloads)] {
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
	for _, token := range v.tokens {
		add(func(r *request) { r.token = token })
	}
	for range combinations {
		b := bodies[random.IntN(len(bodies)-3)] // but the large ones
		list = append(list, request{
			method:  methods[random.IntN(len(methods))],
			target:  target(v.paths[random.IntN(len(v.paths))], v.queries[random.IntN(len(v.queries))]),
			host:    hosts[random.IntN(len(hosts))],
			headers: v.headers[random.IntN(len(v.headers))],
			body:    b.text, framing: b.framing,
			payload: v.payloads[random.IntN(len(v.payloads))],
			token:   v.tokens[random.IntN(len(v.tokens))],
			narrow:  random.IntN(2) == 0,
		})
	}
	return list
}

// target joins path and query; the first empty query is none.
func target(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// TestEveryByte changes every byte that the signature covers of one request of
// each kind.
func TestEveryByte(t *testing.T) {
	for _, d := range doors {
		for name, r := range map[string]request{
			"hash of the body": {method: "POST", target: "/a%20b/%E4%B8%AD/c?k=1&k=2&q=&x%2Fy=a+b%2Bc",
				headers: [][2]string{{"X-Multi", "a b"}, {"X-Multi", "c,d"}}, body: `{"amount":100}`},
			"declared digest": {method: "PUT", target: "/v1/items", body: "A", payload: declared, token: "token+/="},
		} {
			if d.service == "sts" {
				r.target, r.token, r.payload = strings.Replace(r.target, "/v1/items", "/", 1), "", hashed
			}
			if d.unsigned(&r) {
				r.body = ""
			}
			t.Run(d.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				total := 0
				refusals := try(t, &d, r, func(l *wire.Layout, random *rand.Rand) []wire.Change {
					changes := l.EveryByte(random)
					total = len(changes)
					return changes
				})
				t.Logf("%d of %d changes refused, the others hidden by the canonical form", refusals, total)
				if refusals < total*9/10 {
					t.Errorf("got %d refusals of %d changes; want hardly any hidden by the canonical form", refusals, total)
				}
			})
		}
	}
}
