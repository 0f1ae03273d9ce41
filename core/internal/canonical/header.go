package canonical

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// appendSorted appends one line name:value for every value of every signed
// header, in the order of the list, as the SDK-* and V11 schemes have it: values
// trimmed of spaces and tabs at both ends, runs of white space inside made one
// space if collapsed is set, several values of one header sorted (PROTOCOLS
// sections 1.1 and 1.2).
func (h *headers) appendSorted(dst []byte, collapsed bool) ([]byte, error) {
	form := Trim
	if collapsed {
		form = collapse
	}
	start, lines := len(dst), 0
	for _, line := range h.lines {
		values := line.Values
		if len(values) > 1 {
			values = slices.Clone(values)
			for i := range values {
				values[i] = form(values[i])
			}
			slices.Sort(values)
		}
		for _, value := range values {
			dst = append(dst, line.name...)
			dst = append(dst, ':')
			dst = append(dst, form(value)...)
			dst = append(dst, '\n')
		}
		lines += len(values)
	}
	return dst, checkLines(dst[start:], lines)
}

// appendJoined appends one line name:value for every signed header, in the order
// of the list, as SigV4 has it: values trimmed, runs of spaces and tabs inside
// them collapsed to one space, several values of one header joined with ',' in
// the order received.
func (h *headers) appendJoined(dst []byte) ([]byte, error) {
	start := len(dst)
	for _, line := range h.lines {
		dst = append(dst, line.name...)
		dst = append(dst, ':')
		for i, value := range line.Values {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendCollapsed(dst, Trim(value))
		}
		dst = append(dst, '\n')
	}
	return dst, checkLines(dst[start:], len(h.lines))
}

// checkLines refuses header lines whose values hold what no server lets into one,
// and would end a line.
func checkLines(text []byte, lines int) error {
	if bytes.Count(text, []byte{'\n'}) != lines || bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, 0) >= 0 {
		return ErrHeaderValue
	}
	return nil
}

// collapse trims a value and makes one space of every run of white space inside.
func collapse(value string) string {
	value = Trim(value)
	if strings.IndexByte(value, '\t') < 0 && !strings.Contains(value, "  ") {
		return value
	}
	return string(appendCollapsed(nil, value))
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
