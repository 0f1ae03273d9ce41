package wire

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Span is a part of a raw request: raw[Start:End].
type Span struct{ Start, End int }

func (s Span) of(raw []byte) string { return string(raw[s.Start:s.End]) }

// Field is one header line.
type Field struct {
	Name        string // in lower case
	Key         Span
	Value       Span // without spaces at its start and end
	SignedField bool // SignedHeaders lists it
}

// Layout has the positions of the parts of a raw request.
type Layout struct {
	Raw                 []byte
	Method, Path, Query Span
	Fields              []Field
	// Algorithm and Parameters are from the Authorization header, or from the query if
	// there is no such header: Parameters["Credential"] is that of X-Amz-Credential.
	Algorithm  Span
	Parameters map[string]Span
	// Body is the body, or the first chunk of a chunked one.
	Body Span
}

// Parse returns the layout of a request whose credential is in the Authorization header
// or in the query.
func Parse(t testing.TB, raw []byte) Layout {
	t.Helper()
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		t.Fatalf("no end of the header section: %.300q", raw)
	}
	l := Layout{Raw: raw, Parameters: map[string]Span{}, Body: Span{end + 4, len(raw)}}
	line := l.requestLine()
	for start := line + 2; start < end; {
		next := start + bytes.Index(raw[start:], []byte("\r\n"))
		l.Fields = append(l.Fields, field(raw, start, next))
		start = next + 2
	}
	l.authorization(t)
	signed := l.SignedHeaders()
	for i := range l.Fields {
		l.Fields[i].SignedField = slices.Contains(signed, l.Fields[i].Name)
	}
	if te := l.Values("transfer-encoding"); len(te) > 0 {
		l.firstChunk(t)
	}
	return l
}

// Text returns the text of a part.
func (l *Layout) Text(s Span) string { return s.of(l.Raw) }

// Target returns the request target.
func (l *Layout) Target() string { return string(l.Raw[l.Path.Start:max(l.Path.End, l.Query.End)]) }

// Values returns the values of a header, in the order of the lines.
func (l *Layout) Values(name string) (values []string) {
	for _, f := range l.Fields {
		if f.Name == name {
			values = append(values, l.Text(f.Value))
		}
	}
	return values
}

// requestLine finds method, path and query, and returns where the line ends.
func (l *Layout) requestLine() (end int) {
	end = bytes.Index(l.Raw, []byte("\r\n"))
	line := string(l.Raw[:end])
	first, last := strings.Index(line, " "), strings.LastIndex(line, " ")
	l.Method, l.Path = Span{0, first}, Span{first + 1, last}
	if q := strings.Index(line, "?"); q >= 0 {
		l.Path.End, l.Query = q, Span{q + 1, last}
	}
	return end
}

func field(raw []byte, start, end int) Field {
	colon := start + bytes.IndexByte(raw[start:end], ':')
	value := string(raw[colon+1 : end])
	from := colon + 1 + len(value) - len(strings.TrimLeft(value, " \t"))
	to := max(from, end-len(value)+len(strings.TrimRight(value, " \t")))
	return Field{
		Name: strings.ToLower(string(raw[start:colon])),
		Key:  Span{start, colon}, Value: Span{from, to},
	}
}

// authorization finds the parts of "ALGORITHM name=value, name=value".
func (l *Layout) authorization(t testing.TB) {
	t.Helper()
	i := slices.IndexFunc(l.Fields, func(f Field) bool { return f.Name == "authorization" })
	if i < 0 {
		l.presigned(t)
		return
	}
	whole := l.Fields[i].Value
	at := whole.Start + bytes.IndexByte(l.Raw[whole.Start:whole.End], ' ')
	l.Algorithm = Span{whole.Start, at}
	for parameter := range strings.SplitSeq(l.Text(Span{at, whole.End}), ",") {
		name, value, _ := strings.Cut(parameter, "=")
		end := at + len(parameter)
		l.Parameters[strings.TrimLeft(name, " ")] = Span{end - len(value), end}
		at = end + 1
	}
}

// firstChunk narrows Body to the data of its first chunk.
func (l *Layout) firstChunk(t testing.TB) {
	t.Helper()
	size, _, _ := strings.Cut(l.Text(l.Body), "\r\n")
	n, err := strconv.ParseInt(size, 16, 32)
	if err != nil {
		t.Fatalf("not chunked: %.20q", l.Text(l.Body))
	}
	l.Body.Start += len(size) + 2
	l.Body.End = l.Body.Start + int(n)
}
