package gatewayauth_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTraceability: every case of docs/cases.md and every promise of SECURITY.md names tests that
// exist and carry the case, every test that carries the id of a case is named by that case,
// and the tests that other documents name exist.
func TestTraceability(t *testing.T) {
	for _, fault := range newTraces(t).faults() {
		t.Error(fault)
	}
}

// traces is what is compared.
type traces struct {
	cases, security string
	others          map[string]string            // documents that name tests, by path
	tests           map[string]map[string]string // package, name of a test: its comment and code
	suite           map[string]bool              // ids of the cases of core/coretest
	found           []string
}

const suitePackage = "core/coretest"

var (
	caseID   = regexp.MustCompile(`\b(?:T\d{3}|[FD]\d{2})\b`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)
)

func newTraces(t *testing.T) *traces {
	tr := &traces{cases: read(t, "docs/cases.md"), security: read(t, "SECURITY.md"),
		others: map[string]string{}, tests: map[string]map[string]string{}, suite: map[string]bool{}}
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(documents, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		tr.others[path] = read(t, path)
	}
	for _, path := range goFiles(t, ".") {
		if pkg := filepath.ToSlash(filepath.Dir(path)); strings.HasSuffix(path, "_test.go") || pkg == suitePackage {
			tr.readFile(t, pkg, path)
		}
	}
	return tr
}

func (tr *traces) clone() *traces {
	c := &traces{cases: tr.cases, security: tr.security, others: maps.Clone(tr.others), tests: map[string]map[string]string{}, suite: maps.Clone(tr.suite)}
	for pkg, tests := range tr.tests {
		c.tests[pkg] = maps.Clone(tests)
	}
	return c
}

// readFile notes the tests of a file, or the cases of a file of core/coretest.
func (tr *traces) readFile(t *testing.T, pkg, path string) {
	source, files := read(t, path), token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, "_test.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, _ := strconv.Unquote(literal.Value)
				if id, _, _ := strings.Cut(text, " "); id != "" && caseID.FindString(id) == id {
					tr.suite[id] = true
				}
			}
			return true
		})
		return
	}
	if tr.tests[pkg] == nil {
		tr.tests[pkg] = map[string]string{}
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && testName.MatchString(f.Name.Name) {
			tr.tests[pkg][f.Name.Name] += f.Doc.Text() + source[files.Position(f.Pos()).Offset:files.Position(f.End()).Offset]
		}
	}
}

func (tr *traces) faultf(format string, args ...any) {
	tr.found = append(tr.found, fmt.Sprintf(format, args...))
}

// faults returns what does not fit together.
func (tr *traces) faults() []string {
	tr.compareCases()
	tr.comparePromises()
	names := map[string]bool{}
	for _, tests := range tr.tests {
		for name := range tests {
			names[name] = true
		}
	}
	for path, text := range tr.others {
		for _, name := range testName.FindAllString(text, -1) {
			if !names[name] {
				tr.faultf("%s: there is no %s", path, name)
			}
		}
	}
	return tr.found
}

func (tr *traces) compareCases() {
	rows := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([TFD]\d+) \| [^|]+ \| ([^|]+) \|$`).FindAllStringSubmatch(tr.cases, -1) {
		if rows[m[1]] != "" {
			tr.faultf("%s: docs/cases.md has two rows", m[1])
		}
		rows[m[1]] = m[2]
	}
	for id, where := range rows {
		if !strings.HasPrefix(where, "not ") {
			tr.compareCase(id, where)
		}
	}
	// The numbers have no gaps: a row that names no test cannot disappear either.
	mentioned := caseID.FindAllString(tr.cases, -1)
	for letter, last := range map[string]int{"T%03d": 191, "F%02d": 24, "D%02d": 3} {
		for n := range last {
			mentioned = append(mentioned, fmt.Sprintf(letter, n+1))
		}
	}
	mentioned = slices.AppendSeq(mentioned, maps.Keys(tr.suite))
	for id := range tr.suite {
		if !slices.ContainsFunc(references(rows[id]), func(r reference) bool { return r.pkg == suitePackage && len(r.names) == 0 }) {
			tr.faultf("%s: does not name %s", id, suitePackage)
		}
	}
	for pkg, tests := range tr.tests {
		if pkg == "." {
			continue // this test names ids that are none
		}
		for name, text := range tests {
			mentioned = append(mentioned, caseID.FindAllString(text, -1)...)
			for _, id := range idsOf(name) {
				mentioned = append(mentioned, id)
				if !slices.ContainsFunc(references(rows[id]), func(r reference) bool { return r.pkg == pkg && slices.Contains(r.names, name) }) {
					tr.faultf("%s: does not name %s of %s", id, name, pkg)
				}
			}
		}
	}
	slices.Sort(mentioned)
	for _, id := range slices.Compact(mentioned) {
		if rows[id] == "" {
			tr.faultf("%s: docs/cases.md has no row", id)
		}
	}
}

// compareCase: the tests of a row exist, and each carries the id in its name, in its comment
// or in its code.
func (tr *traces) compareCase(id, where string) {
	named := 0
	for _, r := range references(where) {
		if r.pkg == suitePackage && len(r.names) == 0 {
			if named++; !tr.suite[id] {
				tr.faultf("%s: %s has no case", id, suitePackage)
			}
		}
		for _, name := range r.names {
			text, exists := tr.tests[r.pkg][name]
			if named++; !exists {
				tr.faultf("%s: there is no %s in %s", id, name, r.pkg)
			} else if !slices.Contains(idsOf(name), id) && !mentions(text, id) {
				tr.faultf("%s: %s of %s does not carry it", id, name, r.pkg)
			}
		}
	}
	if named == 0 {
		tr.faultf("%s: neither names a test, nor says why there is none: %q", id, where)
	}
}

// comparePromises: every promise names tests that exist. A package below conformance that
// stands alone means all its tests.
func (tr *traces) comparePromises() {
	_, promised, _ := strings.Cut(tr.security, "## What is promised")
	promised, _, _ = strings.Cut(promised, "\n## ")
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|$`).FindAllStringSubmatch(promised, -1)
	if len(rows) < 24 {
		tr.faultf("SECURITY.md: only %d promises are found", len(rows))
	}
	for _, row := range rows {
		named := row[1] == "promise"
		for _, r := range references(row[2]) {
			for _, name := range r.names {
				if tr.tests[r.pkg][name] == "" {
					tr.faultf("SECURITY.md: there is no %s in %s", name, r.pkg)
				}
			}
			for _, id := range r.ids {
				if !tr.has(r.pkg, id) {
					tr.faultf("SECURITY.md: %s has no %s", r.pkg, id)
				}
			}
			whole := strings.HasPrefix(r.pkg, "conformance/") && len(tr.tests[r.pkg]) > 0
			if alone := len(r.names)+len(r.ids) == 0; alone && !whole {
				tr.faultf("SECURITY.md: %q names %s without a test", row[1], r.pkg)
			}
			named = true
		}
		if !named {
			tr.faultf("SECURITY.md: %q names no test", row[1])
		}
	}
}

// has reports whether a test of pkg, or a case of core/coretest, has an id in its name.
func (tr *traces) has(pkg, id string) bool {
	for name := range tr.tests[pkg] {
		if slices.Contains(idsOf(name), id) {
			return true
		}
	}
	return pkg == suitePackage && tr.suite[id]
}

// A reference is a package and the tests and ids behind it.
type reference struct {
	pkg        string
	names, ids []string
}

func references(text string) (list []reference) {
	for _, m := range regexp.MustCompile("`([a-z0-9/]+)`([^`]*)").FindAllStringSubmatch(text, -1) {
		list = append(list, reference{m[1], testName.FindAllString(m[2], -1), caseID.FindAllString(testName.ReplaceAllString(m[2], ""), -1)})
	}
	return list
}

// idsOf returns the ids that stand behind the name of a test.
func idsOf(name string) []string {
	_, ids, _ := strings.Cut(name, "_")
	return caseID.FindAllString(strings.ReplaceAll(ids, "_", " "), -1)
}

// mentions reports whether text has an id, alone or within a range.
func mentions(text, id string) bool {
	for _, m := range regexp.MustCompile(`([TF]\d+) to ([TF]\d+)`).FindAllStringSubmatch(text, -1) {
		if m[1] <= id && id <= m[2] {
			return true
		}
	}
	return slices.Contains(caseID.FindAllString(text, -1), id)
}
