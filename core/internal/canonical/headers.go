package canonical

import (
	"net/http"
	"strings"
)

// headers are the signed headers of one request, in the order of their list.
type headers struct {
	of    *http.Request // whose they are; nil when they were not read
	list  string
	lines []line
	host  [1]string // what the values of host point to
	size  [1]string // and those of content-length

	known  string // the list that was remembered, and its names
	names  []string
	fields []string // the same, as [http.Header] has them
}

type line struct {
	name   string
	values []string // as received; not to be changed
}

// read finds the values of all headers in the list.
func (h *headers) read(r *http.Request, list string) error {
	if h.of == r && h.list == list {
		return nil
	}
	h.forget()
	if list == h.known {
		for i, name := range h.names {
			if err := h.add(name, h.find(r, name, h.fields[i])); err != nil {
				return err
			}
		}
	} else {
		for rest, more := list, list != ""; more; {
			var name string
			name, rest, more = cut(rest, ';')
			if err := h.add(name, h.find(r, name, "")); err != nil {
				return err
			}
		}
	}
	h.of, h.list = r, list
	return nil
}

func (h *headers) add(name string, values []string) error {
	if len(values) == 0 {
		return ErrHeaderAbsent
	}
	h.lines = append(h.lines, line{name, values})
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

// forget drops the request, so that no other one can be taken for it.
func (h *headers) forget() {
	clear(h.lines)
	h.of, h.list, h.lines = nil, "", h.lines[:0]
	h.host, h.size = [1]string{}, [1]string{}
}

// remember keeps the list that was read.
func (h *headers) remember() {
	const most = 512
	if h.of == nil || h.list == h.known || len(h.list) > most {
		return
	}
	h.known = strings.Clone(h.list) // a copy: the list is part of a request
	h.names = strings.Split(h.known, ";")
	h.fields = make([]string, len(h.names))
	for i, name := range h.names {
		h.fields[i] = http.CanonicalHeaderKey(name)
	}
}

// cut is [strings.Cut] for one byte.
func cut(s string, separator byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, separator); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
