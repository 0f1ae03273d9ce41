package capture

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// powerShellLine parses PowerShell commands that consist of words and quotes.
type powerShellLine struct {
	commands []command
	notes    []string
	words    []string
	word     strings.Builder
	inside   bool
	err      error
	stdin    input
}

func powerShellCommands(text string) ([]command, []string, error) {
	p := &powerShellLine{}
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\r':
			p.endWord()
		case c == '\n' || c == ';':
			p.end(input{})
		case c == '|' || c == '&':
			n := len(rest) - len(strings.TrimLeft(rest, string(c)))
			if i += n - 1; c == '|' && n == 1 {
				p.end(input{why: "comes from a command whose output is unknown"})
			} else if n == 2 || p.inside || len(p.words) > 0 {
				p.end(input{})
			} // otherwise & calls the command after it
		case c == '#' && !p.inside:
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case c == '`' && strings.HasPrefix(strings.TrimPrefix(rest[1:], "\r"), "\n"):
			i += strings.IndexByte(rest, '\n')
		case c == '`' && len(rest) > 1:
			i++
			p.plain(powerShellEscape(text[i]))
		case c == '\'':
			i += p.single(rest)
		case c == '"':
			i += p.double(rest)
		case c == '>':
			i += p.redirection(rest)
		case strings.IndexByte("(){},<", c) >= 0, c == '@' && !p.inside, c == '$':
			p.fail(evaluated(c))
			p.plain(c)
		default:
			p.plain(c)
		}
	}
	p.end(input{})
	return p.commands, p.notes, nil
}

func (p *powerShellLine) plain(c byte) {
	p.word.WriteByte(c)
	p.inside = true
}

func evaluated(c byte) error {
	return fmt.Errorf("the command has a %c that PowerShell evaluates, and the value is unknown: write the value instead, in single quotes", c)
}

func (p *powerShellLine) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// single reads '...', in which two single quotes stand for one. It returns the index of the
// last byte.
func (p *powerShellLine) single(text string) int {
	p.inside = true
	for i := 1; i < len(text); i++ {
		if text[i] == '\'' {
			if i+1 >= len(text) || text[i+1] != '\'' {
				return i
			}
			i++
		}
		p.word.WriteByte(text[i])
	}
	p.fail(errors.New("a ' is not closed: add the missing '"))
	return len(text)
}

func (p *powerShellLine) double(text string) int {
	p.inside = true
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && i+1 < len(text) && text[i+1] == '"':
			i++
			p.word.WriteByte('"')
		case c == '"':
			return i
		case c == '`' && i+1 < len(text):
			i++
			p.word.WriteByte(powerShellEscape(text[i]))
		case c == '$' && i+1 < len(text) && (isLetter(text[i+1]) || strings.IndexByte("_{(:?^$", text[i+1]) >= 0):
			p.fail(evaluated(c))
			p.word.WriteByte(c)
		default:
			p.word.WriteByte(c)
		}
	}
	p.fail(errors.New("a \" is not closed: add the missing \""))
	return len(text)
}

func powerShellEscape(c byte) byte {
	if e, ok := map[byte]byte{'0': 0, 'a': '\a', 'b': '\b', 'e': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}[c]; ok {
		return e
	}
	return c
}

// redirection skips a redirection with the name of its file and the number in front of it.
func (p *powerShellLine) redirection(text string) int {
	if w := p.word.String(); len(w) == 1 && strings.Contains("123456*", w) {
		p.word.Reset()
		p.inside = false
	}
	p.endWord()
	n := len(text) - len(strings.TrimLeft(text, ">& \t"))
	for n < len(text) && !strings.ContainsRune(" \t\r\n;|", rune(text[n])) {
		n++
	}
	return n - 1
}

func (p *powerShellLine) endWord() {
	if !p.inside {
		return
	}
	p.words = append(p.words, p.word.String())
	p.word.Reset()
	p.inside = false
}

// end finishes a command; next is the standard input of the following one.
func (p *powerShellLine) end(next input) {
	p.endWord()
	c := command{err: p.err, stdin: p.stdin}
	for _, w := range p.words {
		passed, err := p.passed(w)
		if err != nil && c.err == nil {
			c.err = err
		}
		c.words = append(c.words, passed)
	}
	if len(c.words) > 0 {
		p.commands = append(p.commands, c)
		if c.callsCurl() && c.err == nil && !slices.ContainsFunc(c.words, func(w string) bool { return strings.HasSuffix(strings.ToLower(w), "curl.exe") }) {
			p.note("read as curl.exe; in Windows PowerShell, curl is another name of Invoke-WebRequest")
		}
	}
	p.words, p.err, p.stdin = nil, nil, next
}

func (p *powerShellLine) note(text string) {
	if !slices.Contains(p.notes, text) {
		p.notes = append(p.notes, text)
	}
}

// passed returns the argument that a program gets for a word. Windows PowerShell passes
// quotes unescaped, so they need a backslash in the word; PowerShell 7.3 and later
// escapes them.
func (p *powerShellLine) passed(word string) (string, error) {
	quotes, escaped := strings.Count(word, `"`), strings.Count(word, `\"`)
	switch {
	case typographic(word):
		return word, errTypographic
	case word == "":
		return word, errors.New("the command has an empty argument, which Windows PowerShell drops: write the command for another shell")
	case quotes == 0:
		return word, nil
	case escaped == 0:
		p.note("the quotes in the arguments are read as PowerShell 7.3 and later passes them; Windows PowerShell drops them")
		return word, nil
	case escaped == quotes && !strings.Contains(word, `\\"`):
		p.note(`the \" in the arguments are read as Windows PowerShell passes them; PowerShell 7.3 and later keeps the backslash`)
		return strings.ReplaceAll(word, `\"`, `"`), nil
	}
	return word, errors.New("the command has quotes with and without a backslash, which versions of PowerShell pass differently: save the request itself")
}
