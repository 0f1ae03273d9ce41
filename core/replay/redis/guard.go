package redis

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// guard wraps a connection to protect rueidis, which trusts the server: rueidis panics in
// its own goroutine if a reply comes without a command, and allocates any length that
// the server announces. The guard closes the connection instead.
type guard struct {
	net.Conn
	// strict is false for Sentinel, which sends replies without commands. Then only
	// the framing and the lengths are checked.
	strict bool
	keep   func() bool // leaves the closing to Close

	sent, received scanner // each is used by one goroutine at a time
	owed           atomic.Int64
}

// Write counts the commands in p before it sends them, so that no reply comes before its
// command is counted.
func (g *guard) Write(p []byte) (int, error) {
	commands, ok := g.sent.scan(p)
	if !ok {
		return 0, g.fail()
	}
	g.owed.Add(int64(commands))
	n, err := g.Conn.Write(p)
	if err != nil {
		err = g.reason(err)
	}
	return n, err
}

// reason returns why the server closed the connection, if it has said so, and err if not. In
// TLS 1.3 a server refuses the client's certificate, or the lack of one, when the client has
// finished the handshake and may be writing already.
func (g *guard) reason(err error) error {
	if _, encrypted := g.Conn.(*tls.Conn); encrypted {
		g.Conn.SetReadDeadline(time.Now().Add(dialTimeout / 10))
		_, said := g.Conn.Read(make([]byte, 1))
		if alert, ok := errors.AsType[*net.OpError](said); ok && alert.Op == "remote error" {
			return said
		}
	}
	return err
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	replies, ok := g.received.scan(p[:n])
	if !ok || g.strict && (g.received.pushed || g.owed.Add(-int64(replies)) < 0) {
		return 0, g.fail()
	}
	return n, err
}

func (g *guard) fail() error {
	g.Conn.Close()
	return errProtocol
}

func (g *guard) Close() error {
	g.keep()
	return g.Conn.Close()
}

const (
	maxLine     = 4 << 10
	maxBlob     = 1 << 20
	maxElements = 1 << 16
	maxDepth    = 8
)

// scanner parses the framing of RESP2 and RESP3 incrementally.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
type scanner struct {
	line   []byte // the received part of the current line
	rest   int    // missing bytes of the current bulk string and its CRLF
	open   []int  // missing elements of each open array, the outermost first
	pushed bool   // a push message was received
	failed bool
}

// scan parses the next part of the stream, and returns how many top-level values end in
// it. After an error it always returns an error.
func (s *scanner) scan(p []byte) (values int, ok bool) {
	for len(p) > 0 && !s.failed {
		if s.rest > 0 {
			n := min(s.rest, len(p))
			p = p[n:]
			if s.rest -= n; s.rest == 0 {
				values += s.end()
			}
			continue
		}
		i := bytes.IndexByte(p, '\n')
		n := i + 1
		if i < 0 {
			n = len(p)
		}
		s.line, p = append(s.line, p[:n]...), p[n:]
		s.failed = len(s.line) > maxLine
		if i >= 0 && !s.failed {
			values += s.header(s.line)
			s.line = s.line[:0]
		}
	}
	return values, !s.failed
}

// header parses a line, which is a value or the beginning of one.
func (s *scanner) header(line []byte) int {
	if len(line) < 3 || line[len(line)-2] != '\r' {
		s.failed = true
		return 0
	}
	kind, text := line[0], line[1:len(line)-2]
	switch kind {
	case '+', '-', ',', '(':
		return s.end()
	case '_', '#': // rueidis takes a fixed length without looking
		s.failed = len(text) != 0 && kind == '_' || len(text) != 1 && kind == '#'
		return s.end()
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	s.failed = err != nil || text[0] == '+' || text[0] == '-' && n >= 0
	switch {
	case s.failed:
	case kind == ':':
		return s.end()
	case n == -1 && (kind == '$' || kind == '*'): // RESP2's null
		return s.end()
	case n < 0:
		s.failed = true
	case kind == '$' || kind == '!' || kind == '=':
		s.rest = int(min(n, maxBlob)) + 2
		s.failed = n > maxBlob
	case kind == '>' && len(s.open) > 0:
		s.failed = true
	case kind == '*' || kind == '~' || kind == '%' || kind == '>':
		s.pushed = s.pushed || kind == '>'
		if s.failed = n > maxElements || len(s.open) == maxDepth; n == 0 {
			return s.end()
		}
		if kind == '%' {
			n *= 2
		}
		s.open = append(s.open, int(n))
	default: // attributes and streamed values too, which servers do not send
		s.failed = true
	}
	return 0
}

// end counts a value as complete, with the arrays that it completes.
func (s *scanner) end() int {
	for len(s.open) > 0 {
		last := len(s.open) - 1
		if s.open[last]--; s.open[last] > 0 {
			return 0
		}
		s.open = s.open[:last]
	}
	return 1
}
