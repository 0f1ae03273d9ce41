package servicelog

import (
	"regexp"
	"strings"
	"time"
)

// held is a line, or a part of one, that is kept until the following lines are read.
type held struct {
	number int64
	text   string
}

type dockerLine struct {
	parts []held
	size  int
}

// runtimeForm matches a line of a Kubernetes container runtime. P marks a part of a line.
var runtimeForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+ (stdout|stderr) ([PF])(?::[^ ]*)? ((?s).*)$`)

// join handles a line of Kubernetes, or a part of one.
func (r *reader) join(stream string, next held, goesOn bool) {
	h, was := r.pending[stream]
	if !was {
		h.number = next.number
	}
	h.text += next.text
	if goesOn && len(h.text) <= maxJoined && (was || len(r.pending) < maxStreams) {
		r.pending[stream] = h
		return
	}
	delete(r.pending, stream)
	r.report(h.number, parse(h.text, time.Time{}, 0))
}

// dockerPart handles an entry of Docker's json-file without a line break, or one that
// ends such a line. Docker omits the line break if the line continues in the next entry.
// Collectors omit it too, so the entry may also be a complete line.
func (r *reader) dockerPart(stream string, next held) {
	l, more := r.docker[stream]
	l.parts = append(l.parts, next)
	l.size += len(next.text)
	ended := strings.HasSuffix(next.text, "\n")
	if !ended && l.size <= maxJoined && (more || len(r.docker) < maxStreams) {
		r.docker[stream] = l
		return
	}
	delete(r.docker, stream)
	r.reportParts(l.parts, ended)
}

// reportParts reports entries as one line if the last one ends a line and joining them
// loses no records, and otherwise as separate lines.
func (r *reader) reportParts(parts []held, ended bool) {
	var whole strings.Builder
	var single []parsed
	records := 0
	for _, h := range parts {
		p := parse(h.text, time.Time{}, 0)
		single = append(single, p)
		records += p.counted()
		whole.WriteString(h.text)
	}
	if p := parse(whole.String(), time.Time{}, 0); ended && p.counted() >= records && p.unclear == "" {
		r.report(parts[0].number, p)
		return
	}
	for i, h := range parts {
		r.report(h.number, single[i])
	}
}

// collect handles a line of a document of several lines.
func (r *reader) collect(text string) {
	if r.document == nil {
		r.size, r.nesting = 0, nesting{}
	}
	r.document = append(r.document, held{r.number, text})
	r.size += len(text)
	r.nesting.line(text)
	switch {
	case r.nesting.broken || r.size > maxDocument:
		r.giveUp()
	case r.nesting.depth == 0:
		var whole strings.Builder
		for _, h := range r.document {
			whole.WriteString(h.text + "\n")
		}
		number := r.document[0].number
		r.document = nil
		r.report(number, parse(whole.String(), time.Time{}, 0))
	}
}

// giveUp reports the lines of an unfinished document as separate lines.
func (r *reader) giveUp() {
	lines := r.document
	r.document = nil
	for i, h := range lines {
		if i > 0 {
			r.single(h.number, strings.TrimSuffix(h.text, ","), false)
			continue
		}
		l := Line{Number: h.number}
		if len(lines) > 1 && strings.IndexByte("\"{[", lines[1].text[0]) >= 0 {
			l.Unclear = "a JSON document starts here and has no end or is too large; `jq -c` prints one record per line"
		}
		r.each(l)
	}
}

// nesting counts the brackets of JSON over several lines.
type nesting struct {
	depth  int
	broken bool // a string does not end on its line
}

func (n *nesting) line(text string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			n.depth++
		case c == '}' || c == ']':
			n.depth--
		}
	}
	n.broken = quoted || n.depth < 0
}
