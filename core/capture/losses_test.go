package capture_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/capture"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// losing is a Recorder with a clock and a log.
type losing struct {
	*testing.T
	*capture.Recorder
	dir string
	now time.Time
	log bytes.Buffer // written by one goroutine at a time: refuse waits
}

func newLosing(t *testing.T, change func(*capture.Config)) *losing {
	l := &losing{T: t, now: testkit.Now()}
	l.Recorder, l.dir = recorder(t, func(c *capture.Config) {
		c.Now = func() time.Time { return l.now }
		c.Logger = slog.New(slog.NewTextHandler(&l.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "time" || a.Key == "dir" {
				return slog.Attr{}
			}
			return a
		}}))
		change(c)
	})
	return l
}

// refuse refuses n requests, and compares what is logged.
func (l *losing) refuse(n int, want string) {
	l.Helper()
	l.log.Reset()
	for range n {
		e := refusedEvent(testkit.Unsigned("GET", "/"))
		e.Environment = "PROD"
		l.Observe(context.Background(), e)
		l.Wait()
	}
	if got := l.log.String(); got != want {
		l.Errorf("%d requests logged\n%swant\n%s", n, got, want)
	}
}

func (l *losing) kept(want int) {
	l.Helper()
	if files, err := capture.Files(l.dir); err != nil || len(files) != want {
		l.Errorf("got %d files, %v, want %d", len(files), err, want)
	}
}

// TestFolderGone_T228: a folder that was deleted is made again, with the same mode.
func TestFolderGone_T228(t *testing.T) {
	l := newLosing(t, func(*capture.Config) {})
	l.refuse(1, "")
	for _, path := range []string{l.dir, filepath.Dir(l.dir)} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		l.refuse(1, "")
		l.kept(1)
		if info, err := os.Stat(l.dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("got %v, %v", info, err)
		}
	}
	if got := l.Stats(); got.Written != 3 || got.Failed != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestNotWritten_T229: what the file system refuses is logged with its reason, once a minute
// for each, with how many requests were not kept.
func TestNotWritten_T229(t *testing.T) {
	l := newLosing(t, func(c *capture.Config) { c.PerMinute = 100 })
	record := func(count, reason string) string {
		return `level=ERROR msg="gatewayauth: refused requests were not kept" count=` + count + ` reason="` + reason + "\" environment=PROD\n"
	}
	if err := os.Remove(l.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.refuse(5, record("1", "not a directory"))
	l.now = l.now.Add(59 * time.Second)
	l.refuse(5, "")
	l.now = l.now.Add(time.Second)
	l.refuse(5, record("9", "not a directory")) // those before
	if err := os.Remove(l.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(l.dir, "nowhere"), l.dir); err != nil {
		t.Fatal(err)
	}
	l.refuse(2, record("1", "file exists"))
	if got := l.Stats(); got.Written != 0 || got.Failed != 17 || got.Err == nil {
		t.Errorf("got %+v", got)
	}

	// It is mended: what no record has said is said with the first file.
	if err := os.Remove(l.dir); err != nil {
		t.Fatal(err)
	}
	l.refuse(1, "")
	l.now = l.now.Add(time.Hour)
	l.log.Reset()
	l.Observe(context.Background(), refusedEvent(testkit.Unsigned("GET", "/")))
	l.Wait()
	if got := bytes.Count(l.log.Bytes(), []byte("level=ERROR")); got != 2 || !bytes.Contains(l.log.Bytes(), []byte("count=5")) {
		t.Errorf("got %s", l.log.Bytes())
	}
	l.kept(2)
	l.now = l.now.Add(time.Hour)
	l.refuse(1, "")
}

// TestPerMinute_T229: so are requests beyond per_minute, as a warning.
func TestPerMinute_T229(t *testing.T) {
	l := newLosing(t, func(c *capture.Config) { c.PerMinute = 2 })
	record := func(count string) string {
		return `level=WARN msg="gatewayauth: refused requests were not kept" count=` + count + ` reason="per_minute: more than 2 in a minute" environment=PROD` + "\n"
	}
	l.refuse(2, "")
	l.refuse(48, record("1"))
	l.now = l.now.Add(time.Minute)
	l.refuse(1, record("47"))
	l.refuse(3, "")
	l.now = l.now.Add(-time.Hour) // the clock is set back
	l.refuse(1, record("2"))
	if got := l.Stats(); got.Written != 5 || got.Skipped != 50 {
		t.Errorf("got %+v", got)
	}
}

// TestNotDeleted_T229: a request whose file is written is kept, also if an older one cannot be
// deleted.
func TestNotDeleted_T229(t *testing.T) {
	l := newLosing(t, func(c *capture.Config) { c.Max = 1 })
	l.refuse(1, "")
	l.log.Reset()
	files, err := capture.Files(l.dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v", files, err)
	}
	// The folder cannot be read any more, so that nobody knows what is to be deleted.
	if err := os.Chmod(l.dir, 0o300); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(l.dir, 0o700)
	if _, err := os.ReadDir(l.dir); err == nil {
		t.Skip("this user reads every folder")
	}
	l.refuse(2, `level=ERROR msg="gatewayauth: the oldest of the kept requests could not be deleted" count=1 reason="permission denied" environment=PROD`+"\n")
	if got := l.Stats(); got.Written != 3 || got.Failed != 0 || got.Err == nil {
		t.Errorf("got %+v", got)
	}
}

// TestLoggerPanics_T229: a log handler that panics does not end the service, nor the recording.
func TestLoggerPanics_T229(t *testing.T) {
	r, dir := recorder(t, func(c *capture.Config) { c.Logger, c.PerMinute = slog.New(panics{}), 1 })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.Observe(context.Background(), refusedEvent(testkit.Unsigned("GET", "/")))
		r.Wait()
	}
	if got := r.Stats(); got.Failed != 1 || got.Skipped != 2 {
		t.Errorf("got %+v", got)
	}
}

type panics struct{ slog.Handler }

func (panics) Enabled(context.Context, slog.Level) bool  { return true }
func (panics) Handle(context.Context, slog.Record) error { panic("the handler") }
