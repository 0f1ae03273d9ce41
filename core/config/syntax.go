package config

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// syntax parses the text of an environments file into the one node it holds.
// It returns nil where it reported a problem. Duplicate keys are left in, for
// the decoder to report each with its field.
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
	if err != nil {
		reportSyntax(err, r)
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if node != nil {
			r.add(mark{line: lineOf(doc.Body)}, "a second YAML document; the file is one document")
			return nil
		}
		node = doc.Body
	}
	if node == nil {
		r.add(mark{}, "the file is empty")
	}
	return node
}

// checkText refuses what is not text.
func checkText(text string, r *report) bool {
	for i, line := range strings.Split(text, "\n") {
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

// quoted are the parts of the parser's messages that repeat the file's text,
// which may be a secret.
var quoted = regexp.MustCompile(` "(?:[^"\\]|\\.)*"|character '(?:[^'\\]|\\.)+'$`)

// reportSyntax keeps the parser's rule and its line, and drops the excerpt of
// the file that its error would print.
func reportSyntax(err error, r *report) {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok {
		r.add(mark{}, "this cannot be parsed as YAML")
		return
	}
	m := mark{}
	if tk := e.GetToken(); tk != nil && tk.Position != nil {
		m.line = tk.Position.Line
	}
	r.add(m, "YAML: "+quoted.ReplaceAllStringFunc(e.GetMessage(), func(s string) string {
		if strings.HasPrefix(s, "character") {
			return "character"
		}
		return ""
	}))
}

// lineOf returns the line on which a node starts.
func lineOf(n ast.Node) int {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 && !m.IsFlowStyle {
			n = m.Values[0].Key
		}
	case *ast.MappingValueNode:
		n = m.Key
	}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return tk.Position.Line
	}
	return 0
}
