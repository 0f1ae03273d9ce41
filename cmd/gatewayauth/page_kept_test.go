package main_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/capture"
)

// TestPageOfKeptRequests_T232: the page lists the kept requests of a folder with their
// causes, explains each with the values that the user adds, and opens no other file.
func TestPageOfKeptRequests_T232(t *testing.T) {
	dir := folder(t)
	keep(t, dir, hostRefusal, stranger, withCookie)
	write(t, filepath.Join(dir, "refused"), "notes.http", "GET / HTTP/1.1\nHost: a\n\n")
	paths, err := capture.Files(filepath.Join(dir, "refused"))
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	address, _ := background(t, dir, "explain", "-config", "environments.yaml", "-http", "127.0.0.1:0", "refused")
	get := func(path string) (int, string) {
		t.Helper()
		r, err := http.NewRequest("GET", "http://"+address+path, nil)
		status, text, _ := ask(t, r, err)
		return status, text
	}
	has := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("the page does not contain %q:\n%s", part, text)
			}
		}
	}
	for range 2 { // what is known is not searched again
		status, text := get("/")
		if status != 200 {
			t.Fatal(status)
		}
		has(text, "3 requests, from 2026-01-15T12:00:00Z to 2026-01-15T12:02:00Z", "1 × host", "2 × none found for signature_mismatch",
			`<a href="/kept/`+filepath.Base(paths[2])+`">2026-01-15T12:02:00Z</a>`, "signed: host api.example.com instead of 10.0.0.7:8080")
	}

	first, last := "/kept/"+filepath.Base(paths[0]), "/kept/"+filepath.Base(paths[2])
	status, text := get(first)
	if status != 200 {
		t.Errorf("got %d", status)
	}
	has(text, "Refused: signature_mismatch", "<code>host</code>", `<a href="/">All kept requests</a>`, `action="`+first+`"`, "<td>2026-01-15T12:00:00Z</td>", `data-copy="host:api.example.com"`)
	status, text = get(last)
	if status != 200 || strings.Contains(text, "theme=dark") {
		t.Errorf("got %d", status)
	}
	has(text, "does not hold the value of Cookie", "give it in the field Headers: Cookie: value")
	r, err := form(t, address, map[string]string{"headers": "Cookie: theme=dark"})
	r.URL.Path = last
	status, text, _ = ask(t, r, err)
	if status != 200 {
		t.Errorf("got %d", status)
	}
	has(text, "<code>host</code>")

	for _, path := range []string{"/kept/notes.http", "/kept/..%2fenvironments.yaml", "/kept/..%2frefused%2f" + filepath.Base(paths[0]), "/kept/" + url.PathEscape(paths[0]), "/kept/%2e%2e", "/kept/"} {
		if status, text := get(path); status != 404 || strings.Contains(text, "ORDERS_SECRET") {
			t.Errorf("%s: got %d\n%s", path, status, text)
		}
	}
	r, err = form(t, address, map[string]string{"headers": "Cookie: theme=dark"})
	r.URL.Path = "/kept/notes.http"
	if status, _, _ := ask(t, r, err); status != 404 {
		t.Errorf("got %d", status)
	}

	// Without a folder there are no kept requests.
	address, _ = background(t, dir, "explain", "-config", "environments.yaml", "-http", "127.0.0.1:0")
	if status, _ := get(first); status != 404 {
		t.Errorf("got %d", status)
	}
	if _, text := get("/"); strings.Contains(text, "Kept requests") {
		t.Error("a list without a folder")
	}
}
