package reference

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// message is a message of HTTP/1.1 (RFC 9112), with what a Go server changes of it
// (docs/protocols.md, Header values).
type message struct {
	method, target string
	path, query    string // of the target as it was signed
	host           string
	headers        []header // without Host
	lines          int      // of them
	body           []byte
	chunked        bool
	noLength       bool  // no body is announced, so that the length is 0
	announced      int64 // Content-Length
	whole          bool  // the body arrived whole
}

// header is a header line. Its name is in lower case.
type header struct{ name, value string }

// values are the values of a header, in the order received.
func (m *message) values(name string) (values []string) {
	if name == "host" && m.host != "" {
		return []string{m.host}
	}
	if name == "content-length" && m.noLength {
		return []string{"0"}
	}
	for _, h := range m.headers {
		if h.name == name {
			values = append(values, h.value)
		}
	}
	return values
}

// take removes a header and returns its values.
func (m *message) take(name string) []string {
	values := m.values(name)
	m.headers = slices.DeleteFunc(m.headers, func(h header) bool { return h.name == name })
	return values
}

// parse reads a message, or tells why it is none.
func parse(raw []byte) (m message, why string) {
	line, rest, _ := cutLine(raw)
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !strings.HasPrefix(parts[2], "HTTP/1.") {
		return m, "the request line is malformed"
	}
	m.method, m.target = parts[0], parts[1]
	for {
		var ok bool
		if line, rest, ok = cutLine(rest); !ok {
			return m, "the header does not end"
		} else if line == "" {
			break
		}
		name, value, colon := strings.Cut(line, ":")
		last := len(m.headers) - 1
		switch folded := strings.ContainsAny(line[:1], " \t"); {
		case folded && last >= 0:
			m.headers[last].value = strings.TrimLeft(m.headers[last].value+" "+trim(line), " \t")
		case folded || !colon || name == "":
			return m, "a header line is malformed"
		default:
			m.headers = append(m.headers, header{lower(name), trim(value)})
		}
	}
	hosts := m.take("host")
	if len(hosts) > 1 {
		return m, "there is more than one Host"
	}
	m.host = strings.Join(hosts, "")
	if pragma := m.values("pragma"); len(pragma) > 0 && pragma[0] == "no-cache" && m.values("cache-control") == nil {
		m.headers = append(m.headers, header{"cache-control", "no-cache"})
	}
	codings, lengths := m.take("transfer-encoding"), m.take("content-length")
	if len(lengths) > 1 { // equal ones are one
		for i, length := range lengths {
			lengths[i] = trim(length)
		}
		lengths = slices.Compact(lengths)
	}
	m.take("trailer")
	m.lines = len(m.headers)
	if len(codings) > 0 && parts[2] != "HTTP/1.0" {
		m.chunked = true
		m.body, m.whole = chunks(rest)
		if len(codings) > 1 || lower(codings[0]) != "chunked" {
			why = "the transfer coding is not chunked"
		}
		return m, why
	}
	length := cmp.Or(strings.Join(lengths, " "), "0")
	n, err := strconv.ParseUint(trim(length), 10, 63)
	if err != nil {
		return m, "Content-Length is malformed"
	}
	m.lines += len(lengths)
	if m.noLength = len(lengths) == 0; !m.noLength {
		m.headers = append(m.headers, header{"content-length", length})
	}
	m.announced, m.whole = int64(n), n <= uint64(len(rest))
	m.body = rest[:min(n, uint64(len(rest)))]
	return m, ""
}

// chunks removes the chunked coding (RFC 9112, section 7.1).
func chunks(rest []byte) (body []byte, whole bool) {
	for {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		digits, _, _ := strings.Cut(strings.TrimRight(string(line), " \t"), ";")
		n, err := strconv.ParseUint(digits, 16, 63)
		if !ok || err != nil || n > uint64(len(after)) || bytes.ContainsAny(line, "\r\n") {
			return body, false
		}
		if n == 0 {
			return body, trailers.Match(after) && (bytes.HasPrefix(after, crlf) || bytes.Contains(after, slices.Concat(crlf, crlf)))
		}
		body = append(body, after[:n]...)
		if rest, ok = bytes.CutPrefix(after[n:], []byte("\r\n")); !ok {
			return body, false
		}
	}
}

// trailers end with an empty line. A Go server takes names with spaces, and LF alone where
// CRLF is there twice.
var trailers = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z -]+:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*\\r?\\n([ \\t][^\\x00-\\x08\\x0a-\\x1f\\x7f]*\\r?\\n)*)*\\r?\\n")

var crlf = []byte("\r\n")

// cutLine cuts off a line, which ends with LF or CRLF.
func cutLine(text []byte) (line string, rest []byte, ok bool) {
	before, rest, ok := bytes.Cut(text, []byte("\n"))
	return strings.TrimSuffix(string(before), "\r"), rest, ok
}

// The words of docs/protocols.md, Notation.

// lower is s in lower case, ASCII alone.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func trim(s string) string { return strings.Trim(s, " \t") }

var blanks = regexp.MustCompile(`[ \t]+`)

func collapse(s string) string { return blanks.ReplaceAllString(s, " ") }

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"

// encode is url.QueryEscape, which has the same unreserved characters, but for the space.
func encode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

func decodePath(s string) string {
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		b, _ := hex.DecodeString(e[1:])
		return string(b)
	})
}

// isToken tells whether s can be the name of a header (RFC 9110, section 5.6.2).
var isToken = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$").MatchString

func decodeQuery(s string) string { return decodePath(strings.ReplaceAll(s, "+", " ")) }

// badEscape tells whether s has a % that two hexadecimal digits do not follow.
func badEscape(s string) bool { return strings.Contains(escape.ReplaceAllString(s, ""), "%") }
