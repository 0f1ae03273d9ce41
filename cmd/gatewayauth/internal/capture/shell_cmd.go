package capture

import (
	"errors"
	"regexp"
	"strings"
)

// cmdLine parses commands as cmd.exe does: outside quotes a ^ escapes the next character,
// and at the end of a line it removes the line break.
type cmdLine struct {
	commands []command
	notes    []string
	raw      strings.Builder // the command line that the program gets
	stdin    input
	err      error
}

func cmdCommands(text string) ([]command, []string, error) {
	c := &cmdLine{}
	if strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) >= 0 {
		c.notes = append(c.notes, "characters that are not ASCII are read as UTF-8; curl on Windows may send them in the code page of the console")
	}
	text = strings.ReplaceAll(text, "\r", "")
	quoted := false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '\n':
			c.end(input{})
			quoted = false
		case b == '%':
			n, err := c.variable(text[i:])
			if err != nil && c.err == nil {
				c.err = err
			}
			c.raw.WriteString(text[i : i+n])
			i += n - 1
		case b == '"':
			quoted = !quoted
			c.raw.WriteByte(b)
		case quoted:
			c.raw.WriteByte(b)
		case b == '^':
			if i++; i < len(text) && text[i] == '\n' {
				i++
			}
			if i < len(text) {
				c.raw.WriteByte(text[i])
			}
		case b == '&':
			if line := c.raw.String(); line != "" && !strings.HasSuffix(line, " ") && i+1 < len(text) && !strings.ContainsRune(" \t\n&", rune(text[i+1])) {
				c.notes = append(c.notes, "a & without quotes ends the command: what follows it is not part of the URL")
			}
			c.end(input{})
		case b == '|':
			c.end(input{why: "comes from a command whose output is unknown"})
		case b == '>' || b == '<':
			i += c.redirection(text[i:]) - 1
		default:
			c.raw.WriteByte(b)
		}
	}
	c.end(input{})
	return c.commands, c.notes, nil
}

// end finishes a command; next is the standard input of the following one.
func (c *cmdLine) end(next input) {
	line := strings.TrimLeft(c.raw.String(), " \t@")
	if typographic(line) && c.err == nil {
		c.err = errTypographic
	}
	if words := windowsWords(line); len(words) > 0 {
		c.commands = append(c.commands, command{words: words, err: c.err, stdin: c.stdin})
	}
	c.raw.Reset()
	c.err, c.stdin = nil, next
}

// redirection returns the length of a redirection, including the name of its file.
func (c *cmdLine) redirection(text string) int {
	if line := c.raw.String(); strings.HasSuffix(line, " 1") || strings.HasSuffix(line, " 2") || strings.HasSuffix(line, " 0") {
		c.raw.Reset()
		c.raw.WriteString(line[:len(line)-1])
	}
	n := len(text) - len(strings.TrimLeft(text, "<>& \t"))
	quoted, start := false, n
	for ; n < len(text) && (quoted || !strings.ContainsRune(" \t\n&|<>", rune(text[n]))) && text[n] != '\n'; n++ {
		if text[n] == '"' {
			quoted = !quoted
		}
	}
	if text[0] == '<' {
		c.stdin = input{file: strings.ReplaceAll(text[start:n], `"`, "")}
	}
	return n
}

var cmdVariable = regexp.MustCompile(`^%([^%\n]*)%`)

// variable returns how much of a text that starts with % is plain text. cmd.exe replaces
// %NAME% before it parses the command, and keeps it if there is no such variable. Here a
// name that begins with ^ or a digit, or lies between two percent-encodings, is no
// variable.
func (c *cmdLine) variable(text string) (int, error) {
	m := cmdVariable.FindStringSubmatch(text)
	switch {
	case m == nil:
		return 1, nil
	case m[1] == "":
		return 2, errors.New("the command has %%, which is one % in a batch file and two at the prompt: write the command as typed at the prompt")
	case !strings.ContainsRune("_()", rune(m[1][0])) && !isLetter(m[1][0]):
		return 1, nil
	case encodedByte.MatchString(text[:min(3, len(text))]) && encodedByte.MatchString(text[len(m[0])-1:min(len(m[0])+2, len(text))]):
		if len(m[1]) > 2 {
			c.notes = append(c.notes, "the text between two percent-encodings is read as plain text, as if there were no variable of that name")
		}
		return 1, nil
	}
	if strings.Trim(m[1], "_-.()0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
		return len(m[0]), unknownValue("a variable in %...%")
	}
	return len(m[0]), unknownValue("the variable " + m[0])
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// windowsWords splits a command line as Windows programs do: quotes group words, a
// backslash escapes only a quote, and "" within quotes is one quote (Microsoft, "Parsing
// C++ command-line arguments").
func windowsWords(line string) []string {
	var words []string
	var word strings.Builder
	inside, quoted := false, false
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case (b == ' ' || b == '\t') && !quoted:
			if inside {
				words = append(words, word.String())
				word.Reset()
			}
			inside = false
			continue
		case b == '\\':
			n := len(line[i:]) - len(strings.TrimLeft(line[i:], `\`))
			i += n - 1
			if i+1 < len(line) && line[i+1] == '"' {
				word.WriteString(strings.Repeat(`\`, n/2))
				if n%2 == 1 {
					word.WriteByte('"')
					i++
				}
			} else {
				word.WriteString(strings.Repeat(`\`, n))
			}
		case b == '"' && quoted && i+1 < len(line) && line[i+1] == '"':
			word.WriteByte('"')
			i++
		case b == '"':
			quoted = !quoted
		default:
			word.WriteByte(b)
		}
		inside = true
	}
	if inside {
		words = append(words, word.String())
	}
	return words
}
