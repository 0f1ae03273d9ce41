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
	Number  int64 // of the first line, from 1
	Form    Form
	Records []Record
	// Unclear says why the line may hold records that cannot be read; it is ""
	// for those that were read, and for those of somebody else.
	Unclear string
}

// First returns the first record of a request in a text, if there is one.
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

// Read calls each with every line of a log that is not blank. What is no text is
// an error.
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

// reader puts together what belongs together.
type reader struct {
	in      *bufio.Reader
	each    func(Line)
	number  int64
	long    bool                  // the last line was longer than maxLine
	pending map[string]held       // lines of Kubernetes that go on, by stream
	docker  map[string]dockerLine // entries of Docker that go on, by stream

	// A document of several lines, from a bracket that stands alone to its
	// counterpart.
	document []held
	size     int
	nesting  nesting
}

// formats are known by how they start.
var formats = []struct{ magic, advice string }{
	{"\x1f\x8b", "it is compressed with gzip: give what `zcat` prints"},
	{"\x28\xb5\x2f\xfd", "it is compressed with zstd: give what `zstdcat` prints"},
	{"\xfd7zXZ\x00", "it is compressed with xz: give what `xzcat` prints"},
	{"BZh", "it is compressed with bzip2: give what `bzcat` prints"},
	{"PK\x03\x04", "it is a zip archive: give what is in it"},
	{"LPKSHHRH", "it is a journal of systemd: give what `journalctl -o cat --all` prints"},
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

// line returns the next line, without what is beyond maxLine.
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

// take looks at one line; last is one that has no line break at its end.
func (r *reader) take(line string, last bool) {
	text := clean(line)
	switch {
	case text == "":
	case r.long:
		r.each(Line{Number: r.number, Unclear: fmt.Sprintf("it is longer than %d MiB", maxLine>>20)})
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

// single takes a line for itself.
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

// cutAtTheEnd says why the last line of a log may be cut, where it has no line
// break. A record in text may have lost fields, and a number digits; it is whole
// where the remote address is there, which comes after everything that counts.
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
