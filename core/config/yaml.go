package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// syntax parses the text of an environments file. It returns nil if it reported a
// problem. Duplicate keys are left in; the decoder reports each with its field.
func syntax(data []byte, r *report) (node ast.Node) {
	line := 0
	defer func() {
		if recover() != nil { // the parser has panicked on malformed files before
			r.add(mark{line: line}, "this cannot be parsed as YAML")
			node = nil
		}
	}()
	text := strings.TrimPrefix(string(data), "\ufeff")
	if !checkText(text, r) {
		return nil
	}
	tokens := lexer.Tokenize(text)
	if !checkTokens(tokens, r) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	forgetColumns(tokens, text)
	if err != nil {
		reportSyntax(err, r)
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if node != nil {
			r.add(placeOf(doc.Body), "a second YAML document; the file is one document")
			return nil
		}
		node = doc.Body
	}
	if node == nil {
		r.add(mark{}, "the file is empty")
	}
	return node
}

// mostBlankLines in a row may a file have: reading a text block with n of them takes the parser
// n squared steps.
const mostBlankLines = 200

// checkText refuses invalid UTF-8, control characters, and blank lines without an end.
func checkText(text string, r *report) bool {
	blank := 0
	for i, line := range strings.Split(text, "\n") {
		if blank++; strings.TrimSpace(line) != "" {
			blank = 0
		}
		if blank > mostBlankLines {
			r.add(mark{line: i + 1}, fmt.Sprintf("more than %d blank lines in a row; remove them", mostBlankLines))
			return false
		}
		if !utf8.ValidString(line) {
			r.add(mark{line: i + 1}, "this is not valid UTF-8")
			return false
		}
		if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' && c != '\r' || c == 0x7f }) {
			r.add(mark{line: i + 1}, "there is a control character in this line")
			return false
		}
	}
	return true
}

// quoted matches the parts of the parser's messages that repeat text of the file, which
// may be a secret.
var quoted = regexp.MustCompile(` "(?:[^"\\]|\\.)*"|character '(?:[^'\\]|\\.)+'$`)

// reportSyntax reports the parser's message and line, without the excerpt of the file.
func reportSyntax(err error, r *report) {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok {
		r.add(mark{}, "this cannot be parsed as YAML")
		return
	}
	hint := ""
	for _, h := range syntaxHints {
		if strings.Contains(e.GetMessage(), h.message) {
			hint = "; " + h.hint
			break
		}
	}
	r.add(tokenPlace(e.GetToken()), "YAML: "+quoted.ReplaceAllStringFunc(e.GetMessage(), func(s string) string {
		if strings.HasPrefix(s, "character") {
			return "character"
		}
		return ""
	})+hint)
}

// syntaxHints say what likely was meant where the parser does not. The first one whose
// message is a part of the parser's counts.
var syntaxHints = []struct{ message, hint string }{
	{"undefined anchor value", "a text that starts with & needs quotes"},
	{"invalid header option", "a text that starts with | or > needs quotes"},
	{"reserved character", "a text that starts with it needs quotes"},
	{"unexpected directive value", "a text that starts with % needs quotes"},
	{"value is not allowed in this context", "a text that holds a colon and a blank, or starts with a quote, { or [, needs quotes around all of it; or this line, or the next one, is not indented as the fields above it"},
	{"character '\t' that cannot start any token", "indent with blanks, not with tabs"},
}

// placeOf returns where a node starts: a mapping or field at the name of its first field.
func placeOf(n ast.Node) mark {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 && !m.IsFlowStyle {
			n = m.Values[0].Key
		}
	case *ast.MappingValueNode:
		n = m.Key
	}
	return tokenPlace(n.GetToken())
}

func tokenPlace(tk *token.Token) mark {
	if tk == nil || tk.Position == nil {
		return mark{}
	}
	return mark{line: tk.Position.Line, column: tk.Position.Column}
}

// forgetColumns sets the columns to 0 that the lexer has counted wrongly, as behind blanks
// at the end of a line. It must be called after the parser, which needs them.
func forgetColumns(tokens token.Tokens, text string) {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	line, column, rest := 0, 1, "" // rest is what follows of the line from the column
	for _, tk := range tokens {
		at := tk.Position
		if at.Line != line && at.Line >= 1 && at.Line <= len(lines) {
			line, column, rest = at.Line, 1, lines[at.Line-1]
		}
		known := at.Line == line && at.Column >= column
		for known && column < at.Column && rest != "" {
			_, size := utf8.DecodeRuneInString(rest)
			column, rest = column+1, rest[size:]
		}
		start, _, _ := strings.Cut(strings.TrimLeft(tk.Origin, " \t\r\n"), "\n")
		if !known || column != at.Column || !strings.HasPrefix(rest, strings.TrimRight(start, " \t\r")) {
			at.Column = 0
		}
	}
}

// The parser takes time and memory that grow with the square of the depth and
// of the number of fields of a block mapping: a file of 1 MiB can keep it busy
// for minutes. So files beyond these bounds are refused before they are parsed.
const (
	maxTokens = 400_000
	maxDepth  = 32
	maxFields = 1000 // of one mapping written as a block
	maxEmpty  = 5000 // list items without a value
)

// checkTokens refuses files beyond the bounds, and parts of YAML that the format does
// not have.
func checkTokens(tokens token.Tokens, r *report) bool {
	before := len(r.problems)
	var s nesting
	for i, tk := range tokens {
		rule := s.see(tk)
		if i >= maxTokens {
			rule = "the file has too many parts"
		}
		switch {
		case rule == "" && tk.Type == token.TagType:
			r.add(tokenPlace(tk), "tags are not supported; a text that starts with ! needs quotes")
		case rule == "" && tk.Type == token.DirectiveType:
			r.add(tokenPlace(tk), "directives are not supported; a text that starts with % needs quotes")
		case rule == "" && tk.Type == token.MappingKeyType:
			r.add(tokenPlace(tk), "keys after ? are not supported")
		case rule != "":
			r.add(tokenPlace(tk), rule)
			return false // the rest would take too long
		}
	}
	return len(r.problems) == before
}

// nesting estimates how deep the tokens are nested, closely enough to bound it.
type nesting struct {
	blocks []block
	flow   int
	line   int
	start  int // column at which the current line, or list item, starts
	last   *token.Token
	empty  int
	docs   int
}

type block struct{ column, fields int }

// see takes the next token and returns the bound that it exceeds, if any.
func (s *nesting) see(tk *token.Token) string {
	at := tk.Position
	if at.Line != s.line || s.last != nil && s.last.Type == token.SequenceEntryType {
		s.line, s.start = at.Line, at.Column
	}
	switch tk.Type {
	case token.SequenceStartType, token.MappingStartType:
		s.flow++
	case token.SequenceEndType, token.MappingEndType:
		s.flow = max(0, s.flow-1)
	case token.SequenceEntryType:
		if s.last != nil && s.last.Type == token.SequenceEntryType && s.last.Position.Line != at.Line {
			s.empty++
		}
		s.open(at.Column, false)
	case token.MappingValueType:
		if s.flow == 0 {
			s.open(s.start, true)
		}
	case token.DocumentHeaderType, token.DocumentEndType:
		if s.docs++; s.docs > 2 {
			return "a second YAML document; the file is one document"
		}
	}
	s.last = tk
	switch {
	case len(s.blocks)+s.flow > maxDepth:
		return fmt.Sprintf("nested more than %d deep", maxDepth)
	case len(s.blocks) > 0 && s.blocks[len(s.blocks)-1].fields > maxFields:
		return fmt.Sprintf("more than %d fields in one mapping", maxFields)
	case s.empty > maxEmpty:
		return "too many list items without a value"
	}
	return ""
}

// open records that a list item or a field starts at a column.
func (s *nesting) open(column int, field bool) {
	for len(s.blocks) > 0 && s.blocks[len(s.blocks)-1].column > column {
		s.blocks = s.blocks[:len(s.blocks)-1]
	}
	if len(s.blocks) == 0 || s.blocks[len(s.blocks)-1].column < column {
		s.blocks = append(s.blocks, block{column: column})
	}
	if field {
		s.blocks[len(s.blocks)-1].fields++
	}
}

// anchors finds the target of each alias: the last anchor of this name before it in the
// file.
type anchors struct {
	*report
	named   map[string]ast.Node // nil while the anchored value is being read
	targets map[*ast.AliasNode]ast.Node
}

// resolveAliases returns the targets of all aliases. Problems do not repeat names: a
// secret that starts with * and lacks quotes is read as an alias.
func resolveAliases(n ast.Node, r *report) map[*ast.AliasNode]ast.Node {
	a := anchors{r, map[string]ast.Node{}, map[*ast.AliasNode]ast.Node{}}
	a.walk(n)
	return a.targets
}

func (a *anchors) walk(n ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, field := range n.Values {
			a.walk(field)
		}
	case *ast.MappingValueNode:
		a.walk(n.Key)
		a.walk(n.Value)
	case *ast.SequenceNode:
		for _, item := range n.Values {
			a.walk(item)
		}
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		a.named[name] = nil
		a.walk(n.Value)
		a.named[name] = n.Value
	case *ast.AliasNode:
		target, known := a.named[n.Value.GetToken().Value]
		switch {
		case !known:
			a.add(placeOf(n), "alias of an anchor that is not set above; a text that starts with * needs quotes")
		case target == nil:
			a.add(placeOf(n), "alias inside of its own anchor")
		}
		a.targets[n] = target
	}
}

// value resolves anchors and aliases. Values inside the target of an alias keep their
// lines.
func (d *decoder) value(n ast.Node, m mark) value {
	if !d.visit(m) {
		return value{mark: m}
	}
	anchored := false
	for {
		switch a := n.(type) {
		case *ast.AnchorNode:
			n, anchored = a.Value, true
		case *ast.AliasNode:
			n, anchored = d.targets[a], false
		default:
			return value{node: n, anchored: anchored, mark: m}
		}
	}
}

// merge returns the fields that << adds: of one mapping, or of several, the earlier ones
// first.
func (d *decoder) merge(v value) (all []pair) {
	sources := []value{v}
	if s, ok := v.node.(*ast.SequenceNode); ok {
		sources = sources[:0]
		for _, n := range s.Values {
			if d.exhausted() {
				break
			}
			sources = append(sources, d.value(n, v.mark))
		}
	}
	for _, source := range sources {
		pairs, ok := d.pairs(source)
		if !ok {
			d.add(v.mark, "<< takes an alias of a mapping, or a list of such")
		}
		all = append(all, pairs...)
	}
	return all
}
