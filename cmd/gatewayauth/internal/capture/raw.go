package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strconv"
	"strings"
)

// maxHead is the limit of net/http's server.
const maxHead = 1 << 20

// newerProtocol is a request line of HTTP/2 or 3 as tools print it: there is none
// on the wire.
var newerProtocol = regexp.MustCompile(`^(\S+ \S+) HTTP/(?:[23](?:\.0)?)\r?$`)

// parseRaw reads a request as it is on the wire, or as curl -v shows it. Lines
// may end with LF alone.
func parseRaw(data []byte) (*Captured, error) {
	data = verbose(bytes.TrimLeft(data, "\r\n"))
	head, body, ended := splitHead(data)
	if len(head) > maxHead {
		return nil, errors.New("its head is larger than 1 MiB")
	}
	c := &Captured{}
	if !ended {
		c.note("no empty line ends the head: read as a request without a body")
	}
	line, rest, _ := strings.Cut(head, "\n")
	line = newerProtocol.ReplaceAllString(line, "$1 HTTP/1.1")
	if strings.Count(strings.TrimRight(line, "\r"), " ") == 1 {
		line = strings.TrimRight(line, "\r") + " HTTP/1.1"
		c.note("the request line names no protocol: read as HTTP/1.1")
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line + "\n" + strings.TrimRight(rest, "\r\n") + "\r\n\r\n")))
	if err != nil {
		return nil, headError(err)
	}
	if n := len(regexp.MustCompile(`(?im)^host:`).FindAllString(rest, 2)); n > 1 {
		c.note("there are two Host headers: a server of net/http answers that with 400 before anything is verified")
	}
	if r.Host == "" {
		c.note("there is no Host header: the host counts as empty")
	}
	c.Request, r.Body = r, http.NoBody
	c.frame(body)
	return c, nil
}

// headError says what is wrong without what the input holds: it may be a secret.
func headError(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "malformed HTTP request"), strings.Contains(text, "invalid method"),
		strings.Contains(text, "malformed HTTP version"):
		return errors.New("the first line is no request line such as: GET /orders/7 HTTP/1.1")
	case strings.Contains(text, "malformed MIME header"):
		return errors.New("a line of the head is no header such as: Host: api.example.com")
	case strings.Contains(text, "Content-Length"):
		return errors.New("the Content-Length is not a number")
	case strings.Contains(text, "transfer encoding"):
		return errors.New("the Transfer-Encoding is not chunked")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the head breaks off")
	}
	return errors.New("the head is not one of HTTP that a server would take")
}

// verbose takes the request out of what curl -v prints.
func verbose(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte("> ")) && !bytes.HasPrefix(data, []byte("* ")) {
		return data
	}
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		if sent, ok := bytes.CutPrefix(line, []byte(">")); ok {
			out.Write(bytes.TrimPrefix(sent, []byte(" ")))
		}
	}
	return out.Bytes()
}

// splitHead cuts at the first empty line.
func splitHead(data []byte) (head string, body []byte, ended bool) {
	for at := 0; at < len(data); {
		n := bytes.IndexByte(data[at:], '\n')
		if n < 0 {
			break
		}
		if line := data[at : at+n]; len(line) == 0 || string(line) == "\r" {
			return string(data[:at]), data[at+n+1:], true
		}
		at += n + 1
	}
	return string(data), nil, false
}

// frame gives the request the body that its headers announce.
func (c *Captured) frame(body []byte) {
	r := c.Request
	announced, err := strconv.Atoi(r.Header.Get("Content-Length"))
	lineBreak := string(body) == "\n" || string(body) == "\r\n"
	switch {
	case len(r.TransferEncoding) > 0:
		plain, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body)))
		if err != nil || len(plain) == 0 && len(body) > 2 && body[0] != '0' {
			c.note("the request is chunked, and what follows its head is not: taken as the body itself")
			break
		}
		body = plain
	case r.Header.Get("Content-Length") == "" || err != nil:
		if lineBreak {
			body = nil
			c.note("no Content-Length, and a line break after the head: read as a request without a body")
		} else if len(body) > 0 {
			c.note("no Content-Length: all %d bytes after the head are the body, a line break at its end included", len(body))
		}
	case len(body) > announced:
		c.note("%d bytes follow the head, and the Content-Length is %d: the rest is left out", len(body), announced)
		body = body[:announced]
	case len(body) < announced:
		c.note("%d bytes follow the head, and the Content-Length is %d: the body is not all there, so its hash cannot fit", len(body), announced)
		c.Body, r.ContentLength = body, int64(announced)
		return
	}
	c.Body, r.ContentLength = body, int64(len(body))
}

// build makes a request of its parts, by way of the form on the wire, so that
// all formats give what a server would have received.
func build(method, target, host string, headers [][2]string, body []byte) (*Captured, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	given := false
	for _, h := range headers {
		given = given || strings.EqualFold(h[0], "host")
	}
	if !given {
		headers = append([][2]string{{"Host", host}}, headers...)
	}
	for _, h := range headers {
		switch {
		case strings.ContainsAny(h[0], "\r\n:") || strings.ContainsAny(h[1], "\r\n"):
			return nil, errors.New("a header holds a line break")
		case strings.EqualFold(h[0], "content-length"), strings.EqualFold(h[0], "transfer-encoding"):
			continue // of the body as it is here
		}
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	if strings.ContainsAny(method+target, " \t\r\n") {
		return nil, errors.New("the method or the URL holds a blank; it must be encoded")
	}
	c, err := parseRaw([]byte(b.String() + "\r\n"))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		c.Request.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	c.frame(body)
	return c, nil
}

// splitURL cuts a URL without changing a byte of its path and query.
func splitURL(url string) (host, target string, err error) {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		scheme, rest = "http", url // as curl does
	}
	if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" {
		return "", "", errors.New("the URL is neither http nor https")
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, target = rest[:end], rest[end:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if host == "" {
		return "", "", errors.New("the URL has no host")
	}
	if target == "" || target[0] == '?' {
		target = "/" + target
	}
	if port := map[string]string{"http": ":80", "https": ":443"}[scheme]; strings.HasSuffix(host, port) {
		host = strings.TrimSuffix(host, port)
	}
	return host, target, nil
}
