package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A target is a package with all of its mutants in place.
type target struct {
	dir     string // of the package
	mutants []mutant
	source  string // hash of the unchanged source
	overlay string // file for go test's -overlay
	lost    int    // mutants left out, since their lines did not compile
}

// listed is what `go list` tells about a package.
type listed struct {
	Dir, ImportPath, Export string
	GoFiles                 []string
	DepOnly                 bool
}

// instrument writes the mutated package to folder work.
func instrument(dir, work string) (*target, error) {
	packages, err := list(dir)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	var self listed
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			self = p
		}
	}
	fset := token.NewFileSet()
	hash := sha256.New()
	var files []*ast.File
	var sources [][]byte
	for _, name := range self.GoFiles {
		source, err := os.ReadFile(filepath.Join(self.Dir, name))
		if err != nil {
			return nil, err
		}
		hash.Write(source)
		file, err := parser.ParseFile(fset, filepath.Join(self.Dir, name), source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files, sources = append(files, file), append(sources, source)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	checker := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	pkg, err := checker.Check(self.ImportPath, fset, files, info)
	if err != nil {
		return nil, err
	}

	t := &target{dir: self.Dir, source: fmt.Sprintf("%x", hash.Sum(nil)[:8]), overlay: filepath.Join(work, "overlay.json")}
	skip := map[string]bool{}
	for before := -1; ; before = len(skip) {
		m := &mutator{fset: fset, info: info, pkg: pkg, skip: skip}
		replace := map[string]string{}
		for i, file := range files {
			path := filepath.Join(work, fmt.Sprintf("%d_%s", i, self.GoFiles[i]))
			replace[filepath.Join(self.Dir, self.GoFiles[i])] = path
			if err := os.WriteFile(path, m.mutateFile(file, sources[i]), 0o644); err != nil {
				return nil, err
			}
		}
		path := filepath.Join(work, "support.go")
		replace[filepath.Join(self.Dir, "mutation_support.go")] = path
		if err := os.WriteFile(path, []byte("package "+pkg.Name()+"\n"+support), 0o644); err != nil {
			return nil, err
		}
		content, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(t.overlay, content, 0o644); err != nil {
			return nil, err
		}
		if t.mutants == nil {
			t.lost = len(m.mutants)
		}
		t.mutants = m.mutants
		out, err := run(self.Dir, "go", "build", "-gcflags=-e", "-overlay", t.overlay, ".")
		if err == nil {
			t.lost -= len(t.mutants)
			return t, nil
		}
		for _, at := range regexp.MustCompile(`(?m)^\S*?([^/\s:]+\.go:\d+):`).FindAllStringSubmatch(out, -1) {
			base := at[1]
			if i := strings.IndexByte(base, '_'); i > 0 && strings.Trim(base[:i], "0123456789") == "" {
				base = base[i+1:]
			}
			skip[base] = true
		}
		if len(skip) <= max(before, 0) {
			return nil, fmt.Errorf("the mutated package does not compile: %s", out)
		}
	}
}

func list(dir string) ([]listed, error) {
	out, err := run(dir, "go", "list", "-export", "-deps", "-json=Dir,ImportPath,Export,GoFiles,DepOnly", ".")
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, out)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// run returns what the command printed.
func run(dir string, command ...string) (string, error) {
	var out bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &out
	err := c.Run()
	return out.String(), err
}
