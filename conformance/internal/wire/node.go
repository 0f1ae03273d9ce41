package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// SignWithNode runs node/sign.js of the test's folder for the cases, with env added to
// its environment, and returns the bytes that are sent for each, by name. The program
// prints {"name", "raw"} or {"name", "error"} for each case.
func SignWithNode[C any](t *testing.T, cases []C, env ...string) map[string][]byte {
	t.Helper()
	needs.Long(t) // npm installs from a registry
	node, npm := needs.Program(t, "node", "nodejs"), needs.Program(t, "npm", "npm")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "sign.js"} {
		content, err := os.ReadFile(filepath.Join("node", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(input []byte, program string, args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Stdin, cmd.Env = dir, bytes.NewReader(input), append(os.Environ(), env...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		output, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s%s", filepath.Base(program), strings.Join(args, " "), err, output, &stderr)
		}
		return output
	}
	// A clean installation from the lock file, independent of installed packages.
	run(nil, npm, "ci", "--omit=dev", "--ignore-scripts", "--loglevel=error")
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	raws := make(map[string][]byte, len(cases))
	for decoder := json.NewDecoder(bytes.NewReader(run(input, node, "sign.js"))); decoder.More(); {
		var line struct {
			Name  string
			Raw   []byte
			Error string
		}
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Error != "" {
			t.Errorf("%s: not sent: %s", line.Name, line.Error)
		}
		raws[line.Name] = line.Raw
	}
	if len(raws) != len(cases) {
		t.Fatalf("got %d signed requests for %d cases", len(raws), len(cases))
	}
	return raws
}
