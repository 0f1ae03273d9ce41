package coretest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// message is one request as it is sent, valid or not.
type message struct {
	method, target, proto string
	lines                 []string // header lines without their CRLF
	body                  string   // the body that the handler must read
	framed                string   // the body as it is sent, if that differs
	raw                   string   // the whole message, instead of its parts
}

// bytes returns the message as it is sent.
func (m message) bytes() []byte {
	if m.raw != "" {
		return []byte(m.raw)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", m.method, m.target, m.proto)
	for _, line := range m.lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	if m.framed != "" {
		b.WriteString(m.framed)
	} else {
		b.WriteString(m.body)
	}
	return []byte(b.String())
}

// p1 and p2 are the reference requests. Their signatures are literals that two other
// implementations computed.
func p1() message {
	return message{method: "GET", target: "/v1/items", proto: "HTTP/1.1", lines: []string{
		"Host: " + host,
		"X-Sdk-Date: " + today,
		"Authorization: " + hmacFields(k1.id, "host;x-sdk-date", p1Signature),
	}}
}

func p2() message {
	return message{method: "POST", target: "/v1/items?a=1&b=", proto: "HTTP/1.1", body: `{"amount":100}`, lines: []string{
		"Host: " + host,
		"X-Sdk-Date: " + today,
		"Content-Length: 14",
		"Authorization: " + hmacFields(k1.id, "host;x-sdk-date", p2Signature),
	}}
}

// forged returns p1 with a well-formed, wrong signature.
func forged() message {
	return p1().set("Authorization", hmacFields(k1.id, "host;x-sdk-date", strings.Repeat("0123456789abcdef", 4)))
}

func hmacFields(id, list, signature string) string {
	return "SDK-HMAC-SHA256 Access=" + id + ", SignedHeaders=" + list + ", Signature=" + signature
}

// with adds header lines at the end.
func (m message) with(lines ...string) message {
	m.lines = append(slices.Clone(m.lines), lines...)
	return m
}

// before adds header lines at the start.
func (m message) before(lines ...string) message {
	m.lines = append(slices.Clone(lines), m.lines...)
	return m
}

// without removes all lines of a header.
func (m message) without(name string) message {
	m.lines = slices.DeleteFunc(slices.Clone(m.lines), func(line string) bool { return isLine(line, name) })
	return m
}

// set replaces the lines of a header by one, at the position of the first.
func (m message) set(name, value string) message {
	line := name + ": " + value
	at := slices.IndexFunc(m.lines, func(line string) bool { return isLine(line, name) })
	m = m.without(name)
	if at < 0 {
		return m.with(line)
	}
	m.lines = slices.Insert(m.lines, at, line)
	return m
}

// to changes the request line's target.
func (m message) to(target string) message {
	m.target = target
	return m
}

// as changes the method.
func (m message) as(method string) message {
	m.method = method
	return m
}

// version changes the protocol version.
func (m message) version(proto string) message {
	m.proto = proto
	return m
}

// carrying changes the body and the Content-Length.
func (m message) carrying(body string) message {
	m.body, m.framed = body, ""
	return m.set("Content-Length", strconv.Itoa(len(body)))
}

// chunked sends the body in chunks of n bytes, with trailer lines.
func (m message) chunked(n int, trailers ...string) message {
	var b strings.Builder
	for rest := m.body; rest != ""; {
		piece := rest[:min(n, len(rest))]
		rest = rest[len(piece):]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
	}
	b.WriteString("0\r\n")
	for _, line := range trailers {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	m = m.without("Content-Length").with("Transfer-Encoding: chunked")
	m.framed = b.String()
	return m
}

// values returns the values of a header, in order, as sent.
func (m message) values(name string) []string {
	var values []string
	for _, line := range m.lines {
		if isLine(line, name) {
			values = append(values, line[len(name)+1:])
		}
	}
	return values
}

// value returns the first value of a header, trimmed.
func (m message) value(name string) string {
	if values := m.values(name); len(values) > 0 {
		return strings.Trim(values[0], " \t")
	}
	return ""
}

func isLine(line, name string) bool {
	return len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(line[:len(name)], name)
}
