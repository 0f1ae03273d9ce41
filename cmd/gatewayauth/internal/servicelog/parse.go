package servicelog

import (
	"slices"
	"strings"
	"time"
)

// Form is the format of a line.
type Form int

// The formats of lines.
const (
	Neither Form = iota
	JSON
	Text // key=value
)

// parsed is the result of parsing a text.
type parsed struct {
	form    Form
	records []Record
	unclear string // why the text may have records that cannot be parsed
	cut     bool   // the text ends within a value
	broken  bool   // the text is cut, or not JSON
	part    *part  // set for an envelope of Docker's json-file
}

// part is a line, or a part of one, that Docker read from a stream.
type part struct{ stream, text string }

// counted returns the number of records that are counted. A part of a record can look like
// one that is not.
func (p *parsed) counted() (n int) {
	for _, r := range p.records {
		if r.Kind != Other {
			n++
		}
	}
	return n
}

func (p *parsed) add(other parsed) {
	p.records = append(p.records, other.records...)
	if p.unclear == "" {
		p.unclear = other.unclear
	}
	p.cut, p.broken = p.cut || other.cut, p.broken || other.broken
}

// maxWraps is the largest number of envelopes around a record.
const maxWraps = 6

// parse returns the records in a text: those in JSON after any other text, or one in
// key=value. at is the time of the envelope.
func parse(text string, at time.Time, wraps int) parsed {
	text = clean(text)
	if text == "" {
		return parsed{}
	}
	i := opening(text, true)
	if i < 0 {
		return parseText(text, at)
	}
	if i > 0 {
		// The JSON may be the value of a field of a record in key=value.
		if fields, _, _ := pairs(text[:i]); len(fields) > 1 {
			if p := parseText(text, at); len(p.records) > 0 {
				return p
			}
		}
	}
	p := parseJSON(text, at, wraps)
	if len(p.records) == 0 && p.unclear == "" && mentionsRefusal(text) {
		p.unclear = "it has a message of a verifier, in an unknown envelope"
	}
	return p
}

// parseText parses key=value.
func parseText(text string, at time.Time) (p parsed) {
	fields, head, cut := pairs(text)
	if len(fields) > 1 {
		p.form = Text
	}
	o := object{fields: fields, head: head, time: at}
	p.records, p.unclear = o.records()
	p.cut = cut && len(fields) > 0
	p.broken = p.cut
	switch {
	case len(p.records) > 0 || p.unclear != "":
	case mentionsRefusal(text) || endsInMessage(text):
		p.unclear = "it has a message of a verifier, in an unknown format"
	case p.cut:
		p.unclear = "it ends within a value"
	case head == "" && len(fields) > 0 && !slices.ContainsFunc(fields, func(f field) bool { return f.name != "time" && f.name != "level" }):
		p.unclear = "it ends before its message"
	}
	return p
}

// parseJSON parses the JSON values in a line. The words before the first are its head.
func parseJSON(text string, at time.Time, wraps int) (p parsed) {
	head, found := "", false
	for start, tries := 0, 0; tries < 64; tries++ {
		i := opening(text[start:], start == 0)
		if i < 0 {
			return p
		}
		i += start
		n, length, err := decode(text[i:])
		switch {
		case err == nil:
			if p.form = JSON; !found {
				head, found = strings.TrimSpace(text[:i]), true
			}
			inner := n.find(object{head: head, time: at}, wraps)
			p.add(inner)
			p.part = inner.part
			start = i + length
		case incomplete(err) || err == errNesting || i == 0:
			p.form, p.cut, p.broken = JSON, incomplete(err), true
			if p.unclear == "" {
				p.unclear = "it is JSON that is cut or malformed"
			}
			return p
		default:
			start = i + 1
		}
	}
	return p
}

// opening returns the index of the first JSON object. At the start of a line it also
// accepts a list of objects or a string.
func opening(text string, first bool) int {
	if first && (text[0] == '[' || text[0] == '"') {
		n, length, err := decode(text)
		switch {
		case err == nil && n.quoted && length == len(text):
			return 0
		case err == nil && len(n.items) > 0 && !n.items[0].scalar:
			return 0
		case strings.HasPrefix(strings.TrimLeft(text[1:], " \t\n[{"), `"`) && text[0] == '[':
			return 0
		}
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '{' && strings.HasPrefix(strings.TrimLeft(text[i+1:], " \t\r\n"), `"`) {
			return i
		}
	}
	return -1
}

// wrappers are the members in which collectors put the original line.
var wrappers = []string{"log", "message", "msg", "MESSAGE", "line", "textPayload", "content", "event", "raw", "_raw"}

// find returns the records in a JSON value: the object itself, with the objects in it as
// groups. If that is no record, it searches the lists and strings of the object, because
// each string may be the line that an envelope wraps.
func (n node) find(around object, wraps int) (p parsed) {
	p.form = JSON
	if wraps >= maxWraps {
		p.unclear = "there are too many envelopes around it"
		return p
	}
	o := object{head: around.head, time: around.time}
	var lists, texts []member
	n.flatten("", &o, &lists, &texts)
	suspicion := ""
	if len(n.members) > 0 {
		if p.records, suspicion = o.records(); len(p.records) > 0 {
			return p
		}
	}
	at := o.when()
	for _, list := range lists {
		for _, item := range list.value.items {
			p.add(item.find(object{time: at}, wraps+1))
		}
	}
	for _, t := range texts {
		inner := parse(t.value.text, at, wraps+1)
		if inner.broken && !slices.Contains(wrappers, t.name) && !mentionsRefusal(t.value.text) {
			inner.unclear, inner.cut, inner.broken = "", false, false // the string is a text of the application
		}
		p.add(inner)
	}
	if len(p.records) == 0 && p.unclear == "" {
		p.unclear = suspicion
	}
	p.part = n.part()
	return p
}

// part returns the line in an envelope of Docker's json-file, or nil.
func (n node) part() *part {
	var p part
	for _, m := range n.members {
		switch {
		case m.name == "log" && m.value.quoted:
			p.text = m.value.text
		case m.name == "stream" && m.value.quoted:
			p.stream = m.value.text
		}
	}
	if p.text == "" || p.stream == "" {
		return nil
	}
	return &p
}

// flatten collects the scalars of an object and of the objects in it, its lists, and the
// strings that may be a wrapped line.
func (n node) flatten(group string, o *object, lists, texts *[]member) {
	switch {
	case n.quoted:
		*texts = append(*texts, member{"", n})
	case n.items != nil:
		*lists = append(*lists, member{"", n})
	}
	for _, m := range n.members {
		v := m.value
		switch {
		case v.scalar:
			o.fields = append(o.fields, named(group, m.name, v.text))
			if v.quoted && (strings.ContainsAny(v.text, "{=") || slices.Contains(wrappers, m.name)) {
				*texts = append(*texts, m)
			}
		case v.members != nil:
			v.flatten(join(group, m.name), o, lists, texts)
		case v.items != nil:
			if text, ok := v.bytesOf(); ok {
				*texts = append(*texts, member{m.name, node{text: text, scalar: true, quoted: true}})
				continue
			}
			*lists = append(*lists, m)
		case v.null && m.name == missing:
			o.fields = append(o.fields, field{"", missing, ""})
		}
	}
}

// missing is the field of journald's message. It is null if journalctl omitted a long
// message.
const missing = "MESSAGE"

// endsInMessage reports whether a line ends within a message of a refusal.
func endsInMessage(text string) bool {
	for _, m := range refusals {
		for n := len("request w"); n < len(m); n++ {
			if strings.HasSuffix(text, " "+m[:n]) || strings.HasSuffix(text, `"`+m[:n]) {
				return true
			}
		}
	}
	return false
}
