package differential_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// A mutation changes a signed message.
type mutation struct {
	name  string
	apply func(d dice, m *message)
}

var mutations = []mutation{
	{"method", func(d dice, m *message) { m.method = pick(d, methods) }},
	{"path segment", func(d dice, m *message) { m.path = d.mutatePath(m.path) }},
	{"path segment", func(d dice, m *message) { m.path = d.mutatePath(m.path) }},
	{"path byte", func(d dice, m *message) { m.path = d.mutateText(m.path) }},
	{"query", func(d dice, m *message) { m.query, m.mark = d.mutateQuery(m.query), true }},
	{"query", func(d dice, m *message) { m.query, m.mark = d.mutateQuery(m.query), true }},
	{"query byte", func(d dice, m *message) { m.query = d.mutateText(m.query) }},
	{"spelling", func(d dice, m *message) { m.path, m.query = d.respell(m.path), d.respell(m.query) }},
	{"line", func(d dice, m *message) { d.mutateLine(m) }},
	{"line", func(d dice, m *message) { d.mutateLine(m) }},
	{"line", func(d dice, m *message) { d.mutateLine(m) }},
	{"new line", func(d dice, m *message) { m.insert(d, pick(d, strange)) }},
	{"new line", func(d dice, m *message) { m.insert(d, pick(d, ordinary)) }},
	{"authorization", func(d dice, m *message) { d.mutateAuthorization(m) }},
	{"authorization", func(d dice, m *message) { d.mutateAuthorization(m) }},
	{"parameter of the credential", func(d dice, m *message) { d.mutateParameter(m) }},
	{"framing", func(d dice, m *message) { d.mutateFraming(m) }},
	{"framing", func(d dice, m *message) { d.mutateFraming(m) }},
	{"body", func(d dice, m *message) { d.mutateBody(m) }},
	{"version", func(d dice, m *message) {
		m.version = pick(d, []string{"HTTP/1.0", "HTTP/1.1", "HTTP/1.9", "http/1.1", "HTTP/2.0", "HTTP/1.01"})
	}},
}

// mutatePath changes a path in a way that a router or a canonical form may undo.
func (d dice) mutatePath(path string) string {
	pieces := strings.Split(path, "/")
	i := 1 + d.IntN(max(1, len(pieces)-1))
	i = min(i, len(pieces))
	switch d.IntN(10) {
	case 0:
		return strings.Join(slices.Insert(pieces, i, "."), "/")
	case 1:
		return strings.Join(slices.Insert(pieces, i, pick(d, segments), ".."), "/")
	case 2:
		return strings.Join(slices.Insert(pieces, i, ""), "/")
	case 3:
		return path + "/"
	case 4:
		return strings.TrimSuffix(path, "/")
	case 5:
		return strings.Join(slices.Insert(pieces, i, pick(d, odd)), "/")
	case 6:
		return strings.Join(slices.Insert(pieces, i, pick(d, rare)), "/")
	case 7:
		if i < len(pieces) {
			return strings.Join(slices.Delete(pieces, i, i+1), "/")
		}
	case 8:
		return strings.Replace(path, "%", "%25", 1)
	case 9:
		return strings.Replace(path, "%25", "%", 1)
	}
	return path + pick(d, []string{"", "?", ";a=b", "%20", ".json", "#f"})
}

// respell writes one byte in another way: encoded, decoded, or its digits in the other case.
func (d dice) respell(s string) string {
	if s == "" {
		return s
	}
	i := d.IntN(len(s))
	if j := strings.IndexByte(s[i:], '%'); j >= 0 && d.one(2) {
		i += j
	}
	switch {
	case s[i] == '%' && i+2 < len(s) && d.one(2):
		return s[:i] + decode(s[i:i+3], false) + s[i+3:]
	case s[i] == '%' && i+2 < len(s):
		if lower := strings.ToLower(s[i : i+3]); lower != s[i:i+3] {
			return s[:i] + lower + s[i+3:]
		}
		return s[:i] + strings.ToUpper(s[i:i+3]) + s[i+3:]
	case s[i] == '+':
		return s[:i] + "%20" + s[i+1:]
	}
	return s[:i] + escape(s[i]) + s[i+1:]
}

// mutateText changes a few bytes.
func (d dice) mutateText(s string) string { return string(d.mutateBytes([]byte(s))) }

const interesting = "\x00\x01\t\n\r !\"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xff"

func (d dice) mutateBytes(b []byte) []byte {
	b = bytes.Clone(b)
	for ok := true; ok; ok = d.one(4) {
		if len(b) == 0 {
			return []byte{interesting[d.IntN(len(interesting))]}
		}
		i := d.IntN(len(b))
		j := min(len(b), i+1+d.IntN(8))
		switch d.IntN(7) {
		case 0:
			b[i] = interesting[d.IntN(len(interesting))]
		case 1:
			b[i] ^= 1 << d.IntN(8)
		case 2:
			b = slices.Insert(b, i, interesting[d.IntN(len(interesting))])
		case 3:
			b = slices.Delete(b, i, i+1)
		case 4:
			b = slices.Delete(b, i, j)
		case 5:
			b = slices.Insert(b, i, bytes.Clone(b[i:j])...)
		case 6:
			k := d.IntN(len(b))
			b[i], b[k] = b[k], b[i]
		}
	}
	return b
}

func (d dice) mutateQuery(query string) string {
	pieces := strings.Split(query, "&")
	i := d.IntN(len(pieces))
	name, value, equals := strings.Cut(pieces[i], "=")
	switch d.IntN(14) {
	case 0:
		pieces = slices.Insert(pieces, d.IntN(len(pieces)+1), pieces[i])
	case 1:
		pieces = slices.Insert(pieces, d.IntN(len(pieces)+1), name+"="+pick(d, values))
	case 2:
		pieces = slices.Delete(pieces, i, i+1)
	case 3:
		j := d.IntN(len(pieces))
		pieces[i], pieces[j] = pieces[j], pieces[i]
	case 4:
		pieces = slices.Insert(pieces, i, "")
	case 5:
		if equals && value == "" {
			pieces[i] = name
		} else if !equals {
			pieces[i] += "="
		}
	case 6:
		pieces[i] = strings.ReplaceAll(pieces[i], "%20", "+")
	case 7:
		pieces[i] = strings.ReplaceAll(pieces[i], "+", "%20")
	case 8:
		pieces[i] = name + "=" + pick(d, oddValues)
	case 9:
		pieces = append(pieces, pick(d, parameters)+"="+pick(d, values))
	case 10:
		pieces = append(pieces, pick(d, []string{";", "a;b", "=1", "=", "%", "a=%zz", "&", "a", "b=", "%61=1"}))
	case 11:
		pieces[i] = strings.ToLower(name) + "=" + value
	case 12:
		pieces = slices.Insert(pieces, d.IntN(len(pieces)+1), pick(d, names)+"="+pick(d, values))
	case 13:
		slices.Reverse(pieces)
	}
	return strings.Join(pieces, "&")
}

func (d dice) mutateLine(m *message) {
	if len(m.lines) == 0 {
		return
	}
	i := d.IntN(len(m.lines))
	l := &m.lines[i]
	switch d.IntN(18) {
	case 0:
		m.lines = slices.Delete(m.lines, i, i+1)
	case 1:
		m.insert(d, *l)
	case 2:
		j := d.IntN(len(m.lines))
		m.lines[i], m.lines[j] = m.lines[j], m.lines[i]
	case 3:
		l.name = pick(d, []string{strings.ToLower(l.name), strings.ToUpper(l.name)})
	case 4:
		l.name = strings.Replace(l.name, "-", "_", 1+d.IntN(2)*5)
	case 5:
		l.value = pick(d, []string{"  ", "\t", ""}) + strings.TrimLeft(l.value, " ")
	case 6:
		l.value += pick(d, []string{" ", "\t ", "\r\n ", "\r\n \t x"})
	case 7:
		l.value = strings.Replace(l.value, " ", pick(d, []string{"  ", "\t", "\r\n ", ""}), 1+d.IntN(3))
	case 8:
		l.value = strings.Replace(l.value, "  ", " ", 1)
	case 9: // one line with a comma becomes two
		if before, after, ok := strings.Cut(l.value, ","); ok {
			l.value = before
			m.lines = slices.Insert(m.lines, i+1, line{m.lines[i].name, after})
		}
	case 10: // two lines become one
		for j := i + 1; j < len(m.lines); j++ {
			if strings.EqualFold(m.lines[j].name, l.name) {
				l.value += pick(d, []string{",", ", ", ";"}) + strings.TrimLeft(m.lines[j].value, " ")
				m.lines = slices.Delete(m.lines, j, j+1)
				break
			}
		}
	case 11:
		l.value = d.mutateText(l.value)
	case 12:
		l.name = d.mutateText(l.name)
	case 13:
		m.insert(d, line{l.name, pick(d, []string{"", " ", " x", " a"})})
	case 14:
		m.insert(d, line{strings.ReplaceAll(l.name, "-", "_"), l.value})
	case 15:
		m.insert(d, line{"Connection", pick(d, []string{" ", " close, ", " , "}) + l.name})
	case 16:
		m.insert(d, line{l.name, pick(d, m.lines).value})
	case 17:
		l.value = ""
	}
}

func (d dice) mutateFraming(m *message) {
	switch d.IntN(10) {
	case 0, 1:
		m.frame(d, chunked)
	case 2, 3:
		m.frame(d, withLength)
	case 4:
		m.insert(d, line{"Content-Length", " " + strconv.Itoa(max(0, len(m.body)-1+d.IntN(3)))})
	case 5:
		if i := m.find("Content-Length"); i >= 0 {
			m.lines[i].value = pick(d, []string{" " + strconv.Itoa(max(0, len(m.body)-1)), " " + strconv.Itoa(len(m.body)+1), " +" + strconv.Itoa(len(m.body)), " 0" + strconv.Itoa(len(m.body)), " 0", " -1", " 99999999999999999999", " 0x3", " 1, 1", ""})
		}
	case 6:
		m.wire = d.mutateText(m.wire)
	case 7:
		m.wire += pick(d, []string{"x", "\r\n", "0\r\n\r\n", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"})
	case 8:
		m.frame(d, withoutBody)
	case 9:
		m.wire = m.wire[:d.IntN(len(m.wire)+1)]
	}
}

// mutateBody sends another body in the framing that the message has.
func (d dice) mutateBody(m *message) {
	f := withoutBody
	switch {
	case m.has("Transfer-Encoding"):
		f = chunked
	case m.has("Content-Length"):
		f = withLength
	}
	switch d.IntN(4) {
	case 0:
		m.body = d.content()
	case 1:
		m.body = ""
	default:
		m.body = d.mutateText(m.body)
	}
	m.frame(d, f)
}
