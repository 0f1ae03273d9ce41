package follow

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestWithoutNotices: where the file system has no events, that is logged once, and
// the files are read at intervals.
func TestWithoutNotices(t *testing.T) {
	before := newWatcher
	newWatcher = func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
	t.Cleanup(func() { newWatcher = before })
	path := filepath.Join(t.TempDir(), "f")
	var log bytes.Buffer
	var content string
	ctx, cancel := context.WithCancel(t.Context())
	f := New(Options{
		Read: func(s *Snapshot) { s.Read(path, 100) },
		Settled: func(s *Snapshot) {
			data, err := s.Read(path, 100)
			if content = string(data); err != nil {
				t.Error(err)
			}
			cancel()
		},
		Looked: func() time.Duration { return 0 },
		Poll:   time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}, Sum{})
	if err := os.WriteFile(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Run(ctx)
	if content != "new" {
		t.Errorf("got the content %q", content)
	}
	if text := log.String(); strings.Count(text, "no notice of changed files") != 1 {
		t.Errorf("logged %s", text)
	}
}

// TestTwoLooksAgree: a content is reported when two looks in a row found it, and once.
func TestTwoLooksAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	var got []string
	f := New(Options{
		Read: func(s *Snapshot) { s.Read(path, 100) },
		Settled: func(s *Snapshot) {
			data, _ := s.Read(path, 100)
			got = append(got, string(data))
		},
		PollOnly: true,
	}, Sum{})
	for _, step := range []struct {
		content string
		settled bool
	}{{"a", false}, {"b", false}, {"a", false}, {"a", true}, {"a", true}, {"b", false}, {"a", true}, {"b", false}, {"b", true}} {
		if err := os.WriteFile(path, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if settled, _ := f.look(); settled != step.settled {
			t.Errorf("%s after %q: settled is %t, want %t", step.content, got, settled, step.settled)
		}
	}
	if text := strings.Join(got, " "); text != "a b" {
		t.Errorf("got %s, want a b", text)
	}
}
