package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// printable quotes text that has control characters or invalid UTF-8, so that it
// cannot send escape sequences to a terminal.
func printable(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			quoted := strconv.Quote(text)
			return quoted[1 : len(quoted)-1]
		}
	}
	return text
}

// text returns the answer as plain text.
func (a *answer) text() string {
	var b strings.Builder
	for _, note := range a.Notes {
		fmt.Fprintf(&b, "note: %s\n", printable(note))
	}
	if a.Server != nil {
		fmt.Fprintf(&b, "refused: %s\n", a.Server)
		return b.String()
	}
	if e := a.Event; e != nil {
		fmt.Fprintf(&b, "%s: %s\n", cmp.Or(e.Code, a.Verdict), e.Meaning)
		for _, fact := range e.Facts {
			fmt.Fprintf(&b, "  %s\n", fact)
		}
		a.writeAdvice(&b)
		fmt.Fprintf(&b, "%s\n", e.Unknown)
		return b.String()
	}
	fmt.Fprintf(&b, "verifier's clock: %s\n", a.At.UTC().Format(time.RFC3339))
	x := *a.Explanation
	x.Lines = nil
	b.WriteString(x.String())
	if lines := a.Explanation.Lines; len(lines) > 0 {
		b.WriteString("canonical request as signed and as received (! marks a difference):\n")
		row := func(mark, name, left, right string) {
			fmt.Fprintf(&b, "  %-1s %-16s %-*s  %s\n", mark, name, column, left, right)
		}
		row("", "", "signed", "received")
		for _, line := range lines {
			mark, name := " ", line.Name
			if line.Differs {
				mark = "!"
			}
			left, right := wrap(line.Sender), wrap(line.Verifier)
			for i := range max(len(left), len(right)) {
				row(mark, name, at(left, i), at(right, i))
				name = ""
			}
		}
	}
	if a.Meaning != "" {
		fmt.Fprintf(&b, "meaning: %s\n", a.Meaning)
	}
	a.writeAdvice(&b)
	return b.String()
}

func (a *answer) writeAdvice(b *strings.Builder) {
	for _, advice := range a.Advice {
		fmt.Fprintf(b, "try: %s\n", advice)
	}
}

// column is the width of a column of the comparison, in bytes.
const column = 44

// wrap breaks text into lines that fit in one column.
func wrap(text string) (lines []string) {
	if text == "" {
		return []string{"(none)"}
	}
	for part := range strings.SplitSeq(text, "\n") {
		for len(part) > column {
			lines = append(lines, part[:column])
			part = part[column:]
		}
		lines = append(lines, part)
	}
	return lines
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
