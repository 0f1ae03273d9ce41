package canonical

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
	"github.com/gatewayauth/gatewayauth/internal/word"
)

// whitespace is what is done to the spaces and tabs of a value.
type whitespace uint8

const (
	keep     whitespace = iota // also where nothing would change the value
	trim                       // they are cut off at both ends
	collapse                   // and every run of them inside becomes one space
)

// whitespace is that of all values: they need not be looked at one by one where
// nothing would change them.
func (h *headers) whitespace(collapses bool) whitespace {
	switch {
	case collapses && h.seen&runs != 0:
		return collapse
	case h.seen&outerBlanks != 0:
		return trim
	}
	return keep
}

// content is what a value holds that somebody asks about.
type content uint8

const (
	outerBlanks content = 1 << iota // a space or a tab at one end
	runs                            // a tab, or two spaces in a row
	lineEnds                        // NUL, CR or LF
)

// contentOf says what a value that is not visible holds.
func contentOf(value string) (c content) {
	before := byte(0)
	for i := 0; i < len(value); i++ {
		b := value[i]
		switch {
		case b == '\r' || b == '\n' || b == 0:
			c |= lineEnds
		case b == '\t' || b == ' ' && before == ' ':
			c |= runs
		}
		before = b
	}
	if value != "" && (authorization.IsBlank(value[0]) || authorization.IsBlank(before)) {
		c |= outerBlanks
	}
	return c
}

// isVisible reports whether a value is of visible characters alone, or bytes of
// others than ASCII. It looks at eight at a time.
func isVisible(value string) bool {
	n := len(value)
	if n < 8 {
		for i := range n {
			if value[i] < '!' {
				return false
			}
		}
		return true
	}
	others := below(value[n-8:])
	for i := 8; i < n; i += 8 {
		others |= below(value[i-8:])
	}
	return others == 0
}

// below has the highest bit of each byte set that is below '!', of the first eight
// of s; above such a one perhaps of others.
func below(s string) uint64 {
	w := word.Load(s)
	return (w - '!'*word.Each) &^ w & (0x80 * word.Each)
}

// append appends one line name:value for every signed header, in the order of
// the list, values trimmed, or collapsed. A header with several values has one
// line for each, sorted, as the SDK-* and V11 schemes have it
// (docs/protocols.md, SDK canonical headers), or one for all, joined with ','
// in the order received, as SigV4 has. An empty line and the list follow.
func (h *headers) append(dst []byte, joined, collapses bool) []byte {
	all := h.whitespace(collapses)
	for i := range h.lines {
		line := &h.lines[i]
		values, space := line.values, all
		if len(values) > 1 {
			values, space = several(values, joined, space), keep
		}
		for _, value := range values {
			dst = append(append(dst, line.name...), ':')
			dst = append(appendValue(dst, value, space), '\n')
		}
	}
	return AppendLine(append(dst, '\n'), h.list)
}

// appendField appends one line.
func appendField(dst []byte, name, value string) []byte {
	return append(append(append(append(dst, name...), ':'), value...), '\n')
}

// several returns the values of one header, joined to one or sorted.
func several(values []string, joined bool, space whitespace) []string {
	values = slices.Clone(values)
	for i, value := range values {
		values[i] = string(appendValue(nil, value, space))
	}
	if joined {
		return []string{strings.Join(values, ",")}
	}
	slices.Sort(values)
	return values
}

func appendValue(dst []byte, value string, space whitespace) []byte {
	switch space {
	case trim:
		value = Trim(value)
	case collapse:
		return appendCollapsed(dst, Trim(value))
	}
	return append(dst, value...)
}

// appendCollapsed appends a trimmed value with every run of spaces and tabs as
// one space. Runs inside quoted strings are collapsed as well: signers do.
func appendCollapsed(dst []byte, value string) []byte {
	blank := false
	for i := 0; i < len(value); i++ {
		if b := value[i]; b != ' ' && b != '\t' {
			dst = append(dst, b)
			blank = false
		} else if !blank {
			dst = append(dst, ' ')
			blank = true
		}
	}
	return dst
}

// Has reports whether r has a header, given by its lower-case name. A length of
// nothing is none.
func Has(r *http.Request, name string) bool {
	var one [1]string
	if name == "content-length" && r.ContentLength == 0 {
		return len(r.Header["Content-Length"]) > 0
	}
	return len(Values(r, name, &one)) > 0
}

// Values returns the values that r has for a header, given by its lower-case
// name, in the order received; none if it is absent. The host is r.Host, and
// the content length is r.ContentLength where the server took it off the
// header. The result may point to one, which saves an allocation, or into
// r.Header, and must not be changed.
func Values(r *http.Request, name string, one *[1]string) []string {
	switch name {
	case "host":
		if r.Host == "" {
			return nil
		}
		one[0] = r.Host
		return one[:]
	case "content-length":
		if values := r.Header["Content-Length"]; len(values) > 0 || r.ContentLength < 0 {
			return values
		}
		one[0] = strconv.FormatInt(r.ContentLength, 10)
		return one[:]
	}
	var buf [64]byte
	if len(name) > len(buf) {
		return r.Header[http.CanonicalHeaderKey(name)]
	}
	upper := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		buf[i] = c
		upper = c == '-'
	}
	return r.Header[string(buf[:len(name)])]
}

// Trim cuts spaces and tabs off both ends: the white space that HTTP allows
// around a field value (RFC 9110 section 5.5), and no other.
func Trim(s string) string { return authorization.Trim(s) }
