package coretest

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// Requests that must be accepted, so that a verifier that refuses everything fails.
func controlCases() []testCase {
	spaced := p2().with("X-Note: two  spaces\tand a tab")
	return slices.Concat(
		rows("T001", accepted,
			row{"P1", p1()},
			row{"P1 signed by the suite's signer", k1.sign(p1(), "host;x-sdk-date")}),
		rows("T002", accepted, row{"P2 with its body and length", p2()}),
		rows("T005", accepted,
			row{"P2 in chunks of one byte", p2().chunked(1)},
			row{"P2 in one chunk", p2().chunked(100)}),
		rows("T007", accepted, row{"P1 with unsigned headers without a meaning for the verifier",
			p1().with("User-Agent: any/1.0", "Accept: */*", "X-Request-Id: 1", "traceparent: 00-1-2-01")}),
		rows("T008", accepted, row{"inner double spaces and a tab in a signed value",
			k1.sign(spaced, "host;x-note;x-sdk-date")}),
		rows("T008", mismatch, row{"the same with the inner spaces collapsed",
			k1.sign(spaced, "host;x-note;x-sdk-date").set("X-Note", "two spaces and a tab")}),
	)
}

func controlScripts() []testCase {
	return []testCase{
		{name: "T006 right and wrong signatures alternately over HTTP/1.1 keep-alive", script: func(b *bench) { alternate(b, b.keepAlive()) }},
		{name: "T006 right and wrong signatures alternately over HTTP/2", script: func(b *bench) { alternate(b, b.http2()) }},
		{name: "T009 a body of exactly the limit is in memory once", script: oneCopy},
		{name: "T009 the largest body fits a memory budget of that size",
			config: func(c *core.Config) { c.MaxBody, c.MaxBuffered = 1<<20, 1<<20 },
			send:   k1.sign(p2().carrying(strings.Repeat("x", 1<<20)), "host;x-sdk-date"), want: accepted},
	}
}

// A transport sends messages over one connection.
type transport func(message) (answer, error)

// keepAlive returns a transport over one HTTP/1.1 connection.
func (b *bench) keepAlive() transport {
	c, err := b.dial()
	return func(m message) (answer, error) {
		if err != nil {
			return answer{}, err
		}
		return c.send(m.method, m.bytes())
	}
}

// http2 returns a transport over one unencrypted HTTP/2 connection.
func (b *bench) http2() transport {
	t := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	t.Protocols.SetUnencryptedHTTP2(true)
	return func(m message) (answer, error) {
		r, err := http.NewRequest(m.method, "http://"+b.addr+m.target, strings.NewReader(m.body))
		if err != nil {
			return answer{}, err
		}
		for _, line := range m.lines {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "Host":
				r.Host = value
			case "Content-Length": // set by the client
			default:
				r.Header.Add(name, value)
			}
		}
		res, err := t.RoundTrip(r)
		if err != nil {
			return answer{}, err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return answer{status: res.StatusCode, header: res.Header, body: string(body)}, err
	}
}

// alternate sends a thousand requests on one connection. No verdict may depend on the
// request before it.
func alternate(b *bench, send transport) {
	b.Helper()
	wrong := p2().carrying(`{"amount":900}`)
	messages := []struct {
		message
		want verdict
	}{{p1(), accepted}, {forged(), mismatch}, {p2(), accepted}, {wrong, mismatch}}
	for i := range 1000 {
		m := messages[i%len(messages)]
		a, err := send(m.message)
		if err != nil || a.status == 0 {
			b.Errorf("request %d: status %d, error %v", i, a.status, err)
			return
		}
		b.settle()
		seen, events := b.app.seen.take(), b.events.take()
		if len(events) != 1 || events[0].Code != m.want.code {
			b.Errorf("request %d: got verdicts %v, want one with code %q", i, events, m.want.code)
			return
		}
		if ran := m.want.code == ""; ran != (len(seen) == 1) || ran != (a.status == 200) {
			b.Errorf("request %d: got status %d, handler ran %d times; want it accepted: %v", i, a.status, len(seen), ran)
			return
		}
		for _, s := range seen {
			b.checkSight(s, m.message, m.want)
		}
	}
}

// oneCopy sends the largest body and measures the memory that is allocated for it.
func oneCopy(b *bench) {
	m := k1.sign(p2().carrying(strings.Repeat("0123456789abcdef", maxBody/16)), "host;x-sdk-date")
	text := m.bytes()
	c, err := b.dial()
	if err != nil {
		b.Errorf("dial: %v", err)
		return
	}
	defer c.conn.Close()
	before := totalAllocated()
	a, err := c.send(m.method, text)
	allocated := totalAllocated() - before
	if err != nil {
		b.Errorf("%v", err)
	}
	// A pool may make the copy unnecessary. There must be no second copy.
	if allocated > maxBody*3/2 {
		b.Errorf("allocated %d bytes for a body of %d: more than one copy", allocated, maxBody)
	}
	b.settle()
	b.check(m, accepted, a)
}
