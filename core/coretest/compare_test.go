package coretest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretive matches the names of values that only the constant-time functions
// crypto/hmac.Equal and crypto/subtle may compare.
var secretive = regexp.MustCompile(`(?i)signature|secret|token|passw|digest|reveal`)

// comparing has functions that stop at the first difference.
var comparing = []string{"bytes.Equal", "bytes.EqualFold", "bytes.Compare", "bytes.HasPrefix", "strings.EqualFold", "strings.Compare",
	"strings.HasPrefix", "slices.Equal", "slices.Compare", "reflect.DeepEqual", "maps.Equal"}

// TestComparisons (T132): the source of core and of all packages below it compares no
// secret in variable time.
func TestComparisons(t *testing.T) {
	set := token.NewFileSet()
	var files []*ast.File
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if filepath.Base(filepath.Dir(path)) == "coretest" {
			return nil // the signing side: it owns the secrets that it compares
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		files = append(files, file)
		return err
	})
	if err != nil || len(files) < 10 {
		t.Fatalf("read %d files of core, error %v; want all", len(files), err)
	}
	for _, found := range comparisons(files) {
		t.Errorf("%s: the time of this comparison depends on a secret: use hmac.Equal or crypto/subtle", set.Position(found.Pos()))
	}
}

// TestComparisonsFinds: the rule finds comparisons of each kind.
func TestComparisonsFinds(t *testing.T) {
	const source = `package p
const algorithm, emptySecret = "A", ""
func f(got, want, token string, c struct{ Signature string }, digest []byte, secrets []string) {
	_ = c.Signature == want            // 1
	_ = bytes.Equal(digest, nil2)      // 2
	_ = strings.EqualFold(got, token)  // 3
	_ = token != got                   // 4
	switch got { case c.Signature: }   // 5
	switch token { case got: }         // 6
	_ = secrets[0] == want             // 7
	_ = key.Secret.Reveal() == want    // 8
	_ = c.Signature == "" || token != algorithm || digest == nil || len(token) == 4 || token == emptySecret
	_ = strings.EqualFold(token, algorithm) || hmac.Equal(digest, digest) || got == want
	switch token { case algorithm, "B": }
}`
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, found := range comparisons([]*ast.File{file}) {
		lines = append(lines, set.Position(found.Pos()).Line-3)
	}
	if !slices.Equal(lines, []int{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("found lines %v, want 1 to 8", lines)
	}
}

// comparisons returns the nodes that compare a value with a secretive name to something
// other than a constant, nil or a length.
func comparisons(files []*ast.File) (found []ast.Node) {
	fixed := constants(files)
	bad := func(a, b ast.Expr) bool {
		return (isSecretive(a) || isSecretive(b)) && !isFixed(a, fixed) && !isFixed(b, fixed)
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && bad(n.X, n.Y) {
					found = append(found, n)
				}
			case *ast.CallExpr:
				if slices.Contains(comparing, nameOf(n.Fun)) && len(n.Args) == 2 && bad(n.Args[0], n.Args[1]) {
					found = append(found, n)
				}
			case *ast.SwitchStmt:
				for _, clause := range n.Body.List {
					for _, value := range clause.(*ast.CaseClause).List {
						if n.Tag != nil && bad(n.Tag, value) {
							found = append(found, value)
						}
					}
				}
			}
			return true
		})
	}
	return found
}

// constants returns the names of all constants, and of variables that are lists of
// literals.
func constants(files []*ast.File) map[string]bool {
	fixed := map[string]bool{"nil": true}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if i < len(spec.Values) && literal(spec.Values[i]) {
					fixed[name.Name] = true
				}
			}
			return true
		})
	}
	return fixed
}

// literal reports whether an expression consists of literals only.
func literal(e ast.Expr) bool {
	list, ok := e.(*ast.CompositeLit)
	if !ok {
		_, ok = e.(*ast.BasicLit)
		return ok
	}
	return !slices.ContainsFunc(list.Elts, func(e ast.Expr) bool { return !literal(e) })
}

func isFixed(e ast.Expr, fixed map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return fixed[e.Name]
	case *ast.SelectorExpr:
		return fixed[e.Sel.Name]
	case *ast.SliceExpr:
		return isFixed(e.X, fixed)
	case *ast.CallExpr:
		return nameOf(e.Fun) == "len"
	case *ast.BinaryExpr:
		return isFixed(e.X, fixed) && isFixed(e.Y, fixed)
	}
	return false
}

func isSecretive(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.IndexExpr:
		return isSecretive(e.X)
	case *ast.SliceExpr:
		return isSecretive(e.X)
	case *ast.StarExpr:
		return isSecretive(e.X)
	case *ast.ParenExpr:
		return isSecretive(e.X)
	case *ast.CallExpr: // a conversion, or Reveal
		return isSecretive(e.Fun) || len(e.Args) == 1 && nameOf(e.Fun) != "len" && isSecretive(e.Args[0])
	case *ast.Ident, *ast.SelectorExpr:
		name := nameOf(e)
		return secretive.MatchString(name[strings.LastIndexByte(name, '.')+1:])
	}
	return false
}

// nameOf returns the text of an identifier, or of a selector of one.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return nameOf(e.X) + "." + e.Sel.Name
	}
	return ""
}
