package capture

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// shell evaluates the commands of a POSIX shell or bash, except loops, conditions and
// functions.
type shell struct {
	commands []command
	notes    []string
	vars     map[string]string // set by the text itself
	text     string            // the parsed text
	aside    []string          // values that placeholders replace while parsing
	size     int               // of all expanded words, in bytes
	depth    int               // of scripts in scripts
}

func shellCommands(text string) ([]command, []string, error) {
	s := &shell{vars: map[string]string{}}
	err := s.run(text)
	return s.commands, s.notes, err
}

func (s *shell) run(text string) error {
	text, err := s.bounded(text)
	if err != nil {
		return err
	}
	s.text = text
	var statements []*syntax.Stmt
	var failed error
	for st, err := range syntax.NewParser(syntax.Variant(syntax.LangBash)).StmtsSeq(strings.NewReader(text)) {
		switch { // no break: the parser does not expect one after an error
		case failed != nil:
		case err != nil:
			failed = err
		default:
			statements = append(statements, st)
		}
	}
	for _, st := range statements {
		s.statement(st, input{})
	}
	switch {
	case failed == nil:
	case slices.ContainsFunc(s.commands, command.callsCurl):
		s.note("the text after the first commands is not a shell command, and is ignored")
	default:
		return syntaxError(failed)
	}
	return nil
}

// syntaxError says where the parser failed, without the text, which may hold a secret.
func syntaxError(err error) error {
	var parse syntax.ParseError
	if !errors.As(err, &parse) {
		return errors.New("this is not a valid shell command")
	}
	if parse.Incomplete {
		return fmt.Errorf("the command is incomplete: a quote or bracket that starts at line %d is not closed", max(parse.Pos.Line(), 1))
	}
	return fmt.Errorf("this is not a valid shell command: syntax error at line %d, column %d", parse.Pos.Line(), parse.Pos.Col())
}

func (s *shell) note(text string) {
	if !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

func (s *shell) statement(st *syntax.Stmt, in input) {
	for _, r := range st.Redirs {
		if r.N == nil || r.N.Value == "0" {
			in = s.redirected(r, in)
		}
	}
	s.nameCut(st)
	if st.Background {
		defer s.restore(maps.Clone(s.vars))
	}
	switch c := st.Cmd.(type) {
	case nil:
	case *syntax.CallExpr:
		s.call(c, in)
	case *syntax.DeclClause:
		for _, a := range c.Args {
			s.assign(a)
		}
	case *syntax.TimeClause:
		if c.Stmt != nil {
			s.statement(c.Stmt, in)
		}
	case *syntax.Block:
		for _, inner := range c.Stmts {
			s.statement(inner, in)
		}
	case *syntax.Subshell:
		defer s.restore(maps.Clone(s.vars))
		for _, inner := range c.Stmts {
			s.statement(inner, in)
		}
	case *syntax.BinaryCmd:
		s.binary(c, in)
	default:
		s.unfollowed(st)
	}
}

// nameCut adds a note if a command ends at a & or ; within a word, because quotes are
// missing.
func (s *shell) nameCut(st *syntax.Stmt) {
	call, ok := st.Cmd.(*syntax.CallExpr)
	at := int(st.Semicolon.Offset())
	if ok && st.Semicolon.IsValid() && at == int(call.End().Offset()) && at+1 < len(s.text) && !strings.ContainsRune(" \t\n)&;|>", rune(s.text[at+1])) {
		s.note("a & or ; without quotes ends the command: the text after it is not part of the URL")
	}
}

func (s *shell) restore(vars map[string]string) { s.vars = vars }

func (s *shell) binary(c *syntax.BinaryCmd, in input) {
	before, start := maps.Clone(s.vars), len(s.commands)
	switch c.Op {
	case syntax.Pipe, syntax.PipeAll:
		s.statement(c.X, in)
		s.vars = maps.Clone(before)
		s.statement(c.Y, s.output(c.X, in))
		s.vars = before
		if part := s.commands[start:]; slices.ContainsFunc(part, command.callsCurl) { // the other commands of the pipe are filters
			part = slices.DeleteFunc(part, func(c command) bool { return !c.callsCurl() })
			s.commands = s.commands[:start+len(part)]
		}
	default:
		s.statement(c.X, in)
		known := maps.Clone(s.vars)
		s.statement(c.Y, in)
		if c.Op == syntax.OrStmt { // whether it runs is unknown
			maps.DeleteFunc(s.vars, func(name, value string) bool { return known[name] != value })
		}
	}
}

// unfollowed handles a loop, a condition or a function, which is not evaluated: the
// variables that it sets are unknown after it.
func (s *shell) unfollowed(st *syntax.Stmt) {
	s.vars = map[string]string{}
	syntax.Walk(st, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok {
			var words []string
			for _, w := range c.Args {
				words = append(words, w.Lit())
			}
			s.commands = append(s.commands, command{words: words,
				err: errors.New("the curl command is in a loop, a condition or a function: give the command alone, with its values")})
		}
		return true
	})
}

// changers are shell commands that may change any variable.
var changers = strings.Fields("read source . eval unset mapfile readarray getopts printf let set shift")

func (s *shell) call(c *syntax.CallExpr, in input) {
	for _, a := range c.Assigns {
		s.substituted(a)
	}
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			s.assign(a)
		}
		return
	}
	cmd := command{stdin: in}
	for _, w := range c.Args {
		text, err := s.word(w)
		if err != nil {
			cmd.err = err
			break
		}
		cmd.words = append(cmd.words, text)
	}
	for _, w := range c.Args {
		s.substituted(w)
	}
	if script, ok := scriptOf(cmd.words); ok && s.depth < 2 {
		inner := &shell{vars: map[string]string{}, depth: s.depth + 1, size: s.size}
		if err := inner.run(script); err == nil {
			s.commands, s.notes, s.size = append(s.commands, inner.commands...), append(s.notes, inner.notes...), inner.size
			return
		}
	}
	s.commands = append(s.commands, cmd)
	if len(cmd.words) == 0 || slices.Contains(changers, cmd.words[0]) && !(cmd.words[0] == "printf" && !slices.Contains(cmd.words, "-v")) {
		s.vars = map[string]string{}
	}
}

// substituted evaluates the commands in $(...) and similar substitutions.
func (s *shell) substituted(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		var inner []*syntax.Stmt
		switch n := n.(type) {
		case *syntax.CmdSubst:
			if _, known := s.substitution(n); !known {
				inner = n.Stmts
			}
		case *syntax.ProcSubst:
			inner = n.Stmts
		default:
			return true
		}
		vars := maps.Clone(s.vars)
		for _, st := range inner {
			s.statement(st, input{})
		}
		s.vars = vars
		return false
	})
}

func (s *shell) assign(a *syntax.Assign) {
	if a.Name == nil || a.Naked {
		return
	}
	delete(s.vars, a.Name.Value)
	if a.Append || a.Index != nil || a.Array != nil {
		return
	}
	value := ""
	if a.Value != nil {
		var err error
		if value, err = s.word(a.Value); err != nil {
			return
		}
	}
	s.vars[a.Name.Value] = value
}
