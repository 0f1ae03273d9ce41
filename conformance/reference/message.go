package reference

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// message is a message of HTTP/1.1 (RFC 9112), and what a Go server changes of it
// (docs/protocols.md, Header values).
type message struct {
	method, target string
	path, query    string // of the target as it was signed
	host           string
	headers        []header // without Host
	body           []byte
	chunked        bool
	noLength       bool  // neither Content-Length nor a transfer coding: the length is 0
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

// parse reads a message, or tells why it is none.
func parse(raw []byte) (m message, why string) {
	line, rest, ok := cutLine(raw)
	parts := strings.Split(line, " ")
	if !ok || len(parts) != 3 || !strings.HasPrefix(parts[2], "HTTP/1.") {
		return m, "the request line is malformed"
	}
	m.method, m.target = parts[0], parts[1]
	for {
		if line, rest, ok = cutLine(rest); !ok {
			return m, "the header does not end"
		}
		if line == "" {
			break
		}
		if isBlank(line[0]) { // a folded line
			if len(m.headers) == 0 {
				return m, "a header line begins with a blank"
			}
			last := &m.headers[len(m.headers)-1]
			last.value = strings.TrimLeft(last.value+" "+trim(line), " \t")
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return m, "a header line is malformed"
		}
		m.headers = append(m.headers, header{strings.ToLower(name), trim(value)})
	}
	if hosts := m.values("host"); len(hosts) > 1 {
		return m, "there is more than one Host (RFC 9112, section 3.2)"
	} else if len(hosts) == 1 {
		m.host = hosts[0]
	}
	m.remove("host")
	if pragma := m.values("pragma"); len(pragma) > 0 && pragma[0] == "no-cache" && m.values("cache-control") == nil {
		m.headers = append(m.headers, header{"cache-control", "no-cache"})
	}
	return m, m.parseBody(rest, parts[2])
}

// parseBody takes the framing away (RFC 9112, section 6).
func (m *message) parseBody(rest []byte, version string) (why string) {
	codings, lengths := m.values("transfer-encoding"), slices.Compact(m.values("content-length"))
	m.remove("transfer-encoding")
	m.remove("trailer")
	if len(codings) > 0 && version != "HTTP/1.0" { // which has none
		if len(codings) > 1 || !strings.EqualFold(codings[0], "chunked") {
			return "the transfer coding is not chunked"
		}
		m.remove("content-length")
		m.chunked = true
		m.body, m.whole = chunks(rest)
		return ""
	}
	m.whole = true
	if len(lengths) == 0 {
		m.noLength = true
		return ""
	}
	n, err := strconv.ParseUint(trim(lengths[0]), 10, 63)
	if err != nil || len(lengths) > 1 {
		return "Content-Length is malformed"
	}
	m.remove("content-length")
	m.headers = append(m.headers, header{"content-length", lengths[0]})
	m.announced, m.whole = int64(n), uint64(len(rest)) >= n
	m.body = rest[:min(n, uint64(len(rest)))]
	return ""
}

// chunks removes the chunked coding (RFC 9112, section 7.1).
func chunks(rest []byte) (body []byte, whole bool) {
	for {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		digits, _, _ := strings.Cut(strings.TrimRight(string(line), " \t"), ";")
		n, err := strconv.ParseUint(digits, 16, 63)
		switch {
		case !ok || err != nil || strings.ContainsAny(string(line), "\r\n"):
			return body, false
		case n == 0:
			return body, isTrailer(after)
		case n > uint64(len(after)) || !bytes.HasPrefix(after[n:], []byte("\r\n")):
			return append(body, after[:min(n, uint64(len(after)))]...), false
		}
		body, rest = append(body, after[:n]...), after[n+2:]
	}
}

// isTrailer tells whether text begins with a trailer section, which ends with an empty line.
func isTrailer(text []byte) bool {
	if !bytes.HasPrefix(text, []byte("\r\n")) && !bytes.Contains(text, []byte("\r\n\r\n")) {
		return false
	}
	for {
		line, rest, ok := cutLine(text)
		if !ok || line == "" {
			return ok
		}
		name, value, _ := strings.Cut(line, ":")
		if !isToken(strings.ReplaceAll(name, " ", "")) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return false
		}
		text = rest
	}
}

func (m *message) remove(name string) {
	m.headers = slices.DeleteFunc(m.headers, func(h header) bool { return h.name == name })
}

// cutLine cuts off a line, which ends with LF or CRLF.
func cutLine(text []byte) (line string, rest []byte, ok bool) {
	before, rest, ok := bytes.Cut(text, []byte("\n"))
	return strings.TrimSuffix(string(before), "\r"), rest, ok
}

// The words of docs/protocols.md, Notation.

func isBlank(b byte) bool { return b == ' ' || b == '\t' }

func trim(s string) string { return strings.Trim(s, " \t") }

func collapse(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' }), " ")
}

func unreserved(b byte) bool {
	return 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || strings.IndexByte("-_.~", b) >= 0
}

// encode encodes s, but for unreserved characters and those of keep.
func encode(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; unreserved(c) || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)+0x100, 16)[1:]))
		}
	}
	return b.String()
}

// decodePath replaces every %XX by its byte.
func decodePath(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c, ok := escape(s[i:]); ok {
			b.WriteByte(c)
			i += 2
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func decodeQuery(s string) string { return decodePath(strings.ReplaceAll(s, "+", " ")) }

// escape is the byte that s begins with as %XX.
func escape(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' || !isHex(s[1]) || !isHex(s[2]) {
		return 0, false
	}
	n, _ := strconv.ParseUint(s[1:3], 16, 8)
	return byte(n), true
}

func isHex(b byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", b) >= 0 }

// isToken tells whether s is the name of a header (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r > 127 || !unreserved(byte(r)) && strings.IndexByte("!#$%&'*+^`|", byte(r)) < 0
	})
}

// badEscape tells whether s has a % that two hexadecimal digits do not follow.
func badEscape(s string) bool {
	for i := range len(s) {
		if _, ok := escape(s[i:]); s[i] == '%' && !ok {
			return true
		}
	}
	return false
}
