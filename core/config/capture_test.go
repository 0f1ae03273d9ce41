package config_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
)

const captured = oneKey + "    default: k\n    capture: {dir: refused, max: 5, per_minute: 3, bodies: 1KiB}\n"

// wantFiles waits until so many requests are in the folder.
func wantFiles(t *testing.T, dir string, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		files, err := capture.Files(dir)
		if err == nil && len(files) == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("got %v, %v, want %d files", files, err, n)
		}
	}
}

// TestCapture_T226: the section capture makes Verifier and Watch write refused requests
// to a folder beside the file, and nothing else touches that folder.
func TestCapture_T226(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", captured)
	folder := filepath.Join(dir, "refused")
	f, err := config.Load(path)
	must(t, err)
	c, err := f.Config("R", quiet)
	must(t, err)
	if _, err := os.Stat(folder); err == nil || len(c.Observers) != 0 {
		t.Errorf("Config has %d observers, and the folder is there: %v", len(c.Observers), err == nil)
	}
	v, err := f.Verifier("R", quiet)
	must(t, err)
	v.Verify(httptest.NewRequest("GET", "/", nil))
	wantFiles(t, folder, 1)
	watched, err := config.Watch(t.Context(), path, "R", quiet)
	must(t, err)
	for range 10 {
		watched.Verify(httptest.NewRequest("GET", "/", nil))
	}
	wantFiles(t, folder, 4)
	recorder, err := f.Recorder("R")
	if err != nil || recorder == nil {
		t.Errorf("got %v, %v", recorder, err)
	}
	without, err := config.Load(write(t, dir, "g.yaml", oneKey))
	must(t, err)
	if recorder, err := without.Recorder("R"); recorder != nil || err != nil {
		t.Errorf("got %v, %v for an environment without the section", recorder, err)
	}
}

// TestCaptureProblems: what is wrong with the section is said with its line.
func TestCaptureProblems(t *testing.T) {
	for section, want := range map[string]string{
		"{max: 5}":                             ":6: environments.R.capture.dir: is missing",
		"{dir: ''}":                            ":6: environments.R.capture.dir: is empty",
		"{dir: x, max: 0}":                     ":6: environments.R.capture.max: ",
		"{dir: x, max: 1000000}":               ":6: environments.R.capture.max: 1000000 is more than 100000",
		"{dir: x, per_minute: 20000}":          ":6: environments.R.capture.per_minute: 20000 is more than 10000",
		"{dir: x, bodies: 1GiB}":               ":6: environments.R.capture.bodies: 1073741824 is more than 67108864",
		"{dir: x, folder: y}":                  ":6: environments.R.capture.folder: unknown field",
		"{dir: f.yaml, max: 5}":                ":6: environments.R.capture.dir: the folder cannot be made: not a directory; make it, writable for the service's user",
		"{dir: f.yaml/sub, max: 5, bodies: 1}": ":6: environments.R.capture.dir: the folder cannot be made: not a directory",
	} {
		path := write(t, t.TempDir(), "f.yaml", oneKey, "    default: k\n    capture: "+section+"\n")
		f, err := config.Load(path)
		if err == nil {
			_, err = f.Verifier("R", quiet)
			if _, watched := config.Watch(t.Context(), path, "R", quiet); watched == nil || err == nil || watched.Error() != err.Error() {
				t.Errorf("%s: Watch says %v, Verifier %v", section, watched, err)
			}
		}
		if err == nil || !strings.Contains(withoutColumns(err.Error()), want) {
			t.Errorf("%s: got %v, want %s", section, err, want)
		}
	}
}

// TestCaptureAcrossReloads_T251: the recorder stays while the section does, so that reloads do
// not permit more files in a minute; with another section there is another one.
func TestCaptureAcrossReloads_T251(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", captured)
	folder := filepath.Join(dir, "refused")
	watched(t, path, func(w *watch) {
		refuse := func(folder string, want int) {
			t.Helper()
			for range 5 {
				w.verifier.Verify(httptest.NewRequest("GET", "/", nil))
				synctest.Wait() // the file is written
			}
			if files, err := capture.Files(folder); err != nil || len(files) != want {
				t.Errorf("got %v, %v, want %d files", files, err, want)
			}
		}
		load := func(text string, good bool) {
			t.Helper()
			w.logged()
			write(t, dir, "f.yaml", text)
			w.looks(2)
			if log := w.logged(); strings.Contains(log, "environments file loaded") != good {
				t.Errorf("logged %s", log)
			}
		}
		refuse(folder, 3)
		must(t, os.RemoveAll(folder))
		write(t, dir, "refused", "not a folder") // in which a new recorder could not be made
		load(strings.Replace(captured, "    default: k", "    clock_skew: 14m\n    default: k", 1), true)
		load(captured+"    nothing: 1\n", false)
		load(strings.Replace(captured, "per_minute: 3", "per_minute: 2", 1), false)
		load(captured+"    clock_skew: 13m\n", true)
		must(t, os.Remove(folder))
		must(t, os.Mkdir(folder, 0o700))
		refuse(folder, 0)
		load(strings.Replace(captured, "per_minute: 3", "per_minute: 2", 1), true)
		refuse(folder, 2)
		load(strings.Replace(captured, "dir: refused", "dir: other", 1), true)
		refuse(filepath.Join(dir, "other"), 3)
		refuse(folder, 2)
		load(oneKey+"    default: k\n", true)
		refuse(filepath.Join(dir, "other"), 3)
	})
}

// TestCaptureLogs_T229: what is not kept is in the log of the environment.
func TestCaptureLogs_T229(t *testing.T) {
	for _, watch := range []bool{false, true} {
		dir := t.TempDir()
		path := write(t, dir, "f.yaml", captured)
		var log bytes.Buffer
		logger := config.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
		minute := config.WithNow(func() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) })
		var v *core.Verifier
		var err error
		if watch {
			v, err = config.Watch(t.Context(), path, "R", logger, minute)
		} else {
			f, problem := config.Load(path)
			must(t, problem)
			v, err = f.Verifier("R", logger, minute)
		}
		must(t, err)
		for range 4 { // the last one is beyond per_minute
			v.Verify(httptest.NewRequest("GET", "/", nil))
		}
		wantFiles(t, filepath.Join(dir, "refused"), 3) // nothing writes into the folder afterwards
		for _, want := range []string{"level=WARN msg=\"gatewayauth: refused requests were not kept\" count=1 reason=\"per_minute: ", " environment=R "} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %q in %s", want, log.String())
			}
		}
	}
}
