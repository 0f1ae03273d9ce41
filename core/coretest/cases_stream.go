package coretest

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"time"
)

// The adapter must keep the optional interfaces of the ResponseWriter.
func streamCases() []testCase {
	upgrade := p1().with("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
	return []testCase{
		{name: "T123 an upgrade without signature", send: upgrade.without("Authorization"), want: missing},
		{name: "T123 a signed request for h2c", send: p1().with("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), want: accepted},
		{name: "T123 a signed upgrade is hijacked", script: func(b *bench) { hijacks(b, upgrade) }},
		{name: "T124 Flusher", script: func(b *bench) {
			streams(b, func(w http.ResponseWriter) error {
				f, ok := w.(http.Flusher)
				if !ok {
					return http.ErrNotSupported
				}
				f.Flush()
				return nil
			})
		}},
		{name: "T124 ResponseController", script: func(b *bench) {
			streams(b, func(w http.ResponseWriter) error {
				c := http.NewResponseController(w)
				if err := c.SetWriteDeadline(time.Now().Add(b.suite.patience)); err != nil {
					return err
				}
				return c.Flush()
			})
		}},
		{name: "T124 an implicit status and large writes", script: func(b *bench) {
			text := strings.Repeat("0123456789", 100_000)
			b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }))
			if a := b.exchange(p1()); a.status != 200 || a.body != text {
				b.Errorf("got status %d and %d bytes, want 200 and %d", a.status, len(a.body), len(text))
			}
		}},
	}
}

// streams sends a first event, and the last only after the client has read the first.
func streams(b *bench, flush func(http.ResponseWriter) error) {
	received := make(chan struct{})
	b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: first\n")
		if err := flush(w); err != nil {
			b.Errorf("flush: %v", err)
			return
		}
		select {
		case <-received:
		case <-time.After(b.suite.patience):
		}
		io.WriteString(w, "data: last\n")
	}))
	c, err := b.dial()
	if err != nil {
		b.Errorf("dial: %v", err)
		return
	}
	defer c.conn.Close()
	c.conn.Write(p1().bytes())
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		b.Errorf("answer: %v", err)
		return
	}
	defer res.Body.Close()
	body := bufio.NewReader(res.Body)
	first, err := body.ReadString('\n')
	if err != nil || first != "data: first\n" {
		b.Errorf("got %q, error %v before the handler ended; want the first event", first, err)
	}
	close(received)
	if last, _ := body.ReadString('\n'); last != "data: last\n" {
		b.Errorf("got %q, want the last event", last)
	}
}

// hijacks takes over the connection after the verdict, and echoes on it.
func hijacks(b *bench, m message) {
	b.handler = b.suite.mount(b.verifier, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if keyName(r.Context()) != k1.name {
			b.Errorf("the upgrade has identity %q", keyName(r.Context()))
		}
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			b.Errorf("hijack: %v", err)
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(b.suite.patience))
		both.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		both.Flush()
		line, _ := both.ReadString('\n')
		both.WriteString("echo " + line)
		both.Flush()
	}))
	c, err := b.dial()
	if err != nil {
		b.Errorf("dial: %v", err)
		return
	}
	defer c.conn.Close()
	a, err := c.send(m.method, m.bytes())
	if err != nil || a.status != 101 {
		b.Errorf("got status %d, error %v; want 101", a.status, err)
		return
	}
	io.WriteString(c.conn, "hello\n")
	if line, err := c.in.ReadString('\n'); line != "echo hello\n" {
		b.Errorf("got %q, error %v; want the echo", line, err)
	}
}
