package main

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// signedHeaders are signed where a message has them.
var signedHeaders = []string{"x-request-id", "x-note", "content-type"}

// A client sends one message after the other.
type client struct {
	*soak
	*rand.Rand
}

// kinds are what clients send, how often in a hundred.
var kinds = []struct {
	share int
	send  func(*client)
}{
	{44, (*client).honest},
	{10, (*client).rotated},
	{8, (*client).replay},
	{2, (*client).twins},
	{4, (*client).link},
	{9, (*client).change},
	{6, (*client).wrongKey},
	{2, (*client).stale},
	{2, (*client).garbage},
	{2, (*client).oversized},
	{2, (*client).lyingLength},
	{2, (*client).lyingDigest},
	{1, (*client).slow},
	{1, (*client).stall},
	{5, (*client).abandon},
}

// next sends a message of a random kind.
func (c *client) next() {
	n := c.IntN(100)
	for _, k := range kinds {
		if n -= k.share; n < 0 {
			k.send(c)
			return
		}
	}
}

func (c *client) any() *adapter  { return c.adapters[c.IntN(len(c.adapters))] }
func (c *client) http() *adapter { return c.adapters[c.IntN(3)] }

// pair returns one that the adapter can have.
func (c *client) pair(a *adapter, ok func(testkit.Pair) bool) testkit.Pair {
	for {
		p := c.pairs[c.IntN(len(c.pairs))]
		if (a.conn == nil || !strings.Contains(p.Name, "query")) && ok(p) {
			return p
		}
	}
}

func anyPair(testkit.Pair) bool   { return true }
func covered(p testkit.Pair) bool { return !p.Unsigned && signs(p) }
func signs(p testkit.Pair) bool   { return p.Name != "basic" && p.Name != "token" }

// size is that of a body: none, a small one, or a large one.
func (c *client) size() int {
	switch n := c.IntN(20); {
	case n < 7:
		return 0
	case n < 17:
		return 1 + c.IntN(4000)
	case n < 19:
		return 4000 + c.IntN(120_000)
	}
	return maxBody/2 + c.IntN(maxBody/3)
}

// message returns one that is right.
func (c *client) message(a *adapter, p testkit.Pair, size int) *message {
	return newMessage(want{adapter: a, api: p.Key.Name, key: p.Key.Name, signer: p.Signer, size: size,
		stream: c.IntN(3) == 0 && c.canStream(a, p), at: time.Now()})
}

// canStream reports whether a stream can be signed: of gRPC only where no hash of it is.
func (c *client) canStream(a *adapter, p testkit.Pair) bool {
	return a.conn == nil || isDeclared(p) || !covered(p)
}

// lateWhereRead is the expectation for a body that is refused: before the handler runs,
// or while it reads.
func lateWhereRead(m *message, p testkit.Pair, status int) expectation {
	if m.isStream() && isDeclared(p) {
		return expectation{late: status}
	}
	return expectation{policy: always(status)}
}

// send sends m and counts the verdict, or explains why it is wrong.
func (c *client) send(kind string, m *message, want expectation) (got answer, v verdict) {
	got = m.send()
	return got, c.count(kind, m, want, got)
}

func (c *client) honest() {
	a := c.any()
	p := c.pair(a, anyPair)
	m := c.message(a, p, c.size())
	if len(m.body) > 0 && c.IntN(4) == 0 {
		m.announce = -1
	}
	if c.IntN(4) == 0 {
		m.plan.pieces = 3
	}
	got, v := c.send(honest, m, expectation{unchecked: !signs(p)})
	if signs(p) {
		c.remember(m, got, v)
	}
}

// remember keeps a message to replay it, if it is known what the store holds of it.
func (c *client) remember(m *message, got answer, v verdict) {
	if got.status == http.StatusOK && v.problem == "" && len(v.states) == 1 && len(m.body) < 64<<10 {
		m.accepted, m.state = m.accepted+1, v.states[0]
		c.replays.put(m)
	}
}

// rotated signs with what changes from one generation of the file to the next.
func (c *client) rotated() {
	a := c.any()
	_, generation := a.during(time.Now(), time.Now())
	options := apig.SignOptions{Headers: signedHeaders}
	w := want{adapter: a, at: time.Now(), size: c.IntN(2000)}
	var policy func(int) int
	where := func(ok func(int) bool, otherwise int) func(int) int {
		return func(g int) int {
			if ok(g) {
				return http.StatusOK
			}
			return otherwise
		}
	}
	var key core.Key
	switch c.IntN(4) {
	case 0:
		signed := generation + 1 - c.IntN(5)
		w.api, key = rotated, changingKey(rotated, a.name, signed)
		policy = where(func(g int) bool { return g == signed || g == signed+1 }, http.StatusUnauthorized)
	case 1:
		signed := generation - c.IntN(2)
		w.api, key = guest, changingKey(guest, a.name, signed)
		policy = where(func(g int) bool { return g == signed }, http.StatusUnauthorized)
	case 2:
		w.api, key = moving, fixedKey([]string{red, blue}[c.IntN(2)])
		policy = where(func(g int) bool { return apis(g)[moving] == key.Name }, http.StatusForbidden)
	case 3:
		w.api, key, options.Payload = toggled, fixedKey(red), core.PayloadUnsigned
		policy = where(func(g int) bool { return g%2 == 0 }, http.StatusUnauthorized)
	}
	w.key, w.signer = key.Name, apig.NewSigner(key, options)
	c.send(changing, newMessage(w), expectation{policy: policy})
}

// replay sends what was accepted before, over HTTP maybe to another adapter.
func (c *client) replay() {
	old := c.replays.take(c.Rand, func(m *message) bool { return time.Since(m.sent) < 20*time.Second })
	if old == nil {
		return
	}
	m := old.again(old.adapter)
	if m.adapter.conn == nil {
		m.adapter = c.http()
	}
	c.sendAgain(m, &c.replays, false)
}

func (c *client) sendAgain(m *message, ring *ring, dated bool) {
	got, v := c.send(replays, m, expectation{replayed: true, recorded: m.state, dated: dated})
	switch {
	case v.problem != "":
	case got.status == http.StatusUnauthorized:
		ring.put(m)
	case got.status == http.StatusOK && len(v.states) == 1:
		m.accepted, m.state = m.accepted+1, v.states[0]
		ring.put(m)
	}
}

// link sends a presigned link, or one that has expired since it was accepted. The clock
// may have stepped back so that it is valid again.
func (c *client) link() {
	old := c.links.take(c.Rand, func(m *message) bool { return time.Since(m.sent) > linkLife+time.Second })
	if old != nil && c.IntN(4) > 0 {
		if time.Since(old.sent) < linkLife+clockStep {
			c.sendAgain(old.again(c.http()), &c.links, true)
		}
		return
	}
	key := fixedKey("hmac")
	m := newMessage(want{adapter: c.http(), api: key.Name, key: key.Name, at: time.Now(),
		signer: apig.NewSigner(key, apig.SignOptions{Headers: signedHeaders, Expires: linkLife})})
	got, v := c.send(honest, m, expectation{})
	if got.status == http.StatusOK && len(v.states) == 1 {
		m.accepted, m.state = 1, v.states[0]
		c.links.put(m)
	}
}

// twins are one message, twice at the same time: one is accepted.
func (c *client) twins() {
	a := c.any()
	m := c.message(a, c.pair(a, signs), c.IntN(2000))
	other := m.again(a)
	answers := make(chan answer)
	go func() { answers <- other.send() }()
	first := m.send()
	second := <-answers
	if second.status == http.StatusOK {
		first, second = second, first
	}
	v := c.count(honest, m, expectation{}, first)
	want := expectation{}
	if first.status == http.StatusOK {
		if len(v.states) > 1 {
			return
		}
		other.accepted, want = 1, expectation{replayed: true, recorded: v.states[0]}
	}
	c.count(replays, other, want, second)
}

// change changes one thing after the signature.
func (c *client) change() {
	a := c.any()
	p := c.pair(a, signs)
	m := c.message(a, p, 1+c.IntN(3000))
	want := expectation{policy: always(http.StatusUnauthorized)}
	r := m.request
	switch n := c.IntN(6); {
	case n == 0 && covered(p):
		m.body[c.IntN(len(m.body))] ^= 1
		want = lateWhereRead(m, p, http.StatusUnauthorized)
	case n == 1:
		r.Header.Set("X-Note", "another note")
	case n == 2 && a.conn == nil:
		r.URL.RawQuery += "&more=1"
	case n == 3 && a.conn == nil:
		r.URL.Path += "x"
	case n == 4 && a.conn == nil:
		r.Method = http.MethodPut
	default:
		changeSignature(r)
	}
	c.send(hostile, m, want)
}

// changeSignature changes a digit of the signature.
func changeSignature(r *http.Request) {
	change := func(text string) string {
		at := strings.Index(text, "Signature=") + len("Signature=") + 20
		digit := byte('1')
		if text[at] == '1' {
			digit = '2'
		}
		return text[:at] + string(digit) + text[at+1:]
	}
	if credential := r.Header.Get("Authorization"); credential != "" {
		r.Header.Set("Authorization", change(credential))
	} else {
		r.URL.RawQuery = change(r.URL.RawQuery)
	}
}

// wrongKey signs with the key of another API, or a wrong secret, or an unknown key.
func (c *client) wrongKey() {
	a := c.any()
	w := want{adapter: a, size: c.IntN(2000), at: time.Now()}
	status, key := http.StatusUnauthorized, fixedKey("hmac")
	w.api = "hmac"
	switch c.IntN(3) {
	case 0:
		p := c.pair(a, func(p testkit.Pair) bool { return p.Key.Name != w.api })
		if w.signer = p.Signer; p.Name != "token" { // whose key is that of the API
			status = http.StatusForbidden
		}
	case 1:
		key.Secret = core.NewSecret("a-wrong-secret")
	case 2:
		key.ID = "id-of-nobody"
	}
	if w.signer == nil {
		w.signer = apig.NewSigner(key, apig.SignOptions{Headers: signedHeaders})
	}
	c.send(hostile, newMessage(w), expectation{policy: always(status)})
}

// stale is from an hour before or after.
func (c *client) stale() {
	a := c.any()
	p := c.pair(a, signs)
	hour := []time.Duration{-time.Hour, time.Hour}[c.IntN(2)]
	m := newMessage(want{adapter: a, api: p.Key.Name, key: p.Key.Name, signer: p.Signer, size: c.IntN(2000), at: time.Now().Add(hour)})
	c.send(hostile, m, expectation{policy: always(http.StatusUnauthorized)})
}

// garbage has no credential, or none that can be read.
func (c *client) garbage() {
	a := c.any()
	m := c.message(a, c.pair(a, signs), c.IntN(2000))
	status := http.StatusUnauthorized
	switch header := m.request.Header; c.IntN(3) {
	case 0:
		header.Del("Authorization")
		m.request.URL.RawQuery = ""
	case 1:
		header.Set("Authorization", "SDK-HMAC-SHA256 "+strings.Repeat("=,;", c.IntN(100)))
		m.request.URL.RawQuery = ""
	case 2:
		if a.conn == nil {
			m.request.Method, status = "NO METHOD", http.StatusBadRequest
		} else {
			header.Set("Authorization", "Basic ====")
		}
	}
	c.send(hostile, m, expectation{policy: always(status)})
}

// oversized is a right message that is larger than the policy allows.
func (c *client) oversized() {
	a := c.any()
	p := c.pair(a, covered)
	m := c.message(a, p, maxBody+1+c.IntN(1000))
	want := expectation{policy: always(http.StatusRequestEntityTooLarge)}
	if a.conn == nil && c.IntN(2) == 0 {
		m.announce = -1
	}
	if m.announce < 0 || a.conn != nil {
		want = lateWhereRead(m, p, http.StatusRequestEntityTooLarge)
	}
	c.send(hostile, m, want)
}

// lyingLength announces another length than that of the body that was signed.
func (c *client) lyingLength() {
	a := c.http()
	p := c.pair(a, covered)
	m := c.message(a, p, 2+c.IntN(3000))
	m.plan = plan{only: len(m.body), then: "wait"}
	switch c.IntN(3) {
	case 0:
		m.announce = 0
	case 1:
		m.announce--
	case 2:
		m.announce += 10
		m.plan.then = "half"
	}
	c.send(hostile, m, lateWhereRead(m, p, http.StatusUnauthorized))
}

// lyingDigest signs and declares the digest of another body.
func (c *client) lyingDigest() {
	a := c.any()
	p := c.pair(a, isDeclared)
	m := newMessage(want{adapter: a, api: p.Key.Name, key: p.Key.Name, signer: p.Signer, size: 1 + c.IntN(100_000), at: time.Now(),
		stream: c.IntN(2) == 0, otherDigest: true})
	c.send(hostile, m, lateWhereRead(m, p, http.StatusUnauthorized))
}

// slow sends a body in pieces, within the deadline.
func (c *client) slow() {
	a := c.any()
	p := c.pair(a, anyPair)
	m := c.message(a, p, 3+c.IntN(100_000))
	m.plan = plan{pieces: 3, pause: time.Duration(c.IntN(150)) * time.Millisecond}
	c.send(slow, m, expectation{unchecked: !signs(p)})
}

// stall never sends the rest of a body.
func (c *client) stall() {
	a := c.http()
	p := c.pair(a, covered)
	m := c.message(a, p, 2+c.IntN(100_000))
	m.plan = plan{only: len(m.body) / 2, then: "wait"}
	c.send(slow, m, lateWhereRead(m, p, http.StatusUnauthorized))
}

// abandon closes the connection or cancels the call: in the body, or in the answer, which
// is right until then.
func (c *client) abandon() {
	a := c.any()
	p := c.pair(a, anyPair)
	size := 100 + c.IntN(200_000)
	m := newMessage(want{adapter: a, api: p.Key.Name, key: p.Key.Name, signer: p.Signer, size: size, at: time.Now(), stream: c.canStream(a, p)})
	m.plan = plan{then: []string{"close", "reset"}[c.IntN(2)], pieces: 2, only: c.IntN(size), pause: time.Duration(c.IntN(5)) * time.Millisecond}
	if m.plan.answer = c.IntN(2) == 0 && c.canStream(a, p); m.plan.answer {
		m.request.Header.Set("X-Want", "more")
		c.send(cancelled, m, expectation{unchecked: !signs(p)})
		return
	}
	m.send()
	m.forget()
	c.report.add(a.name, cancelled)
}
