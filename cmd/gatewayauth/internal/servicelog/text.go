package servicelog

import (
	"regexp"
	"strconv"
	"strings"
)

// colours are the escape sequences that programs write for terminals.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// clean removes colours, a byte order mark, and the NUL bytes that a log has if it was
// truncated while its writer had it open.
func clean(text string) string {
	if strings.IndexByte(text, '\x1b') >= 0 {
		text = colours.ReplaceAllString(text, "")
	}
	return strings.TrimSpace(strings.Trim(strings.TrimPrefix(text, "\ufeff"), "\x00 \t\r\n"))
}

// pairs parses the output of slog's text handler and default handler: key=value, each
// quoted by strconv.Quote if needed. All other words are the head. cut is true if a
// quoted value has no end.
func pairs(text string) (fields []field, head string, cut bool) {
	var words []string
	for text = strings.TrimLeft(text, " \t"); text != ""; text = strings.TrimLeft(text, " \t") {
		key, rest, ok := pairKey(text)
		if !ok {
			word := text
			if i := strings.IndexAny(text, " \t"); i >= 0 {
				word = text[:i]
			}
			words = append(words, word)
			text = text[len(word):]
			continue
		}
		value, rest, whole := pairValue(rest)
		if !whole {
			return fields, strings.Join(words, " "), true
		}
		fields = append(fields, named("", key, value))
		text = rest
	}
	return fields, strings.Join(words, " "), false
}

// pairKey parses a key and the equals sign.
func pairKey(text string) (key, rest string, ok bool) {
	if text[0] == '"' {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil || !strings.HasPrefix(text[len(quoted):], "=") {
			return "", "", false
		}
		key, err = strconv.Unquote(quoted)
		return key, text[len(quoted)+1:], err == nil
	}
	i := strings.IndexAny(text, "= \t\"")
	if i <= 0 || text[i] != '=' {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

func pairValue(text string) (value, rest string, whole bool) {
	if !strings.HasPrefix(text, `"`) {
		if i := strings.IndexAny(text, " \t"); i >= 0 {
			return text[:i], text[i:], true
		}
		return text, "", true
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err == nil {
		value, err = strconv.Unquote(quoted)
		return value, text[len(quoted):], err == nil
	}
	// The value is not escaped as strconv.Quote does: a quote without a backslash before
	// it ends it.
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[1:i], text[i+1:], true
		}
	}
	return "", "", false
}
