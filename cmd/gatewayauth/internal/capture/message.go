package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// A message is one request of a capture.
type message struct {
	wire  []byte // the bytes that a client sends
	rest  []byte // the bytes after it in the capture, up to the next request
	after []byte // the bytes after its header section
	notes []string
	// lengthless is true if the headers announce no body.
	lengthless bool
}

func (m *message) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// requestLine matches a request line within other text.
var requestLine = regexp.MustCompile(`^[A-Z][A-Z0-9_-]* \S+ HTTP/[0-9](?:\.[0-9])?\r?$`)

// statusLine matches the status line of a response.
var statusLine = regexp.MustCompile(`^HTTP/[0-9](?:\.[0-9])? [0-9]{3}(?: [^\r\n]*)?\r?(?:\n|$)`)

// interim matches responses such as 100 Continue.
var interim = regexp.MustCompile(`^(?:HTTP/1\.1 1[0-9][0-9](?: [^\r\n]*)?\r?\n(?:[^\r\n]+\r?\n)*\r?\n)+`)

// mostRequests is the largest number of requests that are read from one capture.
const mostRequests = 1000

// split returns the requests of a stream that starts with a request. As in Wireshark's
// "Follow TCP stream", responses and further requests may follow.
func split(stream []byte) (all []message) {
	for {
		m := cut(stream)
		at := next(m.rest, string(m.wire[:max(0, bytes.IndexByte(m.wire, ' '))]))
		if at < 0 || len(all) == mostRequests {
			return append(all, m)
		}
		stream, m.rest = m.rest[at:], m.rest[:at]
		all = append(all, m)
	}
}

// next returns the index of the next request after one with the given method, or -1. A
// response in between may end without a line break.
func next(rest []byte, method string) int {
	at := 0
	for end := answerEnd(rest, method); end > 0; end = answerEnd(rest[at:], method) {
		at += end
	}
	if found := findLine(rest[at:], " HTTP/", requestLine); found >= 0 {
		return at + found
	}
	return -1
}

// findLine returns the index of the first line that matches, or -1. All matching lines
// contain the given text.
func findLine(data []byte, text string, line *regexp.Regexp) int {
	for at := 0; at < len(data); {
		n := bytes.Index(data[at:], []byte(text))
		if n < 0 {
			break
		}
		start := at + bytes.LastIndexByte(data[at:at+n], '\n') + 1
		at += n
		if end := bytes.IndexByte(data[at:], '\n'); end >= 0 {
			at += end
		} else {
			at = len(data)
		}
		if line.Match(data[start:at]) {
			return start
		}
	}
	return -1
}

// answerEnd returns the length of the response at the start of the data, or 0 if there is
// no response or its end is not certain.
func answerEnd(data []byte, method string) int {
	text := bytes.TrimLeft(data, "\r\n")
	if !statusLine.Match(text) {
		return 0
	}
	left := bytes.NewReader(text)
	in := bufio.NewReader(left)
	answer, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil || answer.ContentLength < 0 && len(answer.TransferEncoding) == 0 {
		return 0
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0
	}
	text = text[len(text)-left.Len()-in.Buffered():]
	after := bytes.TrimLeft(text, "\r\n")
	if line, _, _ := bytes.Cut(after, []byte("\n")); len(after) > 0 && !statusLine.Match(after) && !requestLine.Match(line) {
		return 0 // the response was edited, and its Content-Length is wrong
	}
	return len(data) - len(text)
}

// cut returns the request at the start of the data. It finds the end as net/http does.
func cut(data []byte) (m message) {
	head, body, ended := splitHead(data)
	if !ended {
		m.note("there is no empty line after the headers, and a server would wait for more: read as if there were one")
		head = strings.TrimRight(head, "\r\n") + "\r\n\r\n"
	}
	head, newer := fromHTTP2(head)
	if newer {
		m.note("the request line names HTTP/2 or HTTP/3, as tools print it: read as a request of that protocol")
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		m.wire = append([]byte(head), body...)
		return m
	}
	m.after = body
	m.lengthless = r.ContentLength == 0 && r.Header.Get("Content-Length") == ""
	if r.ContentLength != 0 && int64(len(body)) != r.ContentLength {
		if n := len(interim.Find(body)); n > 0 && r.Header.Get("Expect") != "" {
			m.note("the server's response between header and body is ignored")
			body = body[n:]
		}
		if statusLine.Match(body) {
			m.wire, m.rest = []byte(head), body
			return m
		}
	}
	n := bodyEnd(head, body)
	m.wire, m.rest = append([]byte(head), body[:n]...), body[n:]
	return m
}

// bodyEnd returns the number of bytes after the header section that net/http reads as the
// body.
func bodyEnd(head string, data []byte) int {
	body := bytes.NewReader(data)
	in := bufio.NewReader(io.MultiReader(strings.NewReader(head), body))
	r, err := http.ReadRequest(in)
	if err != nil {
		return len(data)
	}
	io.Copy(io.Discard, r.Body) // the server reports an error
	return len(data) - body.Len() - in.Buffered()
}

// splitHead splits the data after the first empty line. ended is false if there is none.
func splitHead(data []byte) (head string, body []byte, ended bool) {
	for at := 0; at < len(data); {
		n := bytes.IndexByte(data[at:], '\n')
		if n < 0 {
			break
		}
		line := data[at : at+n]
		if at += n + 1; len(line) == 0 || string(line) == "\r" {
			return string(data[:at]), data[at:], true
		}
	}
	return string(data), nil, false
}

// read lets a server read one of the requests, with notes on what was ignored.
func read(all []message, entry int) (*Captured, error) {
	if entry < 0 || entry >= len(all) {
		return nil, fmt.Errorf("there is no request %d: the capture has %d, counted from 0", entry, len(all))
	}
	m := &all[entry]
	if len(all) > 1 {
		m.note("the capture has %d requests: number %d (counted from 0) is explained; select another with --entry", len(all), entry)
	}
	c, err := receive(m.wire)
	if refused, ok := errors.AsType[*Refused](err); ok {
		refused.Notes = m.notes
		return nil, refused
	} else if err != nil {
		return nil, err
	}
	m.describe(c)
	c.Notes = m.notes
	return c, nil
}

// describe adds notes on missing parts of the request, and on the bytes after it.
func (m *message) describe(c *Captured) {
	announced := c.Request.ContentLength
	switch {
	case c.Broken == nil:
	case announced >= 0:
		m.note("the Content-Length is %d, and the capture has %d bytes of the body: the body is incomplete. "+
			"The verdict is that of a server that receives no more: save the whole body, byte for byte", announced, len(c.Body))
	default:
		c.Unframed = m.after
		m.note("the body is incomplete, or its chunks are malformed: each of their lines must end with CR LF, which text editors and browsers change. " +
			"The verdict is that of a server that receives these bytes: save the request byte for byte, or without chunks and with its Content-Length")
	}
	rest := bytes.TrimLeft(m.rest, "\r\n")
	switch {
	case len(m.rest) == 0:
	case len(rest) == 0:
		m.note("the line break after the request is ignored")
	case statusLine.Match(rest):
		m.note("the response after the request is ignored")
	case m.lengthless:
		c.Unframed = m.rest
		m.note("%d bytes after the headers are ignored: with no Content-Length and no chunks a request has no body (RFC 9112, section 6.3). "+
			"If they are the body, add the missing header to the capture", len(m.rest))
	default:
		m.note("%d bytes after the end of the body are ignored", len(m.rest))
	}
	if answer := findLine(c.Unframed, "HTTP/", statusLine); answer >= 0 {
		c.Unframed = c.Unframed[:answer]
	}
}
