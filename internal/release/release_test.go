// Package release_test tests .ci/release, which builds the files of a release.
package release_test

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// version is the tag of the test. Go takes no other major version than 0 and 1 from a tag of
// this module.
const version = "v0.99.0"

// command returns a command in a folder, without the settings of git and the flags of Go of
// who runs the test.
func command(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GOFLAGS=-mod=readonly",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com", "GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com")
	return cmd
}

func do(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	if out, err := command(dir, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
}

// repository returns a function that clones a repository whose only commit has the files of
// this one as they are now.
func repository(t *testing.T) (clone func(name string) (dir string)) {
	t.Helper()
	for _, program := range []string{"git", "sh", "sha256sum"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped: %s is not installed", program)
		}
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(filepath.Join(root, ".ci", "release")); err != nil { // or go test would take an old result
		t.Fatal(err)
	}
	work := t.TempDir()
	origin := filepath.Join(work, "origin")
	do(t, work, "git", "init", "--quiet", origin)
	do(t, root, "git", "--git-dir="+filepath.Join(origin, ".git"), "--work-tree="+root, "add", "--all")
	do(t, origin, "git", "commit", "--quiet", "--message", "all")
	do(t, origin, "git", "reset", "--quiet", "--hard")
	changes := filepath.Join(origin, "CHANGELOG.md")
	text, err := os.ReadFile(changes)
	if err == nil {
		err = os.WriteFile(changes, append(text, "\n## "+version[1:]+" - 2026-11-30\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	do(t, origin, "git", "commit", "--quiet", "--all", "--message", "a release")
	do(t, origin, "git", "tag", version)
	return func(name string) string {
		dir := filepath.Join(work, name)
		do(t, work, "git", "clone", "--quiet", origin, dir)
		return dir
	}
}

// files returns the contents of the files of a folder, and checks its SHA256SUMS.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all, sums := map[string][]byte{}, ""
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if all[entry.Name()] = text; entry.Name() != "SHA256SUMS" {
			sums += fmt.Sprintf("%x  %s\n", sha256.Sum256(text), entry.Name())
		}
	}
	if got := string(all["SHA256SUMS"]); got != sums || sums == "" {
		t.Errorf("SHA256SUMS of %s:\n%swant\n%s", dir, got, sums)
	}
	delete(all, "SHA256SUMS")
	return all
}

// TestRelease_T267: the files of a release are the same, byte for byte, from two clones in two
// folders with other settings of Go, and they say what they are. The second time they are
// built for two systems only. Both builds share a cache: Go's compiler runs again where the
// folder or a setting is part of what it gets, and else would give the same.
func TestRelease_T267(t *testing.T) {
	if os.Getenv("GATEWAYAUTH_RELEASE") == "" {
		t.Skip("skipped: compiles for six systems, which can take longer than go test's limit; set GATEWAYAUTH_RELEASE=1, -count and -timeout")
	}
	clone := repository(t)
	first, second := clone("first"), clone("second/of/another/length")
	do(t, first, ".ci/release", "dist")
	again := command(second, ".ci/release", "dist", "linux/"+runtime.GOARCH, "windows/arm64")
	again.Env = append(again.Env, "GOAMD64=v2", "GOFLAGS=-ldflags=-w", "CGO_ENABLED=1")
	if out, err := again.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	released, rebuilt := files(t, filepath.Join(first, "dist")), files(t, filepath.Join(second, "dist"))
	if len(released) != 12 || len(rebuilt) != 4 {
		t.Errorf("%d files were built, and %d again", len(released), len(rebuilt))
	}
	for name, text := range rebuilt {
		if !bytes.Equal(text, released[name]) {
			t.Errorf("%s is not the same", name)
		}
	}
	for name, text := range released {
		if strings.HasSuffix(name, ".json") {
			continue
		}
		info, err := buildinfo.Read(bytes.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		system := strings.TrimSuffix(strings.TrimPrefix(name, "gatewayauth-"+version+"-"), ".exe")
		if info.Main.Version != version || settings["vcs.modified"] != "false" || settings["CGO_ENABLED"] != "0" || settings["GOOS"]+"-"+settings["GOARCH"] != system {
			t.Errorf("%s is %s, with %v", name, info.Main.Version, settings)
		}
		checkComponents(t, name, released[name+".cdx.json"], info)
	}

	// The image has the same program.
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*) -o /gatewayauth (\S+)$`).FindSubmatch(dockerfile)
	ignored, err := os.ReadFile("../../.dockerignore")
	if err != nil || line == nil || regexp.MustCompile(`(?m)^/?\.git/?$`).Match(ignored) {
		t.Fatalf("the Dockerfile builds %q without %q, %v", line, ignored, err)
	}
	do(t, first, "sh", "-c", "GOOS=linux "+string(line[1])+" -o dist/image "+string(line[2]))
	image, err := os.ReadFile(filepath.Join(first, "dist", "image"))
	if err != nil || !bytes.Equal(image, released["gatewayauth-"+version+"-linux-"+runtime.GOARCH]) {
		t.Errorf("the image has another program, %v", err)
	}
}

// checkComponents compares the list of components of a program with what Go says that it links.
func checkComponents(t *testing.T, name string, text []byte, info *buildinfo.BuildInfo) {
	t.Helper()
	type component struct{ Name, Version string }
	var list struct {
		BOMFormat  string
		Metadata   struct{ Component component }
		Components []component
	}
	if err := json.Unmarshal(text, &list); err != nil || list.BOMFormat != "CycloneDX" {
		t.Errorf("%s: components of the format %q, %v", name, list.BOMFormat, err)
		return
	}
	want := []component{{"std", info.GoVersion}}
	for _, module := range info.Deps {
		want = append(want, component{module.Path, module.Version})
	}
	for _, c := range want {
		if !slices.Contains(list.Components, c) {
			t.Errorf("%s: the component %v is missing", name, c)
		}
	}
	if len(list.Components) != len(want) || list.Metadata.Component != (component{info.Main.Path, version}) {
		t.Errorf("%s: %d components of %v, want %d", name, len(list.Components), list.Metadata.Component, len(want))
	}
}

// TestReleaseRefuses_T268: nothing is built from changed files, from a commit without a tag or
// without a section in CHANGELOG.md, or into a folder that exists.
func TestReleaseRefuses_T268(t *testing.T) {
	dir := repository(t)("clone")
	refused := func(out, want string) {
		t.Helper()
		text, err := command(dir, ".ci/release", out, "linux/amd64").CombinedOutput()
		if err == nil || !strings.Contains(string(text), want) {
			t.Errorf("got %v and\n%swant %s", err, text, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "dist", "SHA256SUMS")); err == nil {
			t.Errorf("%s: files were built", want)
		}
	}
	refused("docs", "docs exists")
	if err := os.WriteFile(filepath.Join(dir, "more.go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("dist", "commit or remove these changes:\n?? more.go")
	do(t, dir, "git", "add", "more.go")
	do(t, dir, "git", "commit", "--quiet", "--message", "more")
	refused("dist", "the commit has no tag; to make one: git tag -a v0.1.0")
	do(t, dir, "git", "tag", "conformance/v0.99.1")
	refused("dist", "the commit has no tag")
	do(t, dir, "git", "tag", "v0.99.1")
	refused("dist", "CHANGELOG.md has no section of 0.99.1 with a date")
}
