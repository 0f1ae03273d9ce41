package gatewayauth_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A document is its sections, the hexadecimal numbers that were computed or read as input,
// and what was found wrong with it.
type document struct {
	sections []*section
	known    map[string]bool
	faults   []string
}

// A section is what stands under one heading. Its examples are the indented blocks that
// show concrete bytes; blocks that describe syntax are left out.
type section struct {
	*document
	heading, text string
	examples      []string
	read          int // how many examples were read
}

var (
	longHex = regexp.MustCompile(`\b[0-9a-f]{32,}\b`)
	syntax  = regexp.MustCompile(`<[a-z]|\bLF\b|HMAC\(|<=`)
)

func newDocument(text string) *document {
	d := &document{known: map[string]bool{}}
	headings := regexp.MustCompile(`(?m)^#+ (.+)\n`).FindAllStringSubmatchIndex(text, -1)
	for i, at := range headings {
		end := len(text)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		s := &section{document: d, heading: text[at[2]:at[3]], text: text[at[1]:end]}
		for _, example := range blocks(s.text) {
			if !syntax.MatchString(example) {
				s.examples = append(s.examples, example)
			}
		}
		d.sections = append(d.sections, s)
	}
	return d
}

func (d *document) section(heading string) *section {
	for _, s := range d.sections {
		if s.heading == heading {
			return s
		}
	}
	panic("there is no heading " + heading)
}

// check runs one check. What it cannot go on after, it panics with.
func (d *document) check(heading string, check func(*document, *section)) {
	defer func() {
		if problem := recover(); problem != nil {
			d.faults = append(d.faults, fmt.Sprintf("%s: %v", heading, problem))
		}
	}()
	check(d, d.section(heading))
}

func (s *section) faultf(format string, args ...any) {
	s.faults = append(s.faults, s.heading+": "+fmt.Sprintf(format, args...))
}

// requireAllRead finds the examples that no check has read, and the numbers that no check
// has computed.
func (d *document) requireAllRead() {
	for _, s := range d.sections {
		for _, example := range s.examples[s.read:] {
			s.faultf("no test reads the example\n%s", example)
		}
		for _, digits := range longHex.FindAllString(s.text, -1) {
			if !d.known[digits] {
				s.faultf("no computation leads to %s", digits)
			}
		}
	}
}

// blocks returns the blocks of text that are indented by four spaces or more, without the
// indentation. Lines that are empty belong to a block if it goes on behind them.
func blocks(text string) (found []string) {
	var current []string
	end := func() {
		if joined := strings.TrimRight(strings.Join(current, "\n"), "\n"); joined != "" {
			found = append(found, joined)
		}
		current = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case strings.HasPrefix(line, "    "):
			current = append(current, strings.TrimLeft(line, " "))
		case line == "" && current != nil:
			current = append(current, "")
		default:
			end()
		}
	}
	end()
	return found
}

// example returns the next example of the section.
func (s *section) example() string {
	if s.read == len(s.examples) {
		panic(fmt.Sprintf("there are only %d examples", s.read))
	}
	s.read++
	return s.examples[s.read-1]
}

// stringToSign returns the next example, a string to sign, and the values behind it.
func (s *section) stringToSign() (toSign string, values map[string]string) {
	toSign, rest, _ := strings.Cut(s.example(), "\n\n")
	return toSign, assignments(rest)
}

func assignments(text string) map[string]string {
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(.+?) += (\S+)$`).FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	return values
}

// quote returns text, which the section must have.
func (s *section) quote(text string) string {
	s.contains(s.text, text)
	for _, digits := range longHex.FindAllString(text, -1) {
		s.known[digits] = true
	}
	return text
}

// cells returns the cells of the row of a table that begins with name, without backquotes.
// A cell is one value.
func (s *section) cells(name string) (cells []string) {
	m := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + " \\| ((`[^`]+`( \\| )?)+) \\|$").FindStringSubmatch(s.text)
	if m == nil {
		panic(fmt.Sprintf("there is no row %q", name))
	}
	for cell := range strings.SplitSeq(m[1], " | ") {
		cells = append(cells, s.quote(strings.Trim(cell, "`")))
	}
	return cells
}

// value returns computed, which the section must have as a whole word.
func (s *section) value(what, computed string) string {
	if s.known[computed] = true; !slices.Contains(longHex.FindAllString(s.text, -1), computed) {
		s.faultf("the %s is %s, which does not stand there", what, computed)
	}
	return computed
}

func (s *section) equal(what, found, computed string) {
	if found != computed {
		s.faultf("the document says of the %s\n%s\nbut it is\n%s", what, found, computed)
	}
}

func (s *section) contains(text, part string) {
	if !strings.Contains(text, part) {
		s.faultf("no %q stands in\n%s", part, text)
	}
}

// payload: the last line of a canonical request is the digest of the body.
func (s *section) payload(canonical, computed string) {
	s.equal("payload line", canonical[strings.LastIndex(canonical, "\n")+1:], s.value("hash of the body", computed))
}

// An arrow is a line of an example: what is received, and its canonical form.
type arrow struct{ from, to string }

// arrows returns those of the next example. A line that begins with the arrow has another
// form of what is in front of the arrow above.
func arrows(s *section) (list []arrow) {
	from := ""
	for line := range strings.SplitSeq(s.example(), "\n") {
		m := regexp.MustCompile(`^(\S*) *-> (\S+)(?: +\([a-z ]+\))?$`).FindStringSubmatch(line)
		if m == nil {
			panic(fmt.Sprintf("%q is not an arrow between two forms", line))
		}
		if m[1] != "" {
			from = m[1]
		}
		list = append(list, arrow{from, m[2]})
	}
	return list
}
