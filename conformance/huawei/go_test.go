package huawei_test

import (
	"fmt"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestGoSDK signs requests along each axis, and then at random points of the whole grid.
// Every request must be accepted, and refused with one byte changed.
func TestGoSDK(t *testing.T) {
	base := request{method: "POST", path: "/v1/items", query: []parameter{{"a", "1"}, {"b", ""}},
		headers: [][2]string{{"X-Role", "user"}}, body: `{"amount":100}`, contentType: typeJSON, host: true}
	for _, a := range algorithms {
		try := func(axis string, i int, r request) {
			t.Run(fmt.Sprintf("%s/%s/%d", a.name, axis, i), func(t *testing.T) {
				t.Parallel()
				backend := wire.Start(t, policy(&r, a.scheme(orders)))
				raw := r.signed(t, a.sign, keyID, secret)
				id := accepted(t, backend, raw, r.sent(t))
				if got := id.Covers(); got.Host != r.host || got.Body == r.unsigned() || !got.Target {
					t.Errorf("got coverage %+v for %v", got, &r)
				}
				l := wire.Parse(t, raw)
				if got := l.Text(l.Algorithm); got != a.name {
					t.Errorf("got algorithm %q, want %q", got, a.name)
				}
				backend.Refuse(t, l.OneSecondLater(t), core.CodeSignatureMismatch)
				random := wire.Seeded(t)
				changes := l.Changes(random)
				random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
				if !needs.WithLong() {
					changes = changes[:(len(changes)+2)/3]
					if len(l.Raw) > 64<<10 { // which takes long to send
						changes = changes[:3]
					}
				}
				tamper(t, backend, l, changes)
				if t.Failed() {
					t.Log(&r)
				}
			})
		}
		for i := range paths {
			r := base
			r.path = paths[i]
			try("path", i, r)
		}
		for i := range queries {
			r := base
			r.query = queries[i]
			try("query", i, r)
		}
		for i := range headerSets {
			r := base
			r.headers, r.host = headerSets[i], i%2 == 0
			try("headers", i, r)
		}
		for i, p := range payloads {
			r := base
			r.body, r.contentType, r.framing = p.body, p.contentType, p.framing
			try("payload", i, r)
		}
		for i := range methods {
			r := base
			r.method = methods[i]
			try("method", i, r)
		}
		// All algorithms share the code for the canonical request, so one algorithm is
		// enough for most combinations.
		combinations := needs.Rounds(4, 40)
		if a.name == "SDK-HMAC-SHA256" {
			combinations = needs.Rounds(20, 200)
		}
		random, bodies := wire.Seeded(t), small()
		for i := range combinations {
			p := bodies[random.IntN(len(bodies))]
			try("combined", i, request{
				method:  methods[random.IntN(len(methods))],
				path:    paths[random.IntN(len(paths))],
				query:   queries[random.IntN(len(queries))],
				headers: headerSets[random.IntN(len(headerSets))],
				body:    p.body, contentType: p.contentType, framing: p.framing,
				host: random.IntN(2) == 0,
			})
		}
	}
}

// TestEveryByte: a request of each kind is refused if any byte that the signature covers
// is changed.
func TestEveryByte(t *testing.T) {
	for _, a := range algorithms {
		for name, r := range map[string]request{
			"awkward target": {path: "/a b/中%/c:d@e/", query: []parameter{{"k", []string{"2", "1"}}, {"q", ""}, {"x/y", "a+b c"}},
				headers: [][2]string{{"X-Two", "a  b"}}, host: true},
			"hashed body":     {method: "POST", path: "/v1/items", body: `{"amount":100}`, contentType: typeJSON, host: true},
			"declared digest": {method: "PUT", path: "/", body: "A", headers: [][2]string{{a.digest, a.digestOfA}}},
		} {
			t.Run(a.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				backend := wire.Start(t, policy(&r, a.scheme(orders)))
				raw := r.signed(t, a.sign, keyID, secret)
				accepted(t, backend, raw, r.sent(t))
				l := wire.Parse(t, raw)
				changes := l.EveryByte(wire.Seeded(t))
				refusals := tamper(t, backend, l, changes)
				t.Logf("%d of %d changes refused, the others hidden by the canonical form", refusals, len(changes))
				if refusals < len(changes)*9/10 {
					t.Errorf("got %d refusals of %d changes; want only a few hidden by the canonical form", refusals, len(changes))
				}
			})
		}
	}
}
