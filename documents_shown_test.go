package gatewayauth_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	shell "mvdan.cc/sh/v3/syntax"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
)

// A shown is what a document shows as code: a block, or a text between backquotes.
type shown struct {
	where, text string
	block       bool
}

// shownIn returns the blocks of a page that are not of Go, which
// TestDocumentsHoldCheckedCode looks at, and the texts between backquotes.
func shownIn(name, page string) (all []shown) {
	rest := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$").ReplaceAllStringFunc(page, func(block string) string {
		first, body, _ := strings.Cut(block, "\n")
		if first != "```go" {
			all = append(all, shown{name, unindentBlock(strings.TrimSuffix(body, "```")), true})
		}
		return "\n"
	})
	rest = regexp.MustCompile(`(?m)(?:^(?: {4}|\t).*\n|^\n)+`).ReplaceAllStringFunc(rest, func(block string) string {
		for _, text := range regexp.MustCompile(`\n{2,}`).Split(block, -1) {
			if text = unindentBlock(text); text != "" {
				all = append(all, shown{name, text, true})
			}
		}
		return "\n\n"
	})
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(rest, -1) {
		all = append(all, shown{name, strings.Join(strings.Fields(m[1]), " "), false})
	}
	return all
}

// unindentBlock removes the blanks that all lines begin with.
func unindentBlock(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for lines[0] != "" && !slices.ContainsFunc(lines, func(l string) bool { return !strings.HasPrefix(l, " ") }) {
		for i := range lines {
			lines[i] = lines[i][1:]
		}
	}
	return strings.TrimRight(strings.Join(lines, "\n"), " \n")
}

// programs are what a line of a shell begins with in the documents. Those of this module are
// checked, of the others only the syntax is.
var programs = regexp.MustCompile(`(?m)^\s*(?:[A-Z_]+=\S+ )*(?:\$ )?(gatewayauth|go|curl|export|grep|redis-cli|timedatectl|chronyc|df|docker|python3|apt-get|mkdir|promtool|git|sha256sum|govulncheck|/usr/sbin/nginx|\.ci/[a-z]+)(?: |$)|^[A-Z]+=/|^[A-Z]+=http`)

// outputs are the blocks that are neither commands nor YAML, by how they begin.
var outputs = []string{
	"caller ----> API gateway",      // README.md: a picture
	"core/                  one",    // docs/architecture.md: files
	"gateway --> guard",             // docs/deployment.md: a picture
	"# yaml-language-server:",       // docs/operating.md: the address is tested in core/config
	"REQUEST                ANSWER", // docs/operating.md: probe
	"ACL SETUSER ",                  // docs/operating.md: tested in core/replay/redis
	"level=ERROR msg=",              // docs/operating.md: TestNotWritten_T229
	"2 requests, from",              // docs/troubleshooting.md: explain
	"Is the response from",          // docs/unauthorized.md: a picture
	"HTTP/1.1 401",                  // docs/unauthorized.md: TestUnauthorized
	"v, err := config.Watch(",       // docs/operating.md: an example of core/config
	"retry_count: -1",               // of the gateway
	"sleep: {seconds: 5}",           // docs/deployment.md: Kubernetes
	`{"title":"Unauthorized"`,       // docs/unauthorized.md: TestUnauthorized
	"level=WARN msg=",               // docs/unauthorized.md: a record
	"key         secret",            // examples/observability: its page
	"scrape_configs:",               // examples/observability: Prometheus
}

// TestDocumentsShowWhatRuns: every block of the documents is one of commands whose programs,
// packages and flags exist, or YAML that core/config loads, or output; and so is what stands between
// backquotes and looks like one.
func TestDocumentsShowWhatRuns(t *testing.T) {
	c := newCommands(t)
	commands, fragments, seen := 0, 0, map[int]bool{}
	for name, page := range documents(t) {
		if name == "CHANGELOG.md" || name == "docs/protocols.md" || strings.HasPrefix(name, "core/") {
			continue // of earlier versions; wire formats, which protocols_test.go and conformance/reference read
		}
		for _, s := range shownIn(name, page) {
			var err error
			output := slices.IndexFunc(outputs, func(o string) bool { return strings.HasPrefix(s.text, o) })
			switch {
			case output >= 0:
				seen[output] = true
			case programs.MatchString(s.text):
				if s.block || strings.Contains(s.text, " ") {
					commands++
					err = c.check(s.text)
				}
			case looksLikeYAML(s):
				fragments++
				err = load(t, s.text)
			case s.block:
				err = fmt.Errorf("neither commands, nor YAML, nor a known output")
			}
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, s.text)
			}
		}
	}
	for i, o := range outputs {
		if !seen[i] {
			t.Errorf("no document shows the output %q", o)
		}
	}
	if commands < 60 || fragments < 40 {
		t.Errorf("found only %d commands and %d fragments of YAML", commands, fragments)
	}
	for text, want := range map[string]string{
		"gatewayauth explode x":                                  "explode",
		"gatewayauth check --reports x":                          "reports",
		"X=1 go run ./examples/none":                             "examples/none",
		"go run ./examples/backend -nethttps 127.0.0.1:0":        "nethttps",
		"go test ./core ./cores":                                 "cores",
		"go install github.com/gatewayauth/gatewayauth/x@latest": "gatewayauth/x",
		"curl 'a": "quote",
	} {
		if err := c.check(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	for _, text := range []string{"modes: report", "replay: {store: disk}", "{match: /a, opened: true}", "{envs: A}", "{env: A"} {
		if load(t, text) == nil {
			t.Errorf("%s: loaded", text)
		}
	}
}

func looksLikeYAML(s shown) bool {
	if s.block {
		return regexp.MustCompile(`^(?:# |- )?[a-zA-Z_]+:`).MatchString(s.text)
	}
	return regexp.MustCompile(`^\{?[a-z_]+: \S`).MatchString(s.text)
}

// load loads a fragment of an environments file in each of the places where it can stand.
func load(t *testing.T, fragment string) (err error) {
	t.Helper()
	fragment = strings.ReplaceAll(strings.TrimSpace(fragment), "prefix: ...", "prefix: /x")
	fragment = strings.ReplaceAll(fragment, "...", "x")
	const key = "name: orders_key, type: hmac, key: 071fe2459cf64d75"
	const keys = "    keys: [{" + key + ", secret: 0123456789abcdef}]\n"
	environment := func(lines string) string { return "environments:\n  E:\n" + lines }
	indented := func(by int) string {
		blanks := strings.Repeat(" ", by)
		return blanks + strings.ReplaceAll(fragment, "\n", "\n"+blanks) + "\n"
	}
	places := []string{
		fragment,
		"environments:\n" + indented(2) + keys, // an environment
		environment(keys + indented(4)),
		environment(indented(4)), // keys
		environment(keys + "    apis: [{match: /a, key: orders_key, " + fragment + "}]\n"),
		environment(keys + "    apis: [{match: /a, " + fragment + "}]\n"),
		environment(keys + "    replay: {store: memory, " + fragment + "}\n"),
		environment(keys + "    replay: {store: redis, url: redis://h, " + fragment + "}\n"),
		environment(keys + "    replay: {" + fragment + "}\n"),
		environment(keys + "    replay: {url: redis://h, " + fragment + "}\n"),
		environment("    keys: [{" + key + ", " + fragment + "}]\n"),
		environment("    keys: [{name: orders_key, key: 071fe2459cf64d75, secret: 0123456789abcdef, " + fragment + "}]\n"),
		environment("    keys: [{name: orders_key, type: sigv4, key: a, secret: 0123456789abcdef, region: r, service: s, " + fragment + "}]\n"),
		environment("    keys: [{name: orders_key, type: sigv4a, key: a, secret: 0123456789abcdef, region: r, service: s, " + fragment + "}]\n"),
	}
	if strings.HasPrefix(fragment, "{") {
		places = []string{
			environment(keys + "    apis: [" + fragment + "]\n"),
			environment(keys + "    replay: " + fragment + "\n"),
			environment("    keys: [" + fragment + "]\n"),
			environment("    keys: [{" + key + ", secret: " + fragment + "}]\n"),
		}
	}
	for _, text := range places {
		file := filepath.Join(t.TempDir(), "environments.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, problem := config.Load(file, config.WithoutSecrets(), redisstore.Option(), smkeys.Option())
		if problem == nil {
			return nil
		}
		err = cmp.Or(err, problem)
	}
	return err
}

// commands checks commands.
type commands struct {
	program string            // gatewayauth
	helps   map[string]string // of its commands
}

func newCommands(t *testing.T) *commands {
	t.Helper()
	program := filepath.Join(t.TempDir(), "gatewayauth")
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/gatewayauth").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return &commands{program, map[string]string{}}
}

// check parses the lines of a shell, and checks the commands of this module.
func (c *commands) check(text string) (err error) {
	text = regexp.MustCompile(`(?m)^\$ `).ReplaceAllString(text, "")
	file, err := shell.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return err
	}
	shell.Walk(file, func(node shell.Node) bool {
		if call, ok := node.(*shell.CallExpr); ok && err == nil {
			words := make([]string, len(call.Args))
			for i, word := range call.Args {
				words[i] = strings.Trim(text[word.Pos().Offset():word.End().Offset()], `'"`)
			}
			err = c.checkCall(words)
		}
		return err == nil
	})
	return err
}

func (c *commands) checkCall(words []string) error {
	if len(words) < 2 && !strings.HasPrefix(strings.Join(words, ""), ".ci/") {
		return nil
	}
	switch words[0] {
	case "gatewayauth":
		return c.checkSubcommand(words[1:])
	case "go":
		return c.checkGo(words[1:])
	}
	if strings.HasPrefix(words[0], ".ci/") {
		_, err := os.Stat(words[0])
		return err
	}
	return nil
}

var flagWord = regexp.MustCompile(`^--?([a-z][a-z-]+)(?:=|$)`)

func (c *commands) checkSubcommand(words []string) error {
	name := words[0]
	if name == "help" || strings.HasPrefix(name, "-") {
		return nil
	}
	if _, known := c.helps[name]; !known {
		out, err := exec.Command(c.program, name, "--help").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "gatewayauth "+name) {
			return fmt.Errorf("there is no gatewayauth %s: %v", name, err)
		}
		c.helps[name] = string(out)
	}
	for _, word := range words[1:] {
		if m := flagWord.FindStringSubmatch(word); m != nil && !strings.Contains(c.helps[name], "--"+m[1]) {
			return fmt.Errorf("gatewayauth %s has no flag %s", name, word)
		}
	}
	return nil
}

// checkGo checks the packages of a go command, and the flags of the programs that it runs.
func (c *commands) checkGo(words []string) error {
	dir := "."
	if words[0] == "-C" && len(words) > 2 {
		dir, words = words[1], words[2:]
	}
	verb, words := words[0], words[1:]
	if !slices.Contains([]string{"run", "test", "install", "get", "generate", "doc", "build", "vet", "mod", "version"}, verb) {
		return fmt.Errorf("go %s is not known here", verb)
	}
	for i, word := range words {
		local, remote := strings.CutPrefix(word, module)
		switch {
		case remote:
			local, _, _ = strings.Cut(strings.TrimPrefix(local, "/"), "@")
			if _, err := os.Stat("./" + local); err != nil {
				return fmt.Errorf("there is no package %s", word)
			}
		case strings.HasPrefix(word, "./"):
			local := path.Join(dir, strings.TrimSuffix(word, "..."))
			if _, err := os.Stat(local); err != nil {
				return fmt.Errorf("there is no package %s", local)
			}
			if verb != "run" {
				continue
			}
			if local == "cmd/gatewayauth" {
				return c.checkSubcommand(words[i+1:])
			}
			return flagsIn(local, words[i+1:])
		}
	}
	return nil
}

// flagsIn compares flags with the texts in the source of a program.
func flagsIn(dir string, words []string) error {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	source := ""
	for _, p := range paths {
		if text, err := os.ReadFile(p); err == nil && !strings.HasSuffix(p, "_test.go") {
			source += string(text)
		}
	}
	for _, word := range words {
		if m := flagWord.FindStringSubmatch(word); m != nil && !strings.Contains(source, `"`+m[1]+`"`) {
			return fmt.Errorf("%s has no flag %s", dir, word)
		}
	}
	return nil
}
