package differential_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A message is a request in its parts, each as it stands on the wire.
type message struct {
	method, path, query string
	mark                bool // a question mark stands in front of the query
	version             string
	lines               []line
	body                string // what the signer hashes
	wire                string // what follows the head: the body in its framing
}

// A line is a header line. The value is all that follows the colon.
type line struct{ name, value string }

func (m *message) target() string {
	if m.mark {
		return m.path + "?" + m.query
	}
	return m.path
}

func (m *message) raw() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", m.method, m.target(), m.version)
	for _, l := range m.lines {
		b.WriteString(l.name + ":" + l.value + "\r\n")
	}
	b.WriteString("\r\n" + m.wire)
	return []byte(b.String())
}

func (m *message) clone() *message {
	other := *m
	other.lines = slices.Clone(m.lines)
	return &other
}

func (m *message) add(name, value string) { m.lines = append(m.lines, line{name, " " + value}) }

// insert adds a line in a random place.
func (m *message) insert(d dice, l line) {
	m.lines = slices.Insert(m.lines, d.IntN(len(m.lines)+1), l)
}

func (m *message) remove(name string) {
	m.lines = slices.DeleteFunc(m.lines, func(l line) bool { return strings.EqualFold(l.name, name) })
}

// find returns the index of the first line of a header, -1 where there is none.
func (m *message) find(name string) int {
	return slices.IndexFunc(m.lines, func(l line) bool { return strings.EqualFold(l.name, name) })
}

func (m *message) has(name string) bool { return m.find(name) >= 0 }

// values returns the values of a header as a server delivers them, a folded line joined
// with one space.
func (m *message) values(name string) (values []string) {
	for _, l := range m.lines {
		if strings.EqualFold(l.name, name) {
			pieces := strings.Split(l.value, "\r\n")
			for i := range pieces {
				pieces[i] = strings.Trim(pieces[i], " \t")
			}
			values = append(values, strings.Join(pieces, " "))
		}
	}
	return values
}

// framing says how a body is sent.
type framing int

const (
	withoutBody framing = iota
	withLength
	chunked
)

// frame sends the body in one of the framings, and replaces the lines that say so.
func (m *message) frame(d dice, f framing) {
	m.remove("Content-Length")
	m.remove("Transfer-Encoding")
	m.remove("Trailer")
	switch f {
	case withoutBody:
		m.wire = m.body // which should be empty: else it is another message
	case withLength:
		m.insert(d, line{"Content-Length", " " + strconv.Itoa(len(m.body))})
		m.wire = m.body
	case chunked:
		m.insert(d, line{pick(d, []string{"Transfer-Encoding", "transfer-encoding"}), pick(d, []string{" chunked", "chunked", " Chunked"})})
		m.wire = m.chunks(d)
	}
}

// chunks returns the body in chunks of random sizes, sometimes with extensions and
// trailers.
func (m *message) chunks(d dice) string {
	var b strings.Builder
	format := pick(d, []string{"%x", "%x", "%X", "00%x"})
	extension := pick(d, []string{"", "", "", "", ";a=b", " ", `;q="x"`})
	for rest := m.body; rest != ""; {
		n := 1 + d.IntN(len(rest))
		if d.one(2) {
			n = len(rest)
		}
		fmt.Fprintf(&b, format+"%s\r\n%s\r\n", n, extension, rest[:n])
		rest = rest[n:]
	}
	b.WriteString("0" + extension + "\r\n")
	for d.one(6) {
		t := pick(d, trailers)
		if d.one(2) {
			m.insert(d, line{"Trailer", " " + t.name})
		}
		b.WriteString(t.name + ":" + t.value + "\r\n")
	}
	return b.String() + "\r\n"
}

var trailers = []line{
	{"X-Checksum", " abc"}, {"X-Role", " admin"}, {"X-Apig-Mode", " debug"}, {"X-Sdk-Date", " 20260115T120000Z"},
	{"X-Amz-Content-Sha256", " UNSIGNED-PAYLOAD"}, {"Authorization", " Basic eDp5"}, {"Content-Length", " 3"}, {"Host", " other.example.com"},
}
