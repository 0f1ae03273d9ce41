package capture

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// words splits a command as a POSIX shell does, and expands nothing: variables,
// substitutions and globs are refused or stay as they are.
func words(text string) ([]string, error) {
	var all []string
	var word strings.Builder
	inside := false
	end := func() {
		if inside {
			all = append(all, word.String())
			word.Reset()
			inside = false
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
			end()
		case '\n', ';', '|', '&', '<', '>':
			end()
			if len(all) > 0 {
				return all, nil // the next command is not ours
			}
		case '\\':
			i++
			switch {
			case i < len(text) && text[i] == '\n':
			case i+1 < len(text) && text[i:i+2] == "\r\n":
				i++
			case i < len(text):
				word.WriteByte(text[i])
				inside = true
			}
		case '\'':
			n := strings.IndexByte(text[i+1:], '\'')
			if n < 0 {
				return nil, errors.New("a ' is not closed")
			}
			word.WriteString(text[i+1 : i+1+n])
			i += n + 1
			inside = true
		case '"':
			n, err := double(&word, text[i+1:])
			if err != nil {
				return nil, err
			}
			i += n
			inside = true
		case '$', '`':
			if c == '$' && i+1 < len(text) && text[i+1] == '\'' {
				n, err := escaped(&word, text[i+2:])
				if err != nil {
					return nil, err
				}
				i += n + 1
				inside = true
				continue
			}
			if len(all) == 0 && !inside && i+1 < len(text) && text[i+1] == ' ' {
				continue // a prompt
			}
			return nil, errors.New("the command holds a variable or a substitution; give it with its value")
		default:
			word.WriteByte(c)
			inside = true
		}
	}
	end()
	return all, nil
}

// double reads up to the closing quote and returns how many bytes that is.
func double(word *strings.Builder, text string) (int, error) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1, nil
		case c == '$' || c == '`':
			return 0, errors.New("the command holds a variable or a substitution; give it with its value")
		case c == '\\' && i+1 < len(text) && strings.IndexByte("\\\"$`\n", text[i+1]) >= 0:
			if i++; text[i] != '\n' {
				word.WriteByte(text[i])
			}
		default:
			word.WriteByte(c)
		}
	}
	return 0, errors.New("a \" is not closed")
}

// escaped reads the $'...' of bash, which browsers write.
func escaped(word *strings.Builder, text string) (int, error) {
	simple := map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', 'e': 0x1b}
	for i := 0; i < len(text); i++ {
		if text[i] == '\'' {
			return i + 1, nil
		}
		if text[i] != '\\' || i+1 >= len(text) {
			word.WriteByte(text[i])
			continue
		}
		i++
		digits := func(from, most, base int) (uint64, int) {
			n := 0
			for n < most && from+n < len(text) && isDigit(text[from+n], base) {
				n++
			}
			v, _ := strconv.ParseUint(text[from:from+n], base, 32)
			return v, n
		}
		switch c := text[i]; {
		case simple[c] != 0:
			word.WriteByte(simple[c])
		case c == 'x':
			v, n := digits(i+1, 2, 16)
			word.WriteByte(byte(v))
			i += n
		case c == 'u' || c == 'U':
			v, n := digits(i+1, map[byte]int{'u': 4, 'U': 8}[c], 16)
			word.WriteString(string(utf8.AppendRune(nil, rune(v))))
			i += n
		case c >= '0' && c <= '7':
			v, n := digits(i, 3, 8)
			word.WriteByte(byte(v))
			i += n - 1
		default:
			word.WriteByte(c)
		}
	}
	return 0, errors.New("a $' is not closed")
}

func isDigit(c byte, base int) bool {
	_, err := strconv.ParseUint(string(c), base, 8)
	return err == nil
}

// Quote returns the text as one word of a POSIX shell.
func Quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
