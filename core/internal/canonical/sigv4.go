package canonical

import (
	"net/http"
	"slices"
	"strings"
)

// SigV4 says how a canonical request of SigV4 differs from request to request
// (PROTOCOLS section 2).
type SigV4 struct {
	// SignedHeaders and Payload are the last two lines.
	SignedHeaders, Payload string
	// Path is the rule for the path.
	Path SigV4Path
	// Without is the decoded name of a parameter that is left out of the query:
	// the signature, where it stands there.
	Without string
}

// BuildSigV4 builds the canonical request of SigV4 and SigV4a into m.Request:
//
//	METHOD \n path \n query \n headers \n SignedHeaders \n payload
func (m *Message) BuildSigV4(r *http.Request, s SigV4) error {
	path, query := Target(r)
	if err := s.Path.Check(path); err != nil {
		return err
	}
	b := append(m.Request[:0], r.Method...)
	b = append(b, '\n')
	b = s.Path.Append(b, path)
	b = append(b, '\n')
	if err := m.query.Parse(query); err != nil {
		return err
	}
	if s.Without != "" {
		m.query.Drop(s.Without)
	}
	b = m.query.Append(b, ByEncoded)
	b = append(b, '\n')
	b, err := AppendJoinedHeaders(b, r, s.SignedHeaders)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	b = append(b, s.SignedHeaders...)
	b = append(b, '\n')
	m.Request = append(b, s.Payload...)
	return nil
}

// Drop removes every parameter with a name, which consists of unreserved
// characters: those look alike decoded and encoded.
func (q *Query) Drop(name string) {
	q.pairs = slices.DeleteFunc(q.pairs, func(p pair) bool { return string(q.text[p.start:p.name]) == name })
}

// AppendJoinedHeaders appends one line name:value for every header in
// signedHeaders (lower case, joined with ';'), in the order of the list, as
// SigV4 has it: values trimmed, runs of spaces and tabs inside them collapsed
// to one space, several values of one header joined with ',' in the order
// received.
func AppendJoinedHeaders(dst []byte, r *http.Request, signedHeaders string) ([]byte, error) {
	if signedHeaders == "" {
		return dst, nil
	}
	for name := range strings.SplitSeq(signedHeaders, ";") {
		var one [1]string
		values := Values(r, name, &one)
		if len(values) == 0 {
			return dst, ErrHeaderAbsent
		}
		dst = append(dst, name...)
		dst = append(dst, ':')
		for i, value := range values {
			if strings.ContainsAny(value, "\r\n\x00") {
				return dst, ErrHeaderValue
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendCollapsed(dst, Trim(value))
		}
		dst = append(dst, '\n')
	}
	return dst, nil
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
