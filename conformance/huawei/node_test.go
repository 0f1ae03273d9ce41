package huawei_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// options are what an application hands to the Node SDK.
type options struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Query       map[string]any    `json:"queryParams,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Data        any               `json:"data,omitempty"`
}

// nodeCase is one request for node/sign.js, and its verdict.
type nodeCase struct {
	Name    string  `json:"name"`
	Options options `json:"options"`
	Binary  []byte  `json:"dataBase64,omitempty"`
	Derived bool    `json:"derived,omitempty"`

	scheme func(...core.Key) core.Scheme
	want   core.Code // "" is acceptance
	why    string    // for refusals
}

// unsigned reports whether the SDK declares the body unsigned: for all content
// types but JSON. The client writes every JSON type as application/json.
func (c *nodeCase) unsigned() bool {
	return c.Options.ContentType != "" && !strings.Contains(c.Options.ContentType, typeJSON)
}

// TestNodeSDK is TestGoSDK and TestGoSDKRefused for the SDK on npm. That one
// signs the host, and the content type where the application gives one.
func TestNodeSDK(t *testing.T) {
	var cases []nodeCase
	for _, a := range algorithms {
		if !a.npm {
			continue
		}
		for _, c := range nodeCases() {
			c.Name, c.Derived, c.scheme = a.name+"/"+c.Name, a.scoped, a.scheme
			cases = append(cases, c)
		}
	}
	raws := signWithNode(t, cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			backend := wire.Start(t, core.Config{
				Environment: "prod", Schemes: []core.Scheme{c.scheme(orders)}, Default: "orders",
				AllowUnsignedPayload: c.unsigned(),
			})
			raw := raws[c.Name]
			if c.want != "" {
				refused(t, backend, raw, c.want)
				if t.Failed() {
					t.Logf("want %q: %s", c.want, c.why)
				}
				return
			}
			id := accepted(t, backend, raw, bodyOf(t, raw))
			if name, _, _ := strings.Cut(c.Name, "/"); id.Algorithm() != name {
				t.Errorf("got algorithm %q, want %q", id.Algorithm(), name)
			}
			if got := id.Covers(); !got.Host || !got.Target || got.Body == c.unsigned() {
				t.Errorf("got coverage %+v", got)
			}
			l := wire.Parse(t, raw)
			refused(t, backend, oneSecondLater(t, l), core.CodeSignatureMismatch)
			tamper(t, backend, l, l.Changes(seeded(t)))
		})
	}
}

// signWithNode returns what the SDK sends for each case, by its name.
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
	run(t, dir, nil, npm, "ci", "--omit=dev", "--ignore-scripts", "--loglevel=error")
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	output := run(t, dir, input, node, "sign.js")

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
			t.Errorf("%s: the SDK does not send: %s", line.Name, line.Error)
		}
		raws[line.Name] = line.Raw
	}
	if len(raws) != len(cases) {
		t.Fatalf("got %d signed requests for %d cases", len(raws), len(cases))
	}
	return raws
}

func run(t *testing.T, dir string, input []byte, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "SDK_AK="+keyID, "SDK_SK="+secret, "SDK_REGION="+region, "SDK_SERVICE="+service)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(program), strings.Join(args, " "), err, output, &stderr)
	}
	return output
}
