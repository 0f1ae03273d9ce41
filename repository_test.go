package gatewayauth_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/gatewayauth/gatewayauth"

// TestCoreLinksTheStandardLibraryAlone: who imports core, core/apig and nethttp
// links nothing of anybody else.
func TestCoreLinksTheStandardLibraryAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}",
		"./core", "./core/apig", "./core/basic", "./core/sigv4", "./core/aescfb", "./core/token", "./core/replay", "./nethttp").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Fields(string(out))
	if len(found) < 5 {
		t.Fatalf("go list named only %v", found)
	}
	for _, path := range found {
		if !strings.HasPrefix(path, module+"/") {
			t.Errorf("%s is linked", path)
		}
	}
}

// TestConfigLinksWhatIsAskedFor: who imports core/config links neither the client of
// Redis nor the algorithms SM2 and SM3; each is linked by the package that adds it.
func TestConfigLinksWhatIsAskedFor(t *testing.T) {
	const redis, sm = "github.com/redis/rueidis", "github.com/emmansun/gmsm"
	for pkg, linked := range map[string]map[string]bool{
		"./core/config":            {redis: false, sm: false},
		"./core/config/redisstore": {redis: true, sm: false},
		"./core/config/smkeys":     {redis: false, sm: true},
		"./examples/observability": {redis: false, sm: false},
		"./cmd/gatewayauth":        {redis: true, sm: true},
	} {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for module, want := range linked {
			if got := strings.Contains(string(out), module); got != want {
				t.Errorf("%s links %s: %t, want %t", pkg, module, got, want)
			}
		}
	}
}

// TestImportsRunOneWay: core imports nothing of ours but what is internal to it,
// and schemes do not know adapters, configuration or each other.
func TestImportsRunOneWay(t *testing.T) {
	for pkg, allowed := range map[string]string{
		"./core":                   `^core/internal/`,
		"./core/apig":              `^core$|^core/(apig/)?internal/|^internal/signature$`,
		"./core/basic":             `^core$|^core/internal/`,
		"./core/apig/sm":           `^core$|^core/apig$|^core/(apig/)?internal/|^internal/signature$`,
		"./core/sigv4":             `^core$|^core/internal/|^internal/(signature|lowerhex)$`,
		"./core/aescfb":            `^core$|^core/apig$|^core/internal/|^internal/lowerhex$`,
		"./core/token":             `^core$|^core/internal/`,
		"./core/signer":            `^core$|^core/internal/`,
		"./core/explain":           `^core$|^core/(explain/)?internal/`,
		"./core/replay":            `^core$`,
		"./core/replay/redis":      `^core$`,
		"./core/telemetry":         `^core$|^core/replay$`,
		"./core/config":            `^core$|^core/[a-z0-9]+$|^core/config/internal/`,
		"./core/config/redisstore": `^core/config$|^core/replay/redis$`,
		"./core/config/smkeys":     `^core$|^core/config$|^core/apig/sm$`,
		"./nethttp":                `^core$`,
		"./echoauth":               `^core$|^echoauth/internal/`,
		"./echoauth/v5":            `^core$|^echoauth/internal/`,
		"./ginauth":                `^core$`,
		"./grpcauth":               `^core$|^core/signer$`,
	} {
		out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(string(out)) {
			ours, ok := strings.CutPrefix(path, module+"/")
			if ok && !regexp.MustCompile(allowed).MatchString(ours) {
				t.Errorf("%s imports %s", pkg, ours)
			}
		}
	}
}

// TestExportedNamesAreDocumented over every package that users can import.
func TestExportedNamesAreDocumented(t *testing.T) {
	seen := 0
	for _, path := range goFiles(t, ".") {
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "internal/") || strings.HasPrefix(path, "conformance/") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		undocumented := func(name string, doc ...*ast.CommentGroup) {
			seen++
			for _, d := range doc {
				if d.Text() != "" {
					return
				}
			}
			t.Errorf("%s: %s has no comment", path, name)
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
					undocumented(d.Name.Name, d.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						if s.Name.IsExported() {
							undocumented(s.Name.Name, s.Doc, d.Doc)
						}
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if name.IsExported() {
								undocumented(name.Name, s.Doc, s.Comment, d.Doc)
							}
						}
					}
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d exported names were seen", seen)
	}
}

func receiver(f *ast.FuncDecl) string {
	expr := f.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if ident, ok := expr.(*ast.Ident); ok {
		return ident.Name
	}
	return ""
}

func goFiles(t *testing.T, root string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") {
			paths = append(paths, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestDocumentsHoldCheckedCode: every Go and YAML block of the documents stands, line by
// line, in a file of the repository that is compiled or loaded by a test. The
// comment in front of a block names the file.
func TestDocumentsHoldCheckedCode(t *testing.T) {
	block := regexp.MustCompile("(?ms)(?:^<!-- (\\S+) -->\n)?^```(go|yaml)\n(.*?)^```$")
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, document := range append(documents, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range block.FindAllStringSubmatch(string(text), -1) {
			blocks++
			source, err := os.ReadFile(match[1])
			if err != nil {
				t.Errorf("%s: a block that starts with %q names no file: %v", document, firstLine(match[3]), err)
				continue
			}
			if match[2] == "go" && strings.HasPrefix(strings.TrimSpace(match[3]), "//") {
				t.Errorf("%s: the block is a comment, which nobody compiles:\n%s", document, match[3])
			}
			if !strings.Contains(unindent(string(source)), unindent(match[3])) {
				t.Errorf("%s: the block does not stand in %s:\n%s", document, match[1], match[3])
			}
		}
	}
	if blocks < 3 {
		t.Errorf("only %d blocks were found", blocks)
	}
}

func firstLine(s string) string { line, _, _ := strings.Cut(s, "\n"); return line }

func unindent(s string) string {
	return regexp.MustCompile(`(?m)^[ \t]+`).ReplaceAllString(s, "")
}

// TestREADMECommands: the two commands that everything else is tried with.
func TestREADMECommands(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"go run ./examples/quickstart", "go test ./... && go -C conformance test ./... && go run ./internal/needs/missing"} {
		if !regexp.MustCompile(`(?m)^ *` + regexp.QuoteMeta(command) + `$`).Match(text) {
			t.Errorf("README.md has no line %q", command)
		}
	}
}

// TestArchitectureNamesFiles: the files and folders that docs/architecture.md names exist.
func TestArchitectureNamesFiles(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "## Where to make a change")
	named := 0
	for _, m := range regexp.MustCompile("`([a-zA-Z]+(?:/[a-zA-Z0-9_]+)*(?:\\.(?:go|md))?)`").FindAllStringSubmatch(table, -1) {
		if path := m[1]; strings.ContainsAny(path, "/.") {
			named++
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
	}
	if !found || named < 15 {
		t.Errorf("the table names %d files", named)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
