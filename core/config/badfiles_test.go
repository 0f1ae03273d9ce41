//go:build unix

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/config"
)

// badFiles are the twelve ways of F06 and F07 in which an environments file can
// be bad: how to put it at a path where nothing is, and what must be said.
var badFiles = []struct {
	name string
	put  func(t *testing.T, path string)
	want string
	root bool // root reads it all the same
}{
	{"duplicate key id", text(oneKey + "    - {name: l, type: basic, key: 071fe2459cf64d75, secret: s}\n"),
		`:5: environments.R.keys[1].key: the id "071fe2459cf64d75" is already that of the key in line 4`, false},
	{"empty secret", text(head + "    keys: [{name: k, type: hmac, key: i, secret: ''}]\n"),
		":3: environments.R.keys[0].secret: is empty; write a value", false},
	{"unknown scheme", text(head + "    keys: [{name: k, type: md5, key: i, secret: s}]\n"),
		":3: environments.R.keys[0].type: unknown type", false},
	{"unknown field", text(oneKey + "    verify: false\n"), ":5: environments.R.verify: unknown field", false},
	{"0 keys", text(head + "    keys: []\n"), ":3: environments.R.keys: there is no key", false},
	{"10 MB", text(oneKey + strings.Repeat("# too much\n", 1e6)), ": the file cannot be read: it is larger than 1024 KiB", false},
	{"invalid UTF-8", text(oneKey + "    mode: \xc3\x28\n"), ":5: this is not valid UTF-8", false},
	{"gone", func(*testing.T, string) {}, ": the file cannot be read: no such file or directory", false},
	{"directory", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) },
		": the file cannot be read: it is not a regular file", false},
	{"FIFO", func(t *testing.T, path string) { must(t, syscall.Mkfifo(path, 0o600)) },
		": the file cannot be read: it is not a regular file", false},
	{"mode 0000", func(t *testing.T, path string) {
		text(oneKey)(t, path)
		must(t, os.Chmod(path, 0))
	}, ": the file cannot be read: permission denied", os.Geteuid() == 0},
	{"symlink loop", func(t *testing.T, path string) { must(t, os.Symlink(path, path)) },
		": the file cannot be read: too many levels of symbolic links", false},
}

func text(content string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		write(t, filepath.Dir(path), filepath.Base(path), content)
	}
}

// TestBadFileAtStart_F07: there is an error and nothing else, from Load and from
// Watch.
func TestBadFileAtStart_F07(t *testing.T) {
	if len(badFiles) != 12 {
		t.Fatalf("%d files, want 12", len(badFiles))
	}
	for _, tt := range badFiles {
		t.Run(tt.name, func(t *testing.T) {
			if tt.root {
				t.Skip("root reads it all the same")
			}
			path := filepath.Join(t.TempDir(), "f.yaml")
			tt.put(t, path)
			f, err := config.Load(path)
			if f != nil || err == nil || !strings.HasPrefix(withoutColumns(err.Error()), path+tt.want) {
				t.Errorf("Load: got file %v, error %.200v; want %s", f, err, tt.want)
			}
			v, err := config.Watch(t.Context(), path, "R", quiet)
			if v != nil || err == nil || !strings.HasPrefix(withoutColumns(err.Error()), path+tt.want) {
				t.Errorf("Watch: got verifier %v, error %.200v; want %s", v, err, tt.want)
			}
		})
	}
}

// TestBadFileOnReload_F06: the last good policy stays, one record says why
// without the secret, and the next good file takes effect by itself.
func TestBadFileOnReload_F06(t *testing.T) {
	for _, tt := range badFiles {
		t.Run(tt.name, func(t *testing.T) {
			if tt.root {
				t.Skip("root reads it all the same")
			}
			path := filepath.Join(t.TempDir(), "f.yaml")
			write(t, filepath.Dir(path), "f.yaml", oneKey, "    default: k\n")
			watched(t, path, func(w *watch) {
				must(t, os.Remove(path))
				tt.put(t, path)
				w.looks(5)
				w.expect("k", secret)
				w.records("ERROR " + path + tt.want)
				must(t, os.RemoveAll(path))
				write(t, filepath.Dir(path), "f.yaml", strings.ReplaceAll(oneKey, secret, "another-secret-0123"), "    default: k\n")
				w.looks(2)
				w.expect("k", "another-secret-0123")
				w.expect("signature_mismatch", secret)
				w.records("INFO ")
			})
		})
	}
}
