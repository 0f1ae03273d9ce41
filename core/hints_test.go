package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestEveryHint_T286: docs/troubleshooting.md has every hint that core and the schemes give,
// those of codes and those of single refusals, in the section of the code. No hint has an
// example of a request in it: the record is of another one.
func TestEveryHint_T286(t *testing.T) {
	sections := troubleshooting(t)
	hints := sourceHints(t)
	for _, code := range core.Codes {
		hints = append(hints, sourceHint{"hints", code.Hint(), code})
	}
	if most := len(core.Codes) + 20; len(hints) < most {
		t.Errorf("only %d hints were found, want at least %d", len(hints), most)
	}
	for _, h := range hints {
		documented := slices.Contains(sections[h.code], h.text)
		for _, paragraphs := range sections {
			documented = documented || h.code == "" && slices.Contains(paragraphs, h.text)
		}
		if !documented {
			t.Errorf("%s: docs/troubleshooting.md has no paragraph %q in the section %s", h.at, h.text, h.code)
		}
		if plain := strings.NewReplacer(" //", "").Replace(h.text); strings.ContainsAny(plain, "\"`") || strings.Contains(plain, " /") {
			t.Errorf("%s: the hint %q has an example, which reads like a part of the request", h.at, h.text)
		}
	}
}

// A sourceHint is the text of a hint in the source, with the code that stands beside it, if
// one does.
type sourceHint struct {
	at, text string
	code     core.Code
}

// sourceHints returns the hints of the source of core and its packages: what is given for the
// field Hint of an Error, a variable hint, and a parameter hint of a function. Packages explain
// and config refuse no request.
func sourceHints(t *testing.T) (hints []sourceHint) {
	files := token.NewFileSet()
	var sources []*ast.File
	if err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if path == "explain" || path == "config" {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		sources = append(sources, file)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	texts := map[string]ast.Expr{}   // constants, and variables of one value
	places := map[string]int{}       // of the parameter hint of a function
	key := func(e ast.Expr) string { // of both: an unexported name is one of its package
		if name := nameOf(e); !ast.IsExported(name) {
			return filepath.Dir(files.Position(e.Pos()).Filename) + "." + name
		}
		return nameOf(e)
	}
	each := func(visit func(ast.Node)) {
		for _, file := range sources {
			ast.Inspect(file, func(n ast.Node) bool { visit(n); return true })
		}
	}
	parameter := func(name ast.Expr, f *ast.FuncType) {
		i := 0
		for _, field := range f.Params.List {
			for _, p := range field.Names {
				if p.Name == "hint" {
					places[key(name)] = i
				}
				i++
			}
		}
	}
	each(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if len(n.Values) == len(n.Names) {
					texts[key(name)] = n.Values[i]
				}
			}
		case *ast.FuncDecl:
			parameter(n.Name, n.Type)
		case *ast.AssignStmt:
			if f, ok := n.Rhs[0].(*ast.FuncLit); ok {
				parameter(n.Lhs[0], f.Type)
			}
		}
	})
	var textOf func(ast.Expr) string
	textOf = func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.BasicLit:
			text, _ := strconv.Unquote(e.Value)
			return text
		case *ast.BinaryExpr:
			return textOf(e.X) + textOf(e.Y)
		case *ast.Ident, *ast.SelectorExpr:
			return textOf(texts[key(e)])
		}
		return ""
	}
	add := func(e ast.Expr, beside []ast.Expr) {
		h := sourceHint{at: files.Position(e.Pos()).String(), text: textOf(e)}
		for _, other := range beside {
			if pair, ok := other.(*ast.KeyValueExpr); ok {
				other = pair.Value
			}
			if code := core.Code(textOf(other)); slices.Contains(core.Codes, code) {
				h.code = code
			}
		}
		literal, ok := e.(*ast.BasicLit)
		switch empty := ok && literal.Value == `""`; {
		case h.text != "":
			hints = append(hints, h)
		case !empty && !strings.EqualFold(nameOf(e), "hint"): // what a parameter or a variable is given is found there
			t.Errorf("%s: the hint is no text of the source", h.at)
		}
	}
	each(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if pair, ok := e.(*ast.KeyValueExpr); ok && nameOf(pair.Key) == "Hint" {
					add(pair.Value, n.Elts)
				}
			}
		case *ast.CallExpr:
			if i, ok := places[key(n.Fun)]; ok && i < len(n.Args) {
				add(n.Args[i], n.Args)
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if strings.EqualFold(nameOf(left), "hint") && len(n.Rhs) == len(n.Lhs) {
					add(n.Rhs[i], nil)
				}
			}
		}
	})
	return hints
}

// nameOf returns the last name of an identifier or a selector.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
