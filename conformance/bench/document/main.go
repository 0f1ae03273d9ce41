// Command document runs the other programs and replaces the tables in docs/performance.md,
// between the comments with the name of a program:
//
//	go -C conformance run ./bench/document
//
// What follows its own flags are flags of the programs:
//
//	go -C conformance run ./bench/document -only endtoend -- -rounds 9
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// programs run one after the other. Nothing else should run at the same time.
var programs = []string{"ratios", "verdicts", "adapters", "endtoend", "memory", "replay"}

func main() {
	path := flag.String("path", "../docs/performance.md", "the document")
	only := flag.String("only", "", "run only the programs whose name contains this")
	flag.Parse()
	for _, name := range programs {
		if !strings.Contains(name, *only) {
			continue
		}
		if err := replace(*path, name, flag.Args()); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

func replace(path, name string, flags []string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := []byte("<!-- "+name+" -->\n"), []byte("<!-- end of "+name+" -->\n")
	head, rest, found := bytes.Cut(text, begin)
	_, tail, ended := bytes.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s has no comments for this program", path)
	}
	run := exec.Command("go", append([]string{"run", "./bench/" + name, "-markdown"}, flags...)...)
	run.Stderr = os.Stderr
	tables, err := run.Output()
	if err != nil {
		return err
	}
	return os.WriteFile(path, bytes.Join([][]byte{head, begin, []byte("\n"), tables, end, tail}, nil), 0o644)
}
