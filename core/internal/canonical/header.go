package canonical

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// AppendHeaders appends one line name:value for every value of every header in
// signedHeaders (lower case, joined with ';'), in the order of the list, as the
// SDK-* and V11 schemes have it: values trimmed of spaces and tabs at both
// ends, runs of white space inside made one space if collapsed is set, several
// values of one header sorted (PROTOCOLS sections 1.1 and 1.2).
func AppendHeaders(dst []byte, r *http.Request, signedHeaders string, collapsed bool) ([]byte, error) {
	if signedHeaders == "" {
		return dst, nil
	}
	form := Trim
	if collapsed {
		form = collapse
	}
	for name := range strings.SplitSeq(signedHeaders, ";") {
		var one [1]string
		values := Values(r, name, &one)
		if len(values) == 0 {
			return dst, ErrHeaderAbsent
		}
		if len(values) > 1 {
			values = slices.Clone(values)
			for i := range values {
				values[i] = form(values[i])
			}
			slices.Sort(values)
		}
		for _, value := range values {
			if strings.ContainsAny(value, "\r\n\x00") {
				return dst, ErrHeaderValue
			}
			dst = append(dst, name...)
			dst = append(dst, ':')
			dst = append(dst, form(value)...)
			dst = append(dst, '\n')
		}
	}
	return dst, nil
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
func Trim(s string) string { return strings.Trim(s, " \t") }
