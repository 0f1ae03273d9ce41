package core_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// TestRunners_T217: the runners in Python and Node, written from docs/protocols.md, agree
// with every vector of the schemes that they have, name the schemes that they skip, and fail
// if one byte of a vector is changed.
func TestRunners_T217(t *testing.T) {
	needs.Long(t) // runs Python and Node over every published request
	const published = "testdata/vectors"
	files, err := vectors.Load(os.DirFS(published))
	if err != nil {
		t.Fatal(err)
	}
	colliding, err := vectors.LoadCollisions(os.DirFS(published))
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]bool{"hmac": true, "aksk": true, "v11": true, "sigv4": true}
	line := func(folder, scheme string, requests int) string {
		text := fmt.Sprintf("%s%s: %d requests", folder, scheme, requests)
		if !runs[scheme] {
			text += " skipped"
		}
		return text
	}
	var want []string
	for _, f := range files {
		want = append(want, line("", f.Scheme, len(f.Vectors)))
	}
	for _, f := range colliding {
		requests := 0
		for _, c := range f.Vectors {
			requests += len(c.Requests)
		}
		want = append(want, line("collisions/", f.Scheme, requests))
	}
	for _, runner := range []struct{ program, debian, script string }{
		{"python3", "python3", "verify.py"}, {"node", "nodejs", "verify.mjs"},
	} {
		t.Run(runner.script, func(t *testing.T) {
			program := needs.Program(t, runner.program, runner.debian)
			run := func(folder string) (string, error) {
				out, err := exec.CommandContext(t.Context(), program, filepath.Join(published, runner.script), folder).CombinedOutput()
				return string(out), err
			}
			out, err := run(published)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, text := range want {
				if !strings.Contains("\n"+out, "\n"+text+"\n") {
					t.Errorf("the output has no line %q:\n%s", text, out)
				}
			}
			faulty := t.TempDir()
			if err := os.CopyFS(faulty, os.DirFS(published)); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, fault := range runnerFaults {
				names = append(names, fault.put(t, faulty))
			}
			out, err = run(faulty)
			for _, name := range names {
				if err == nil || !strings.Contains(out, name+": got ") {
					t.Errorf("error %v, and the output does not name the changed vector %q:\n%.2000s", err, name, out)
				}
			}
			runnerFault{"sigv4.json", `"policy": {`, `"polizy": {`, 0}.put(t, faulty)
			if out, err := run(faulty); err == nil || !strings.Contains(out, "unknown field") {
				t.Errorf("got error %v, want one for the unknown field:\n%.2000s", err, out)
			}
			if out, err := run(t.TempDir()); err == nil {
				t.Errorf("it passes without files:\n%s", out)
			}
		})
	}
}

// A runnerFault is a change of one byte of a file, at an occurrence of a text.
type runnerFault struct {
	file, old, changed string
	occurrence         int
}

var runnerFaults = []runnerFault{
	{"hmac.json", `"code": "signature_mismatch"`, `"code": "signature_misMatch"`, 3},
	{"hmac.json", `"request": "R0VUIC92`, `"request": "R0VUIC93`, 1}, // GET /v becomes GET /w
	{"aksk.json", `GET\n/v1/items/\n`, `GET\n/v1/itemz/\n`, 3},
	{"v11.json", `V11-HMAC-SHA256\n20260115T120000Z`, `V11-HMAC-SHA256\n20260115T120001Z`, 3},
	{"sigv4.json", `"secret": 0,`, `"secret": 1,`, 5},
	{"sigv4.json", `"payload": "hashed"`, `"payload": "hasheD"`, 7},
	{"sigv4.json", `"at": "2026`, `"at": "2025`, 9},
	{"collisions/hmac.json", `"code": "request_ambiguous"`, `"code": "request_ambiguouS"`, 1},
	{"collisions/sigv4.json", `GET\n/v1/items\n`, `GET\n/v1/itemz\n`, 2},
}

// put makes the change in a folder, and returns the name of the changed vector.
func (f runnerFault) put(t *testing.T, folder string) string {
	t.Helper()
	path := filepath.Join(folder, f.file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(text), f.old, f.occurrence+2)
	if len(parts) != f.occurrence+2 || len(f.old) != len(f.changed) {
		t.Fatalf("%s has too few %q: change the test", f.file, f.old)
	}
	before := strings.Join(parts[:f.occurrence+1], f.old)
	if err := os.WriteFile(path, []byte(before+f.changed+parts[f.occurrence+1]), 0o600); err != nil {
		t.Fatal(err)
	}
	const named = "\n      \"name\": \""
	name, _, _ := strings.Cut(before[strings.LastIndex(before, named)+len(named):], `"`)
	return strings.TrimSuffix(f.file, ".json") + "/" + name
}
