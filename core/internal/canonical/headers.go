package canonical

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// headers are the signed headers of one request, in the order of their list.
type headers struct {
	reading
	room []Line
	text []byte // the lines and the list, where plain is set

	known  string // the list that was remembered
	listed int    // how many names it has
	usual  []Line // none at 0, then those, and the header with the credential
	index  index  // of the names
	misses int    // accepted requests in a row that had another list
}

// reading is what is of one request.
type reading struct {
	foundOf *http.Request // whose headers were gone over, with what was found in usual
	of      *http.Request // whose headers were read; nil when they were not
	list    string
	lines   []Line    // in room, or usual
	plain   bool      // each header has one value, which no form would change
	seen    content   // of all other values
	host    [1]string // what the values of host point to
	size    [1]string // and those of content-length
}

// A Line is a signed header, or that with the credential.
type Line struct {
	name   string   // empty for the credential's
	field  string   // the same, as [http.Header] has it; empty for what stands elsewhere as well
	Values []string // as received; not to be changed
	Kind   uint8    // what its user knows about the name
}

// read finds the values of all headers in the list.
func (h *headers) read(r *http.Request, list string) error {
	if h.of == r && h.list == list {
		return nil
	}
	h.choose(r, list)
	for i := range h.lines {
		if !h.add(r, &h.lines[i]) {
			return ErrHeaderAbsent
		}
	}
	h.of, h.list = r, list
	h.text = AppendLine(append(h.text, '\n'), list)
	return nil
}

// choose sets the lines of a list.
func (h *headers) choose(r *http.Request, list string) {
	if h.lines != nil {
		h.forget()
	}
	h.text, h.plain = h.text[:0], true
	if list != h.known {
		h.split(list)
		return
	}
	if h.foundOf != r {
		h.foundOf = nil
		h.unfind()
	}
	h.lines = h.usual[1 : 1+h.listed]
}

// split makes lines of a list that is not remembered.
func (h *headers) split(list string) {
	for rest, more := list, list != ""; more; {
		var name string
		name, rest, more = authorization.CutByte(rest, ';')
		h.room = append(h.room, Line{name: name})
		if !isVisible(name) {
			h.look([]string{name})
		}
	}
	h.lines = h.room
}

// add writes a line, and finds its values where that was not done on the way.
func (h *headers) add(r *http.Request, line *Line) bool {
	if (line.field == "" || len(line.Values) == 0) && !h.find(r, line) {
		return false
	}
	value := line.Values[0]
	if len(line.Values) > 1 || !isVisible(value) {
		h.look(line.Values)
	}
	h.text = appendField(h.text, line.name, value)
	return true
}

// look sees what makes the lines of a header depend on the form.
func (h *headers) look(values []string) {
	var seen content
	for _, value := range values {
		seen |= contentOf(value)
	}
	h.seen |= seen
	h.plain = h.plain && seen == 0 && len(values) == 1
}

// find looks for the values of a line in r.
func (h *headers) find(r *http.Request, line *Line) bool {
	switch {
	case line.name == "host":
		line.Values = Values(r, line.name, &h.host)
	case line.name == "content-length":
		line.Values = Values(r, line.name, &h.size)
	case line.field != "":
		line.Values = r.Header[line.field]
	default:
		line.Values = Values(r, line.name, nil)
	}
	return len(line.Values) > 0
}

// forget drops what was read.
func (h *headers) forget() {
	clear(h.room)
	h.room, h.reading = h.room[:0], reading{foundOf: h.foundOf}
}

// end drops the request, so that no other one can be taken for it. (It is not
// inlined for the same reason as usually.)
//
//go:noinline
func (h *headers) end() {
	if len(h.room) > 0 {
		h.forget()
	}
	h.reading = reading{}
	h.unfind()
}

func (h *headers) unfind() {
	for i := range h.usual {
		h.usual[i].Values = nil
	}
}

const credentialField = "Authorization"

// remember keeps the list if it was read last.
func (h *headers) remember(list string, kindOf func(field string) uint8) {
	if h.of == nil || h.list != list {
		return
	}
	h.known, h.misses, h.foundOf, h.usual = list, 0, nil, make([]Line, 1)
	for name := range strings.SplitSeq(h.known, ";") {
		line := Line{name: name}
		if name != "host" && name != "content-length" {
			line.field = http.CanonicalHeaderKey(name)
			line.Kind = kindOf(line.field)
		}
		h.usual = append(h.usual, line)
	}
	h.listed = len(h.usual) - 1
	h.usual = append(h.usual, Line{field: credentialField, Kind: kindOf(credentialField)})
	h.index = newIndex(h.usual)
}

// usually returns the line of a name, in lower case or as [http.Header] has it, in
// the list that is remembered; that or any other, where it is not found at once.
// The name is not empty. Inlined everywhere, it would cost more room in the
// instruction cache than the calls cost time.
//
//go:noinline
func (h *headers) usually(name string) *Line { return &h.usual[h.index.lines[h.index.place(name)]] }

// index tells at once which of a few names one could be.
type index struct {
	factor uint32
	lines  [64]uint8 // by place: the index of the line, 0 for none
	all    bool      // each line has a place of its own
}

// newIndex looks for places that tell the names apart. Some cannot be, and then
// not all names have one.
func newIndex(lines []Line) (x index) {
	for try := uint32(0); try < 32 && !x.all; try++ {
		x = index{factor: 0x9e3779b1 * (2*try + 1), all: true}
		for i := 1; i < len(lines); i++ {
			place := &x.lines[x.place(cmp.Or(lines[i].name, lines[i].field))]
			if *place > 0 || i > 255 {
				x.all = false
				continue
			}
			*place = uint8(i)
		}
	}
	return x
}

// place is that of a name that is not empty, in any case.
func (x *index) place(name string) uint32 {
	const lower = 'a' - 'A'
	n := uint(len(name))
	return (uint32(n)<<16 | uint32(name[n/4]|lower)<<8 | uint32(name[n-1]|lower)) * x.factor >> 26
}
