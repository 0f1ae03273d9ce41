// Package servicelog extracts the records of a verifier from the log of a service. It
// reads the output of slog's handlers in JSON and in text, with renamed fields or fields
// in groups, and as wrapped by container runtimes and log collectors.
//
// It recognizes records by the fields of core.Event. It reports a line that may be a
// record but cannot be parsed, so that a log that was not understood does not look like
// one without refusals.
package servicelog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	maxLine     = 16 << 20
	maxDocument = 16 << 20
	maxJoined   = 1 << 20
	maxStreams  = 1000
)

// A Line is one line of a log, or one document of several lines.
type Line struct {
	Number  int64 // the number of the first line, from 1
	Form    Form
	Records []Record
	// Unclear says why the line may have records that cannot be parsed. It is "" if the
	// line was parsed, and if it is not a verifier's.
	Unclear string
}

// First returns the first record of a request in a text, if there is one. more is true if
// there are others.
func First(text string) (r Record, more, found bool) {
	n := 0
	err := Read(strings.NewReader(text), func(l Line) {
		for _, one := range l.Records {
			switch one.Kind {
			case Accepted, Open, WouldRefuse, Refused:
				if n++; n == 1 {
					r = one
				}
			}
		}
	})
	return r, n > 1, err == nil && n > 0
}

// Read calls each with every line of a log that is not blank. It returns an error if the
// log is not text.
func Read(in io.Reader, each func(Line)) error {
	r := &reader{in: bufio.NewReaderSize(in, 64<<10), each: each, pending: map[string]held{}, docker: map[string]dockerLine{}}
	if err := r.binary(); err != nil {
		return err
	}
	for {
		line, err := r.line()
		if len(line) > 0 {
			r.take(string(line), err != nil)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	r.giveUp()
	for _, h := range r.pending {
		r.report(h.number, parse(h.text, time.Time{}, 0))
	}
	for _, l := range r.docker {
		r.reportParts(l.parts, false)
	}
	return nil
}

// reader joins the parts of lines and of documents.
type reader struct {
	in      *bufio.Reader
	each    func(Line)
	number  int64
	long    bool                  // the last line was longer than maxLine
	pending map[string]held       // unfinished lines of Kubernetes, by stream
	docker  map[string]dockerLine // unfinished entries of Docker, by stream

	// A document of several lines, from an opening bracket alone on its line to the
	// closing one.
	document []held
	size     int
	nesting  nesting
}

// formats are binary formats, recognized by their first bytes.
var formats = []struct{ magic, advice string }{
	{"\x1f\x8b", "it is compressed with gzip: use the output of `zcat`"},
	{"\x28\xb5\x2f\xfd", "it is compressed with zstd: use the output of `zstdcat`"},
	{"\xfd7zXZ\x00", "it is compressed with xz: use the output of `xzcat`"},
	{"BZh", "it is compressed with bzip2: use the output of `bzcat`"},
	{"PK\x03\x04", "it is a zip archive: unpack it"},
	{"LPKSHHRH", "it is a systemd journal: use the output of `journalctl -o cat --all`"},
	{"\xff\xfe", "it is UTF-16: convert it to UTF-8"},
	{"\xfe\xff", "it is UTF-16: convert it to UTF-8"},
}

func (r *reader) binary() error {
	start, _ := r.in.Peek(8)
	for _, f := range formats {
		if bytes.HasPrefix(start, []byte(f.magic)) {
			return errors.New(f.advice)
		}
	}
	return nil
}

// line returns the next line, cut to maxLine.
func (r *reader) line() (line []byte, err error) {
	r.number++
	r.long = false
	for {
		part, err := r.in.ReadSlice('\n')
		if room := maxLine - len(line); len(part) > room {
			part, r.long = part[:room], true
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// take handles one line. last is true if the line has no line break.
func (r *reader) take(line string, last bool) {
	text := clean(line)
	switch {
	case text == "":
	case r.long:
		r.each(Line{Number: r.number, Unclear: fmt.Sprintf("the line is longer than %d MiB", maxLine>>20)})
	case r.document != nil || text == "{" || text == "[":
		r.collect(text)
	default:
		if part := runtimeForm.FindStringSubmatch(strings.TrimRight(line, "\r\n")); part != nil {
			r.join(part[1], held{r.number, part[3]}, part[2] == "P")
			return
		}
		r.single(r.number, text, last && !strings.HasSuffix(line, "\n"))
	}
}

// single reports one line that is complete.
func (r *reader) single(number int64, text string, unended bool) {
	p := parse(text, time.Time{}, 0)
	if p.part != nil && !(strings.HasSuffix(p.part.text, "\n") && len(r.docker[p.part.stream].parts) == 0) {
		r.dockerPart(p.part.stream, held{number, p.part.text})
		return
	}
	if unended && p.form != JSON && p.unclear == "" {
		p.unclear = cutAtTheEnd(text, p.records)
	}
	r.report(number, p)
}

// cutAtTheEnd says why the last line of a log, if it has no line break, may be cut: a
// record in key=value may lack fields, or a number some digits. A record with a remote
// address is complete, because that field comes after all the others that matter.
func cutAtTheEnd(text string, records []Record) string {
	for _, r := range records {
		if r.Remote != "" || r.Kind == Started || r.Kind == Other {
			return ""
		}
	}
	fields, _, _ := pairs(text)
	if i := dateForm.FindStringIndex(text); len(records)+len(fields) > 0 || i != nil && i[0] == 0 {
		return "the last line has no line break, and may be cut"
	}
	return ""
}

func (r *reader) report(number int64, p parsed) {
	r.each(Line{number, p.form, p.records, p.unclear})
}
