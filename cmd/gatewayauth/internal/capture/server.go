package capture

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Refused is the error for a request that a net/http server answers without calling a
// handler, so that no verifier sees it. It contains no part of the request.
type Refused struct {
	// Status is the status of the response. It is 200 for OPTIONS *.
	Status int `json:"status"`
	// Reason says what is wrong with the request.
	Reason string `json:"reason"`
	// Format and Notes are those of [Captured].
	Format string   `json:"-"`
	Notes  []string `json:"-"`
}

func (r *Refused) Error() string {
	return fmt.Sprintf("the server answers %d before the verifier sees the request: %s", r.Status, r.Reason)
}

// receive lets a net/http server read a request from its bytes, and returns the request
// that a handler gets. The server receives no bytes after wire, so an incomplete body
// stays so.
func receive(wire []byte) (*Captured, error) {
	conn := &connection{Reader: bytes.NewReader(wire), answer: make(chan []byte, 1)}
	received := make(chan *Captured, 1)
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if conn.handled {
			return
		}
		conn.handled = true
		c := &Captured{Request: r.Clone(context.Background())}
		c.Body, c.Broken = io.ReadAll(r.Body)
		received <- c
	})}
	server.Serve(&listener{conn: conn}) // returns at once: there is one connection
	select {
	case c := <-received:
		return c, nil
	case answer := <-conn.answer:
		return nil, refused(answer, wire)
	}
}

// refused returns the error for the server's response.
func refused(answer, wire []byte) *Refused {
	line, _, _ := strings.Cut(string(answer), "\r\n")
	_, line, _ = strings.Cut(line, " ")
	code, text, _ := strings.Cut(line, " ")
	_, text, _ = strings.Cut(text, ": ")
	r := &Refused{Reason: text}
	r.Status, _ = strconv.Atoi(code)
	switch r.Status {
	case http.StatusOK:
		r.Reason = "net/http answers OPTIONS * itself"
	case http.StatusExpectationFailed:
		r.Reason = "the header Expect is not 100-continue"
	case http.StatusRequestHeaderFieldsTooLarge:
		r.Reason = "the header section is larger than 1 MiB"
	case http.StatusNotImplemented:
		r.Reason = "Transfer-Encoding is not chunked, or it is given twice"
	case http.StatusHTTPVersionNotSupported:
		r.Reason = "the protocol is neither HTTP/1.0 nor HTTP/1.1"
	default:
		r.Status = http.StatusBadRequest // also if the connection is closed without a response
		switch text {
		case "":
			_, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
			r.Reason = headError(err, wire)
		case "missing required Host header":
			r.Reason = "there is no Host header. If a Go program wrote the capture from r.Header, add the line Host: from r.Host, since net/http removes it from r.Header"
		case "invalid header name":
			r.Reason = "a header has an invalid name, such as one with a space"
		case "invalid header value":
			r.Reason = "a header has a value with a control character"
		}
	}
	return r
}

// headError says why net/http cannot read a header section. The errors of net/http are not
// shown, because they quote the request, which may hold secrets.
func headError(err error, wire []byte) string {
	if err == nil {
		return "net/http cannot read the request"
	}
	text := err.Error()
	_, target := errors.AsType[*url.Error](err)
	switch {
	case len(wire) > 0 && (wire[0] == '\r' || wire[0] == '\n'):
		return "there is an empty line in front of the request line: remove it if the capture added it"
	case target:
		return "the target in the request line is not a URL or path"
	case strings.Contains(text, "malformed HTTP request"), strings.Contains(text, "malformed HTTP version"):
		return "the first line is not a request line with a method, a target and a protocol, such as: GET /orders/7 HTTP/1.1"
	case strings.Contains(text, "invalid method"):
		return "the method is not a token such as GET"
	case strings.Contains(text, "too many Host headers"):
		return "there are two Host headers"
	case strings.Contains(text, "malformed MIME header"):
		return "a header line is not a header such as: Host: api.example.com"
	case strings.Contains(text, "bad trailer key"):
		return "Trailer names a header that cannot be a trailer"
	case strings.Contains(text, "Content-Length"):
		return "Content-Length is not a number, or it is given twice"
	}
	return "net/http cannot read the header section"
}

// A connection gives a server the bytes of a client, and keeps the first response, unless a
// handler was called.
type connection struct {
	io.Reader
	answer  chan []byte
	handled bool // used only by the goroutine of the server's connection
}

func (c *connection) Write(p []byte) (int, error) {
	c.answered(bytes.Clone(p))
	return len(p), nil
}

func (c *connection) Close() error {
	c.answered(nil)
	return nil
}

func (c *connection) answered(answer []byte) {
	if c.handled {
		return
	}
	select {
	case c.answer <- answer:
	default:
	}
}

func (*connection) LocalAddr() net.Addr              { return address{} }
func (*connection) RemoteAddr() net.Addr             { return address{} }
func (*connection) SetDeadline(time.Time) error      { return nil }
func (*connection) SetReadDeadline(time.Time) error  { return nil }
func (*connection) SetWriteDeadline(time.Time) error { return nil }

type address struct{}

func (address) Network() string { return "capture" }
func (address) String() string  { return "capture" }

// A listener accepts one connection.
type listener struct{ conn net.Conn }

func (l *listener) Accept() (net.Conn, error) {
	conn := l.conn
	if l.conn = nil; conn == nil {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (*listener) Close() error   { return nil }
func (*listener) Addr() net.Addr { return address{} }
