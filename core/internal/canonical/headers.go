package canonical

import "net/http"

// headers are the signed headers of one request, in the order of their list.
type headers struct {
	of    *http.Request // whose headers were read; nil when none were
	list  string
	lines []line
	text  []byte    // the lines and the list, where plain is set
	plain bool      // each header has one value, which no form would change
	seen  content   // of all other values
	host  [1]string // what the values of host point to
	size  [1]string // and those of content-length
	split SignedHeaders
}

// A line is a signed header of a request.
type line struct {
	name   string
	values []string // as received; not to be changed
}

// readText is read for a list that was not split yet.
func (h *headers) readText(r *http.Request, list string) error {
	if h.of == r && h.list == list {
		return nil
	}
	h.split.Split(list)
	return h.read(r, &h.split)
}

// read finds the values of all headers in the list.
func (h *headers) read(r *http.Request, list *SignedHeaders) error {
	h.of, h.lines, h.text, h.plain, h.seen = nil, h.lines[:0], h.text[:0], true, 0
	for i := range list.Names {
		name := &list.Names[i]
		var values []string
		switch {
		case name.Field != "":
			values = r.Header[name.Field]
		case name.Name == "host":
			values = Values(r, "host", &h.host)
		case name.Name == "content-length":
			values = Values(r, "content-length", &h.size)
		default:
			values = Values(r, name.Name, nil)
			h.look(name.Name)
		}
		if len(values) == 0 {
			return ErrHeaderAbsent
		}
		for _, value := range values {
			h.look(value)
		}
		h.plain = h.plain && len(values) == 1
		h.lines = append(h.lines, line{name.Name, values})
		h.text = appendField(h.text, name.Name, values[0])
	}
	h.text = AppendLine(append(h.text, '\n'), list.Text)
	h.of, h.list = r, list.Text
	return nil
}

// look notes what makes the form of a value matter.
func (h *headers) look(value string) {
	if !isVisible(value) {
		seen := contentOf(value)
		h.seen |= seen
		h.plain = h.plain && seen == 0
	}
}

// reset drops the request, so that no other one can be taken for it.
func (h *headers) reset() {
	clear(h.lines[:cap(h.lines)]) // also what an earlier list of the request has left
	clear(h.split.Names[:cap(h.split.Names)])
	h.of, h.list, h.lines, h.text, h.plain, h.seen = nil, "", h.lines[:0], h.text[:0], false, 0
	h.host[0], h.size[0], h.split.Text, h.split.Names = "", "", "", h.split.Names[:0]
}
