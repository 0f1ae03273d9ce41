package config_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// never is longer than any test takes: what happens, happens by notice alone.
var never = config.WithPoll(time.Hour)

// fileKey is an environment whose secret is in a file.
func fileKey(path string) string {
	return head + "    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: {file: " + path + "}}]\n    default: k\n"
}

// TestNotices: a change takes effect at once wherever it is made: in the folder
// of the file or of a secret, in place or by renaming, behind a link to the file
// or to a folder above it, and in a folder that has replaced another.
func TestNotices(t *testing.T) {
	root := t.TempDir()
	in := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }
	for _, dir := range []string{"etc", "keys", "releases", "releases/1", "shared"} {
		must(t, os.Mkdir(in(dir), 0o700))
	}
	must(t, os.Symlink("releases/1", in("current")))
	must(t, os.Symlink("../../shared/target", in("releases", "1", "secret")))
	write(t, in("shared"), "target", "secret-of-generation-0")
	write(t, in("keys"), "secret", "secret-of-generation-0")
	path := write(t, in("etc"), "f.yaml", fileKey("../current/secret"))

	v, err := config.Watch(t.Context(), path, "R", quiet, never)
	must(t, err)
	generation := 0
	expect := func(what string) {
		t.Helper()
		eventually(t, what, func() bool { return verdict(v, signed(t, "GET", "/a", secretOf(generation))) == "k" })
	}
	expect("the first load")
	replace := func(path, content string) {
		t.Helper()
		must(t, os.Rename(write(t, filepath.Dir(path), "new", content), path))
	}
	for _, step := range []struct {
		what string
		do   func(secret string)
	}{
		{"a secret behind a link, in place", func(s string) { write(t, in("shared"), "target", s) }},
		{"a secret behind a link, renamed", func(s string) { replace(in("shared", "target"), s) }},
		{"a link to a folder", func(s string) {
			must(t, os.Mkdir(in("releases", "2"), 0o700))
			write(t, in("releases", "2"), "secret", s)
			must(t, os.Symlink("releases/2", in("next")))
			must(t, os.Rename(in("next"), in("current")))
		}},
		{"what the link leads to now", func(s string) { write(t, in("releases", "2"), "secret", s) }},
		{"a folder in place of another", func(s string) {
			must(t, os.Rename(in("releases", "2"), in("releases", "old")))
			must(t, os.Mkdir(in("releases", "2"), 0o700))
			write(t, in("releases", "2"), "secret", s)
		}},
		{"another file for the secret, in the environments file", func(s string) {
			write(t, in("keys"), "secret", s)
			write(t, in("etc"), "f.yaml", fileKey("../keys/secret"))
		}},
		{"that file", func(s string) { write(t, in("keys"), "secret", s) }},
		{"the environments file, renamed", func(s string) { replace(path, fileKey("../keys/secret2")); write(t, in("keys"), "secret2", s) }},
		{"the environments file, removed for a while", func(s string) {
			must(t, os.Remove(path))
			time.Sleep(250 * time.Millisecond)
			write(t, in("keys"), "secret2", s)
			write(t, in("etc"), "f.yaml", fileKey("../keys/secret2"))
		}},
	} {
		generation++
		step.do(secretOf(generation))
		expect(step.what)
	}
}

// TestNoticeOfAVolume: the swap of a volume takes effect at once, and the next
// one as well.
func TestNoticeOfAVolume(t *testing.T) {
	vol := &volume{dir: t.TempDir()}
	vol.swap(t, 1)
	v, err := config.Watch(t.Context(), filepath.Join(vol.dir, "f.yaml"), "R", quiet, never)
	must(t, err)
	for generation := 2; generation < 6; generation++ {
		vol.swap(t, generation)
		eventually(t, "the swap", func() bool { return verdict(v, signed(t, "GET", "/a", secretOf(generation))) == "k" })
	}
}

// TestNoticesThatDoNotEnd: a folder in which something always happens puts a
// change off by little.
func TestNoticesThatDoNotEnd(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", oneKey, "    default: k\n")
	v, err := config.Watch(t.Context(), path, "R", quiet, never)
	must(t, err)
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				os.WriteFile(filepath.Join(dir, "log"), fmt.Appendln(nil, i), 0o600)
			}
		}
	}()
	write(t, dir, "f.yaml", strings.ReplaceAll(oneKey, secret, "another-secret-0123"), "    default: k\n")
	eventually(t, "the change", func() bool { return verdict(v, signed(t, "GET", "/a", "another-secret-0123")) == "k" })
	close(done)
	<-stopped
}

// TestHalfWrittenWithNotices_F04: as TestHalfWritten_F04, with notices and looks both.
func TestHalfWrittenWithNotices_F04(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", oneKey, "    default: k\n")
	next := strings.ReplaceAll(oneKey, "kept-from-every-message-1", "kept-from-every-message-2") + "    default: k\n"
	reloads := make(chan config.Reload, 10)
	var log locked
	start := time.Now()
	v, err := config.Watch(t.Context(), path, "R", config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
		config.WithPoll(300*time.Millisecond), config.WithReloads(func(r config.Reload) { reloads <- r }))
	must(t, err)
	first := <-reloads
	if first.Err != nil || first.Loads != 1 || first.Failures != 0 || first.LastLoaded.Before(start) || !first.Time.Equal(first.LastLoaded) {
		t.Errorf("at first: got %+v", first)
	}
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	half := func(text string) config.Reload {
		_, err = f.WriteString(text)
		must(t, err)
		must(t, f.Sync())
		return <-reloads
	}
	bad := half(next[:len(next)/2])
	if bad.Err == nil || bad.Loads != 1 || bad.Failures != 1 || !bad.LastLoaded.Equal(first.LastLoaded) || !bad.Time.After(first.Time) {
		t.Errorf("after the first half: got %+v", bad)
	}
	if got := verdict(v, signed(t, "GET", "/a", secret)); got != "k" {
		t.Errorf("after the first half: got %s, want k", got)
	}
	good := half(next[len(next)/2:])
	if good.Err != nil || good.Loads != 2 || good.Failures != 1 || !good.LastLoaded.After(bad.Time) || good.Environment != "R" {
		t.Errorf("after the second half: got %+v", good)
	}
	if got := verdict(v, signed(t, "GET", "/a", "kept-from-every-message-2")); got != "k" {
		t.Errorf("after the second half: got %s, want k", got)
	}
	if text := log.String(); strings.Count(text, "level=ERROR") != 1 || strings.Contains(text, "kept-from") {
		t.Errorf("logged %s", text)
	}
}

// TestNothingAfterTheEnd: when ctx has ended, what happens to the files is no
// longer looked at, whatever was ready at that moment.
func TestNothingAfterTheEnd(t *testing.T) {
	for range 30 {
		dir := t.TempDir()
		path := write(t, dir, "f.yaml", oneKey, "    default: k\n")
		ctx, cancel := context.WithCancel(t.Context())
		v, err := config.Watch(ctx, path, "R", quiet, config.WithPoll(time.Microsecond), config.WithReloads(func(r config.Reload) {
			if r.Err != nil {
				t.Errorf("after the end: %v", r.Err)
			}
		}))
		must(t, err)
		time.Sleep(time.Millisecond)
		cancel()
		must(t, os.RemoveAll(path))
		time.Sleep(2 * time.Millisecond)
		if v.Mode() != core.Enforce {
			t.Error("the policy has changed")
		}
	}
}

// locked is a log that several goroutines write.
type locked struct {
	mu  sync.Mutex
	log bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.String()
}
