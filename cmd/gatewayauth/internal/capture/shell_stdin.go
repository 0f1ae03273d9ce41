package capture

import (
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// redirected returns the standard input after a redirection.
func (s *shell) redirected(r *syntax.Redirect, in input) input {
	text, err := "", error(nil)
	switch r.Op {
	case syntax.RdrIn:
		text, err = s.word(r.Word)
		if err == nil {
			return input{file: text}
		}
	case syntax.WordHdoc:
		text, err = s.word(r.Word)
		text += "\n"
	case syntax.Hdoc, syntax.DashHdoc:
		if r.Hdoc == nil {
			break
		}
		if quotedDelimiter(r.Word) {
			for _, part := range r.Hdoc.Parts {
				if lit, ok := part.(*syntax.Lit); ok {
					text += s.whole(lit.Value)
				}
			}
		} else {
			text, err = s.parts(r.Hdoc.Parts, "\\$`")
		}
		if r.Op == syntax.DashHdoc {
			lines := strings.SplitAfter(text, "\n")
			for i := range lines {
				lines[i] = strings.TrimLeft(lines[i], "\t")
			}
			text = strings.Join(lines, "")
		}
	case syntax.DplIn:
		return input{why: "is another file descriptor"}
	default:
		return in
	}
	if err != nil {
		return input{why: "has a value that is unknown"}
	}
	return input{known: true, text: text}
}

func quotedDelimiter(w *syntax.Word) bool {
	for _, part := range w.Parts {
		if lit, ok := part.(*syntax.Lit); !ok || strings.Contains(lit.Value, `\`) {
			return true
		}
	}
	return false
}

// output returns what a statement prints, if that is known.
func (s *shell) output(st *syntax.Stmt, in input) input {
	unknown := input{why: "comes from a command whose output is unknown"}
	call, ok := st.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 || st.Background {
		return unknown
	}
	for _, r := range st.Redirs {
		if r.N != nil && r.N.Value != "0" {
			continue
		}
		switch r.Op {
		case syntax.RdrIn, syntax.WordHdoc, syntax.Hdoc, syntax.DashHdoc:
			in = s.redirected(r, in)
		default:
			return unknown
		}
	}
	var words []string
	for _, w := range call.Args {
		text, err := s.word(w)
		if err != nil {
			return input{why: "has a value that is unknown"}
		}
		words = append(words, text)
	}
	args := words[1:]
	switch path.Base(words[0]) {
	case "echo":
		end := "\n"
		if len(args) > 0 && args[0] == "-n" {
			end, args = "", args[1:]
		}
		text := strings.Join(args, " ")
		if strings.Contains(text, `\`) || len(args) > 0 && strings.HasPrefix(args[0], "-") {
			return input{why: "comes from an echo whose output differs between shells"}
		}
		return input{known: true, text: text + end}
	case "printf":
		if text, ok := printed(args); ok {
			return input{known: true, text: text}
		}
	case "cat":
		if len(args) == 0 || len(args) == 1 && args[0] == "-" {
			return in
		}
		if len(args) == 1 && !strings.HasPrefix(args[0], "-") {
			return input{file: args[0]}
		}
	}
	return unknown
}

// printed returns what printf prints for a format of %s and plain text.
func printed(args []string) (string, bool) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return "", false
	}
	format, values := args[0], args[1:]
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if c := format[i]; c != '%' && c != '\\' {
			b.WriteByte(c)
			continue
		}
		if i++; i >= len(format) {
			return "", false
		}
		switch pair := format[i-1 : i+1]; pair {
		case "%s":
			if len(values) == 0 {
				return "", false
			}
			b.WriteString(values[0])
			values = values[1:]
		case "%%", `\\`, `\"`:
			b.WriteByte(format[i])
		case `\n`, `\t`, `\r`:
			b.WriteString(map[string]string{`\n`: "\n", `\t`: "\t", `\r`: "\r"}[pair])
		default:
			return "", false
		}
	}
	return b.String(), len(values) == 0
}
