package capture

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// blanksAndPatterns are the characters at which a shell splits a value without quotes, or
// which it matches with the names of files.
const blanksAndPatterns = " \t\n*?["

var errSplit = errors.New("the command has a variable or $(...) without quotes, whose value the shell splits into words: write the value instead")

// word returns the value of one word. It is an error if the shell would split the word,
// match it with files, or use values that the text does not contain.
func (s *shell) word(w *syntax.Word) (string, error) {
	if lit, ok := w.Parts[0].(*syntax.Lit); ok && strings.HasPrefix(lit.Value, "~") {
		return "", unknownValue("a ~")
	}
	if lit := w.Lit(); lit == `\ ` || lit == "\\\t" || strings.HasPrefix(lit, `\ -`) || strings.HasPrefix(lit, `\ http`) {
		return "", errors.New(`a \ is before a space and not at the end of a line: put each \ at the end of its line`)
	}
	for i, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.DblQuoted:
			if _, ok := w.Parts[max(i-1, 0)].(*syntax.DblQuoted); ok && i > 0 {
				s.note(`"" between two quoted texts joins them, as in a POSIX shell; in cmd.exe it is a "`)
			}
		case *syntax.Lit:
			if typographic(part.Value) {
				return "", errTypographic
			}
		case *syntax.ParamExp:
			if value, ok := s.vars[name(part)]; ok && (value == "" || strings.ContainsAny(value, blanksAndPatterns)) {
				return "", errSplit
			}
		}
	}
	split := &syntax.Word{Parts: w.Parts}
	syntax.SplitBraces(split)
	if slices.ContainsFunc(split.Parts, func(part syntax.WordPart) bool { _, ok := part.(*syntax.BraceExp); return ok }) {
		return "", errors.New("the shell expands the { } without quotes to several words: write the expanded text, or quote it")
	}
	return s.parts(w.Parts, "")
}

// parts joins the parts of a word. escapable are the characters that a backslash escapes;
// "" means outside quotes, where it escapes all.
func (s *shell) parts(parts []syntax.WordPart, escapable string) (string, error) {
	var b strings.Builder
	for _, part := range parts {
		var text string
		var err error
		switch part := part.(type) {
		case *syntax.Lit:
			text = unescaped(s.whole(part.Value), escapable)
		case *syntax.SglQuoted:
			if text = s.whole(part.Value); part.Dollar {
				text, err = s.ansiC(text)
			}
		case *syntax.DblQuoted:
			text, err = s.parts(part.Parts, "\\\"$`")
		case *syntax.ParamExp:
			value, ok := s.vars[name(part)]
			if text = value; !ok {
				err = unknownValue("the variable $" + name(part))
			}
		case *syntax.CmdSubst:
			known := false
			if text, known = s.substitution(part); !known {
				err = unknownValue("a command in $(...) or backquotes")
			} else if escapable == "" && (text == "" || strings.ContainsAny(text, blanksAndPatterns)) {
				err = errSplit
			}
		case *syntax.ArithmExp:
			err = unknownValue("an expression in $((...))")
		case *syntax.ProcSubst:
			err = unknownValue("a command in <(...)")
		default:
			err = errors.New("the command has a pattern of file names without quotes: quote it")
		}
		if err != nil {
			return "", err
		}
		if s.size += len(text); s.size > MaxSize {
			return "", errors.New("the words of the command are larger than 16 MiB")
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// name returns the name of a variable in the form $NAME or ${NAME}. For other forms it
// returns a name that no variable has.
func name(p *syntax.ParamExp) string {
	if p.Param == nil {
		return "{...}"
	}
	if p.Excl || p.Length || p.Width || p.IsSet || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Exp != nil || p.Names != 0 ||
		p.Flags != nil || p.NestedParam != nil || len(p.Modifiers) > 0 {
		return "{" + p.Param.Value + "...}"
	}
	return p.Param.Value
}

// substitution returns what a command in $(...) prints, if that is known, without the line
// breaks at its end.
func (s *shell) substitution(c *syntax.CmdSubst) (string, bool) {
	if len(c.Stmts) != 1 {
		return "", false
	}
	out := s.output(c.Stmts[0], input{})
	return strings.TrimRight(out.text, "\n"), out.known
}

func unescaped(text, escapable string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (escapable == "" || strings.IndexByte(escapable, text[i+1]) >= 0) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', 'e': 0x1b, 'E': 0x1b,
	'\\': '\\', '\'': '\'', '"': '"', '?': '?'}

// ansiC returns the value of $'...'.
func (s *shell) ansiC(text string) (string, error) {
	var b []byte
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			b = append(b, text[i])
			continue
		}
		i++
		c := text[i]
		switch {
		case escapes[c] != 0:
			b = append(b, escapes[c])
		case c == 'x' || c >= '0' && c <= '7':
			at, most, base := i, 3, 8
			if c == 'x' {
				at, most, base = i+1, 2, 16
			}
			v, n := digits(text[at:], most, base)
			if n == 0 {
				return "", errors.New("a \\x in $'...' has no digits")
			}
			b = append(b, byte(v))
			i = at + n - 1
		case c == 'u' || c == 'U':
			r, n := s.codePoint(text[i:])
			if n == 0 {
				return "", errors.New("a \\u in $'...' is not a character")
			}
			b = utf8.AppendRune(b, r)
			i += n - 1
		case c == 'c' && i+1 < len(text):
			i++
			b = append(b, text[i]&0x1f)
		default:
			b = append(b, '\\', c)
		}
	}
	if strings.IndexByte(string(b), 0) >= 0 {
		return "", errors.New("a $'...' has a zero byte, at which the shell cuts it off: remove it")
	}
	if !utf8.Valid(b) {
		s.note("a $'...' has bytes that are not UTF-8, and they are read as a shell does; Firefox writes characters up to U+00FF in this way, and has sent them as UTF-8")
	}
	return string(b), nil
}

// codePoint returns the character of uXXXX or UXXXXXXXX, or of two surrogates.
func (s *shell) codePoint(text string) (rune, int) {
	v, n := digits(text[1:], map[byte]int{'u': 4, 'U': 8}[text[0]], 16)
	if n == 0 || v > utf8.MaxRune {
		return 0, 0
	}
	n++
	if !utf16.IsSurrogate(rune(v)) {
		return rune(v), n
	}
	rest, found := strings.CutPrefix(text[n:], `\u`)
	low, more := digits(rest, 4, 16)
	r := utf16.DecodeRune(rune(v), rune(low))
	if !found || more != 4 || r == utf8.RuneError {
		return 0, 0
	}
	s.note(`a pair such as \ud83d\ude00 is read as one character, as browsers write it; bash reads it as six bytes that are not UTF-8`)
	return r, n + 2 + more
}

// digits parses a number of at most the given number of digits, and returns how many it
// has.
func digits(text string, most, base int) (uint64, int) {
	n := 0
	for n < most && n < len(text) {
		if _, err := strconv.ParseUint(text[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	v, err := strconv.ParseUint(text[:n], base, 32)
	if err != nil {
		return 0, 0
	}
	return v, n
}
