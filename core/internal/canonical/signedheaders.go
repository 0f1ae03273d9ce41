package canonical

import (
	"net/http"
	"strings"
)

// SignedHeaders is a list of signed headers and the names in it.
type SignedHeaders struct {
	Text  string // as presented: in lower case and joined with ';'
	Names []HeaderName
}

// A HeaderName is one name of the list.
type HeaderName struct {
	Name string
	// Field is the name as [http.Header] has it. It is empty where that is not known,
	// and for host and content-length, which stand elsewhere in a request.
	Field string
}

// Split reads a list. It uses the memory of the names that s holds.
func (s *SignedHeaders) Split(text string) {
	s.Text, s.Names = text, s.Names[:0]
	if text == "" {
		return
	}
	for name := range strings.SplitSeq(text, ";") {
		s.Names = append(s.Names, HeaderName{Name: name})
	}
}

// Clone returns a copy of s which shares no memory with a request, and in which
// fields are known.
func (s *SignedHeaders) Clone() SignedHeaders {
	copied := SignedHeaders{Names: make([]HeaderName, 0, len(s.Names))}
	copied.Split(strings.Clone(s.Text))
	for i := range copied.Names {
		if n := &copied.Names[i]; n.Name != "host" && n.Name != "content-length" {
			n.Field = http.CanonicalHeaderKey(n.Name)
		}
	}
	return copied
}
