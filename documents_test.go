package gatewayauth_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// documents returns all pages of the repository, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md", "core/testdata/vectors/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			pages[filepath.ToSlash(p)] = read(t, p)
		}
	}
	if len(pages) < 15 {
		t.Fatalf("only %d documents were found", len(pages))
	}
	return pages
}

var (
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// anchors returns the anchors of a page, as GitHub makes them of headings.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		text := strings.ToLower(link.ReplaceAllString(m[1], ""))
		text = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(text, "")
		all[strings.ReplaceAll(text, " ", "-")] = true
	}
	return all
}

// linkFaults returns the links of pages to files and headings that do not exist, and the pages
// that nobody reaches from the README.
func linkFaults(pages map[string]string) (faults []string) {
	to := map[string][]string{}
	for from, text := range pages {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := path.Join(path.Dir(from), target)
			if target == "" {
				file = from
			}
			if _, err := os.Stat(file); err != nil {
				faults = append(faults, fmt.Sprintf("%s: %s: there is no such file", from, m[1]))
			} else if anchor != "" && !anchors(pages[file])[anchor] {
				faults = append(faults, fmt.Sprintf("%s: %s: there is no such heading", from, m[1]))
			}
			to[from] = append(to[from], file)
		}
	}
	reached := map[string]bool{"README.md": true}
	for queue := []string{"README.md"}; len(queue) > 0; queue = queue[1:] {
		for _, next := range to[queue[0]] {
			if _, isPage := pages[next]; isPage && !reached[next] {
				reached[next] = true
				queue = append(queue, next)
			}
		}
	}
	for page := range pages {
		if !reached[page] {
			faults = append(faults, page+": no link leads here from README.md")
		}
	}
	return faults
}

// TestLinks: the links of the documents lead somewhere, and the documents are reached from the
// README.
func TestLinks(t *testing.T) {
	pages := documents(t)
	for _, fault := range linkFaults(pages) {
		t.Error(fault)
	}
	pages["docs/other.md"] = "[a](missing.md) [b](runbook.md#nothing) [c](#here)"
	if found := linkFaults(pages); len(found) != 4 {
		t.Errorf("faults of a page: %q", found)
	}
}

// TestVersions: the versions that the README says are supported and tested are those of go.mod.
func TestVersions(t *testing.T) {
	readme := read(t, "README.md")
	required := func(file, module string) string {
		m := regexp.MustCompile(`(?m)^(?:\s|require )*` + regexp.QuoteMeta(module) + ` (v?[0-9.]+)(?: // indirect)?$`).FindStringSubmatch(read(t, file))
		if m == nil {
			t.Fatalf("%s does not require %s", file, module)
		}
		return m[1]
	}
	goVersion := strings.TrimSuffix(required("go.mod", "go"), ".0")
	for name, version := range map[string]string{
		"net/http": "Go " + goVersion,
		"Echo v5":  required("go.mod", "github.com/labstack/echo/v5"),
		"Echo v4":  required("go.mod", "github.com/labstack/echo/v4"),
		"Gin":      required("go.mod", "github.com/gin-gonic/gin"),
		"gRPC":     required("go.mod", "google.golang.org/grpc"),
	} {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + ` \|.*\| (.*) \|$`).FindStringSubmatch(readme)
		if row == nil || row[1] != version {
			t.Errorf("README.md has the row %q of %s, and go.mod %s", row, name, version)
		}
	}
	for name, module := range map[string]string{"chi": "github.com/go-chi/chi/v5", "gorilla/mux": "github.com/gorilla/mux", "connect": "connectrpc.com/connect"} {
		if version := required("conformance/go.mod", module); !strings.Contains(strings.ReplaceAll(readme, "\n", " "), " "+name+" "+version) {
			t.Errorf("README.md does not say that %s is tested with %s", name, version)
		}
	}
	for _, m := range regexp.MustCompile(`\bGo (1\.\d+)`).FindAllStringSubmatch(readme+read(t, "CONTRIBUTING.md"), -1) {
		if m[1] != goVersion {
			t.Errorf("Go %s in README.md or CONTRIBUTING.md, %s in go.mod", m[1], goVersion)
		}
	}
}

// TestUnauthorized: docs/unauthorized.md has a row for each code, with its statuses and a link to its
// section, and the response to a refusal.
func TestUnauthorized(t *testing.T) {
	page := read(t, "docs/unauthorized.md")
	names := map[uint32]string{3: "InvalidArgument", 7: "PermissionDenied", 8: "ResourceExhausted", 14: "Unavailable", 16: "Unauthenticated"}
	codes := regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"$`).FindAllStringSubmatch(read(t, "core/code.go"), -1)
	if len(codes) < 18 {
		t.Errorf("core/code.go has only %d codes", len(codes))
	}
	for _, m := range codes {
		code := core.Code(m[1])
		err := &core.Error{Code: code}
		row := fmt.Sprintf("\n| %d | %s | [%s](troubleshooting.md#%s) | ", core.StatusCode(err), names[core.GRPCStatusCode(err)], code, code)
		if strings.Count(page, row) != 1 {
			t.Errorf("docs/unauthorized.md does not have the row %q once", row)
		}
	}
	_, err := testkit.Verifier(t, nil).Verify(testkit.Unsigned("GET", "/orders/7"))
	w := httptest.NewRecorder()
	core.WriteProblem(w, nil, err)
	want := fmt.Sprintf("    HTTP/1.1 401 Unauthorized\n    Content-Type: %s\n    Www-Authenticate: %s\n\n    %s",
		w.Header().Get("Content-Type"), w.Header().Get("WWW-Authenticate"), w.Body)
	if !strings.Contains(page, want) {
		t.Errorf("docs/unauthorized.md does not have\n%s", want)
	}
}
