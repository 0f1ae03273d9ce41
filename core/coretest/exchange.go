package coretest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// answer is the response to a request.
type answer struct {
	status int // 0: the connection was closed without a response
	header http.Header
	body   string
	closed bool // the server announced that it closes the connection
}

// client is one connection to a bench's server.
type client struct {
	conn     net.Conn
	in       *bufio.Reader
	patience time.Duration // the timeout of each exchange
}

func (b *bench) dial() (*client, error) {
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(b.suite.patience))
	return &client{conn, bufio.NewReader(conn), b.suite.patience}, nil
}

// send writes text unchanged and reads the response. It reads while it writes, because a
// server may refuse a request before it has read all of it.
func (c *client) send(method string, text []byte) (answer, error) {
	c.conn.SetDeadline(time.Now().Add(c.patience))
	go c.conn.Write(text)
	return c.read(method)
}

func (c *client) read(method string) (answer, error) {
	res, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			return answer{}, fmt.Errorf("no response: %w", err)
		}
		return answer{}, nil // closed
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, fmt.Errorf("response with status %d: %w", res.StatusCode, err)
	}
	return answer{res.StatusCode, res.Header, string(body), res.Close}, nil
}

// exchange sends one message on a new connection.
func (b *bench) exchange(m message) answer {
	b.Helper()
	c, err := b.dial()
	if err != nil {
		b.Errorf("dial: %v", err)
		return answer{}
	}
	defer c.conn.Close()
	text := m.bytes()
	method, _, _ := bytes.Cut(text, []byte(" "))
	a, err := c.send(string(method), text)
	if err != nil {
		b.Errorf("%v", err)
	}
	return a
}

// fingerprint returns everything of a response by which a caller could distinguish
// refusals, except Date and what depends on the connection.
func (a answer) fingerprint() string {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%d\n", a.status)
	for _, name := range sortedNames(a.header) {
		if name != "Date" && name != "Connection" {
			fmt.Fprintf(&out, "%s: %q\n", name, a.header[name])
		}
	}
	out.WriteString("\n" + a.body)
	return out.String()
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
