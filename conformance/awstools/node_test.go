package awstools_test

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

// nodeCase is one request for node/sign.js.
type nodeCase struct {
	Name      string `json:"name"`
	Tool      string `json:"tool"`
	Presigned bool   `json:"presigned,omitempty"`
	Service   string `json:"service"`
	Region    string `json:"region"`
	Token     string `json:"token,omitempty"`
	nodeRequest

	expected expected
}

// nodeRequest is what an application hands to a signer. Header and query values
// are strings or lists; of aws4 and aws4fetch, the path holds the query.
type nodeRequest struct {
	Method  string         `json:"method"`
	Path    string         `json:"path"`
	Query   map[string]any `json:"query,omitempty"`
	Headers map[string]any `json:"headers,omitempty"`
	Body    []byte         `json:"body,omitempty"`
	Options map[string]any `json:"options,omitempty"`
}

// TestNode signs the grid with every signer on npm.
func TestNode(t *testing.T) {
	cases := nodeCases()
	raws := signWithNode(t, cases)
	counts := map[string]*totals{}
	for _, c := range cases {
		if counts[c.Tool] == nil {
			counts[c.Tool] = count(t, c.Tool)
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			counts[c.Tool].try(t, c.expected, raws[c.Name])
		})
	}
}

// signWithNode returns what the signers send for each case, by its name.
func signWithNode(t *testing.T, cases []nodeCase) map[string][]byte {
	t.Helper()
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
	// A fresh installation from the lock file, whatever a developer has installed.
	runNode(t, dir, nil, npm, "ci", "--omit=dev", "--ignore-scripts", "--loglevel=error")
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	output := runNode(t, dir, input, node, "sign.js")

	raws := make(map[string][]byte, len(cases))
	for decoder := json.NewDecoder(bytes.NewReader(output)); decoder.More(); {
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

func runNode(t *testing.T, dir string, input []byte, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "SIGN_ID="+keyID, "SIGN_SECRET="+secret)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(program), strings.Join(args, " "), err, output, &stderr)
	}
	return output
}
