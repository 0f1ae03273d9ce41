package canonical

import (
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// headers are the signed headers of one request, in the order of their list.
type headers struct {
	of    *http.Request // whose they are; nil when they were not read
	list  string
	lines []Line // in room, or usual
	room  []Line
	host  [1]string // what the values of host point to
	size  [1]string // and those of content-length

	known  string // the list that was remembered, and its names
	names  []string
	fields []string // the same, as [http.Header] has them; empty for those that it has not

	usual   []Line        // those of the names
	foundOf *http.Request // whose headers were gone over, with what was found in usual
}

// A Line is a signed header.
type Line struct {
	name   string
	Values []string // as received; not to be changed
}

// read finds the values of all headers in the list.
func (h *headers) read(r *http.Request, list string) error {
	if h.of == r && h.list == list {
		return nil
	}
	h.forget()
	if list == h.known {
		if h.foundOf != r {
			h.unfind()
		}
		h.lines = h.usual
		for i := range h.lines {
			line := &h.lines[i]
			if len(line.Values) == 0 { // not everything is found on the way
				line.Values = h.find(r, line.name, h.fields[i])
			}
			if len(line.Values) == 0 {
				return ErrHeaderAbsent
			}
		}
	} else {
		h.lines = h.room[:0]
		for rest, more := list, list != ""; more; {
			var name string
			name, rest, more = authorization.CutByte(rest, ';')
			values := h.find(r, name, "")
			if len(values) == 0 {
				return ErrHeaderAbsent
			}
			h.lines = append(h.lines, Line{name, values})
			h.room = h.lines
		}
	}
	h.of, h.list = r, list
	return nil
}

func (h *headers) find(r *http.Request, name, field string) []string {
	switch {
	case name == "host":
		return Values(r, name, &h.host)
	case name == "content-length":
		return Values(r, name, &h.size)
	case field != "":
		return r.Header[field]
	}
	return Values(r, name, nil)
}

// forget drops what was read.
func (h *headers) forget() {
	clear(h.room)
	h.of, h.list, h.lines, h.room = nil, "", nil, h.room[:0]
	h.host, h.size = [1]string{}, [1]string{}
}

// end drops the request, so that no other one can be taken for it.
func (h *headers) end() {
	h.forget()
	h.unfind()
}

func (h *headers) unfind() {
	h.foundOf = nil
	for i := range h.usual {
		h.usual[i].Values = nil
	}
}

// remember keeps the list if it was read last.
func (h *headers) remember(list string) {
	const most = 512
	if h.of == nil || h.list != list || list == h.known || len(list) > most {
		return
	}
	h.known = strings.Clone(h.list) // a copy: the list is part of a request
	h.names = strings.Split(h.known, ";")
	h.foundOf, h.usual = nil, make([]Line, len(h.names))
	h.fields = make([]string, len(h.names))
	for i, name := range h.names {
		h.usual[i].name = name
		if name != "host" && name != "content-length" {
			h.fields[i] = http.CanonicalHeaderKey(name)
		}
	}
}
