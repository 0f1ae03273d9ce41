//go:build unix

package nginx_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestClientAuthentication: nginx can require a credential of clients, and does not
// forward it.
func TestClientAuthentication(t *testing.T) {
	needs.Long(t) // starts curl for each request
	users := filepath.Join(t.TempDir(), "users")
	write(t, users, []byte("alice:{PLAIN}wonderland\n"))
	n := startNginx(t, "nginx.conf", env, upstream(startBackend(t, "RELEASE")),
		edit{"js_content sign.forward;", `auth_basic "orders"; auth_basic_user_file ` + users + "; js_content sign.forward;"})
	url := "http://" + n.addresses[0] + "/"
	if status, text := curl(t, nil, url); status != 401 || strings.Contains(text, "gateway") {
		t.Errorf("without a credential: got %d %s; want nginx's own 401", status, text)
	}
	status, text := curl(t, nil, "--user", "alice:wonderland", url)
	if status != 200 {
		t.Fatalf("with one: got %d %s; want 200", status, text)
	}
	proven(t, text, nil, false)
}

// TestCredentialHeader_T192 is that nginx can send the signature in another header, as the
// README says, and that the client's Authorization then reaches the backend.
func TestCredentialHeader_T192(t *testing.T) {
	needs.Long(t) // starts curl for each request
	settings, err := os.ReadFile("environments.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "environments.yaml")
	write(t, file, bytes.Replace(settings, []byte("  RELEASE:\n"), []byte("  RELEASE:\n    credential_header: X-Backend-Sign\n"), 1))
	moved := edit{"proxy_set_header Authorization $signed_authorization;", "proxy_set_header X-Backend-Sign $signed_authorization;"}
	n := startNginx(t, "nginx.conf", env, upstream(startBackendWith(t, file, "RELEASE")), moved)
	url := "http://" + n.addresses[0] + "/"
	for _, header := range []string{"Authorization: Bearer of-the-client", "X-Backend-Sign: forged", "Accept: text/plain"} {
		status, text := curl(t, nil, "--header", header, url)
		if status != 200 {
			t.Fatalf("%s: got %d %s; want 200", header, status, text)
		}
		proven(t, text, nil, false)
	}
	address, taken := record(t)
	n = startNginx(t, "nginx.conf", env, upstream(address), moved)
	curl(t, nil, "--header", "Authorization: Bearer of-the-client", "http://"+n.addresses[0]+"/")
	got := <-taken
	if tokens := got.header.Values("Authorization"); !slices.Equal(tokens, []string{"Bearer of-the-client"}) {
		t.Errorf("the backend gets Authorization %q, want that of the client", tokens)
	}
	if credential := got.header.Values("X-Backend-Sign"); len(credential) != 1 || !strings.HasPrefix(credential[0], "SDK-HMAC-SHA256 ") {
		t.Errorf("the backend gets X-Backend-Sign %q, want the credential", credential)
	}
	// The environment reads no other header.
	plain := startNginx(t, "nginx.conf", env, upstream(startBackendWith(t, file, "RELEASE")))
	if status, _ := curl(t, nil, "http://"+plain.addresses[0]+"/"); status != 401 {
		t.Errorf("the signature in Authorization: got %d, want 401", status)
	}
}

// TestBodiesInMemory: the other setting for bodies of the README, and bodies with neither
// setting.
func TestBodiesInMemory(t *testing.T) {
	needs.Long(t) // sends large bodies
	b := startBackend(t, "RELEASE")
	off := edit{"client_body_in_file_only clean;", "client_body_buffer_size 1m;"}
	n := startNginx(t, "nginx.conf", env, upstream(b), off)
	for _, tt := range []struct {
		name string
		body []byte
		args []string
		want int
	}{
		{"no body", nil, nil, 200},
		{"empty", nil, []string{"--data-binary", "@-"}, 200},
		{"empty, length unknown", nil, []string{"--upload-file", "-"}, 200},
		{"one byte", []byte("a"), []string{"--data-binary", "@-"}, 200},
		{"in memory", bytes.Repeat([]byte("a"), 1<<20), []string{"--data-binary", "@-"}, 200},
		{"in memory, length unknown", bytes.Repeat([]byte("a"), 900_000), []string{"--upload-file", "-"}, 200},
		{"in a file without a name", bytes.Repeat([]byte("a"), 3<<20), []string{"--data-binary", "@-"}, 413},
		{"in a file without a name, length unknown", bytes.Repeat([]byte("a"), 3<<20), []string{"--upload-file", "-"}, 413},
	} {
		for i, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
			status, text := curl(t, tt.body, append(tt.args, version, "http://"+n.addresses[i]+"/")...)
			if status != tt.want {
				t.Errorf("%s, %s: got %d %s; want %d", tt.name, version, status, text, tt.want)
			} else if status == 200 {
				proven(t, text, tt.body, slices.Contains(tt.args, "--data-binary"))
			}
		}
	}
}

// TestBodyFilesAreRemoved: the files of bodies are removed after the request.
func TestBodyFilesAreRemoved(t *testing.T) {
	address, taken := record(t)
	n := startNginx(t, "nginx.conf", env, upstream(address))
	for range 3 {
		if status, text := curl(t, []byte("abc"), "--data-binary", "@-", "http://"+n.addresses[0]+"/"); status != 200 {
			t.Fatalf("got %d %s", status, text)
		}
		<-taken
	}
	left, err := filepath.Glob(filepath.Join(n.dir, "client_body_temp", "*"))
	if err != nil || len(left) > 1 { // the last file may not be removed yet
		t.Errorf("got %v, %v", left, err)
	}
}

// TestSecretFile: a new secret is used immediately. Without a secret nothing is forwarded.
func TestSecretFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	b := startBackend(t, "RELEASE")
	n := startNginx(t, "nginx.conf", []string{"GATEWAYAUTH_KEY=" + keyID, "GATEWAYAUTH_SECRET_FILE=" + file}, upstream(b))
	for _, tt := range []struct {
		name    string
		content string
		want    int
	}{
		{"right", secret, 200},
		{"wrong", secret + "0", 401},
		{"right, with a line break", secret + "\n", 200},
		{"right, with two", secret + "\n\n", 401},
		{"empty", "", 500},
		{"right, once more", secret, 200},
	} {
		write(t, file+".new", []byte(tt.content))
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		if status, text := curl(t, nil, "http://"+n.addresses[0]+"/"); status != tt.want {
			t.Errorf("%s: got %d %s; want %d", tt.name, status, text, tt.want)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if status, text := curl(t, nil, "http://"+n.addresses[0]+"/"); status != 500 {
		t.Errorf("gone: got %d %s; want 500", status, text)
	}
}
