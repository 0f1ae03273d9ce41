package capture

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds for the text that the shell parser gets. The parser is recursive, so a text of
// many brackets would use up the stack. Long values in single quotes do not count:
// placeholders replace them while parsing, as they replace values with CR and values that
// are not UTF-8.
const (
	maxParsed   = 64 << 10
	maxBrackets = 2000
	longValue   = 256
)

// aside matches the placeholder of a value, which is enclosed in characters of the
// private use area.
var aside = regexp.MustCompile("\uf8ff([0-9]+)\uf8ff")

// bounded returns the text with placeholders for its long values.
func (s *shell) bounded(text string) (string, error) {
	if !strings.Contains(text, "\uf8ff") {
		text = s.putAside(text)
	}
	if len(text) > maxParsed || strings.Count(text, "(")+strings.Count(text, "[") > maxBrackets {
		return "", errors.New("the command is too long for a shell: put its data into a file and use @file, or save the request itself")
	}
	return text, nil
}

func (s *shell) putAside(text string) string {
	var b strings.Builder
	done := 0 // length of the part of text that is in b
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			i += quotedLength(text[i:], true) - 1
		case c == '#' && (i == 0 || strings.IndexByte(" \t\n;|&", text[i-1]) >= 0):
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case c == '\'':
			n := quotedLength(text[i:], i > 0 && text[i-1] == '$')
			value := text[i+1 : max(i+1, i+n-1)]
			kept := strings.IndexByte(value, '\r') < 0 && utf8.ValidString(value) // whether the parser keeps the value; it changes CR LF to LF
			if (n > longValue || !kept) && text[i+n-1] == '\'' {
				b.WriteString(text[done:i] + "'\uf8ff" + strconv.Itoa(len(s.aside)) + "\uf8ff'")
				s.aside = append(s.aside, value)
				done = i + n
			}
			i += n - 1
		}
	}
	return b.String() + text[done:]
}

// quotedLength returns the length of a quoted text, with its quotes.
func quotedLength(text string, escapes bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && escapes:
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}

// whole returns a part of a word with its placeholders replaced by the values.
func (s *shell) whole(text string) string {
	return aside.ReplaceAllStringFunc(text, func(place string) string {
		n, err := strconv.Atoi(strings.Trim(place, "\uf8ff"))
		if err != nil || n >= len(s.aside) {
			return place
		}
		return s.aside[n]
	})
}
