package config_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// watch is a Verifier that follows a file, in a bubble of testing/synctest: its
// clock stands still until every goroutine waits, so looks happen when a test
// lets them, and a goroutine that is left at the end fails the test.
type watch struct {
	t        *testing.T
	verifier *core.Verifier

	mu      sync.Mutex
	log     bytes.Buffer
	reloads []config.Reload
}

// Write takes what the watcher logs.
func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *watch) reloaded(r config.Reload) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reloads = append(w.reloads, r)
}

// logged returns what was logged since the last call.
func (w *watch) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.log.Reset()
	return w.log.String()
}

func watched(t *testing.T, path string, test func(*watch), opts ...config.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &watch{t: t}
		ctx, cancel := context.WithCancel(t.Context())
		defer func() {
			cancel()
			synctest.Wait() // the goroutine of Watch has ended
		}()
		opts = append([]config.Option{
			config.WithLogger(slog.New(slog.NewTextHandler(w, nil))),
			config.WithReloads(w.reloaded),
			config.WithPollOnly(), // the bubble's clock does not wait for files
		}, opts...)
		var err error
		if w.verifier, err = config.Watch(ctx, path, "R", opts...); err != nil {
			t.Fatal(err)
		}
		w.logged()
		test(w)
	})
}

// looks lets n looks at the files happen.
func (w *watch) looks(n int) {
	time.Sleep(time.Duration(n) * time.Second) // of the bubble's clock
	synctest.Wait()
}

// expect checks the verdict on a request signed with a secret.
func (w *watch) expect(want, secret string) {
	w.t.Helper()
	if got := verdict(w.verifier, signed(w.t, "GET", "/a", secret)); got != want {
		w.t.Errorf("signed with %s: got %s, want %s", secret, got, want)
	}
}

// records checks what the watcher logged since the last call: the level of each
// record, and a text in it.
func (w *watch) records(want ...string) {
	w.t.Helper()
	var got []string
	log := w.logged()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "loaded") {
			got = append(got, line)
		}
	}
	if strings.Contains(log, "kept-from") {
		w.t.Errorf("the log holds the secret: %s", log)
	}
	if len(got) != len(want) {
		w.t.Errorf("got records %q, want %q", got, want)
	}
	for i := range min(len(got), len(want)) {
		level, text, _ := strings.Cut(want[i], " ")
		line := withoutColumns(strings.ReplaceAll(got[i], `\"`, `"`))
		if !strings.Contains(line, "level="+level) || !strings.Contains(line, text) {
			w.t.Errorf("got record %s want %s", got[i], want[i])
		}
	}
}

// TestWatch follows writes in place and renames, and loads a change after two
// looks that agree.
func TestWatch(t *testing.T) {
	path := write(t, t.TempDir(), "f.yaml", oneKey, "    default: k\n")
	with := func(secret string) string {
		return strings.ReplaceAll(oneKey, "kept-from-every-message-1", secret) + "    default: k\n"
	}
	watched(t, path, func(w *watch) {
		w.looks(3)
		w.records()

		write(t, filepath.Dir(path), "f.yaml", with("second-secret-0123"))
		w.looks(1)
		w.expect("k", secret)
		w.looks(1)
		w.expect("k", "second-secret-0123")
		w.expect("signature_mismatch", secret)
		w.looks(3)
		w.records("INFO " + path)

		// Each look finds something else: nothing to go by yet.
		for _, s := range []string{"third-secret-01234", "fourth-secret-0123", "third-secret-01234", "fourth-secret-0123"} {
			write(t, filepath.Dir(path), "f.yaml", with(s))
			w.looks(1)
			w.expect("k", "second-secret-0123")
		}
		w.looks(1)
		w.expect("k", "fourth-secret-0123")

		next := write(t, filepath.Dir(path), "next.yaml", with("fifth-secret-01234"))
		must(t, os.Rename(next, path))
		w.looks(2)
		w.expect("k", "fifth-secret-01234")
		w.records("INFO "+path, "INFO "+path)

		// Other times, same content.
		must(t, os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0)))
		w.looks(3)
		w.records()
		if len(w.reloads) != 4 {
			t.Errorf("got %d calls of WithReloads, want 4", len(w.reloads))
		}
	})
}

// TestWatchKeepsLastGood over one bad content after the other: one record for
// each, also where one comes back.
func TestWatchKeepsLastGood(t *testing.T) {
	dir := t.TempDir()
	good := oneKey + "    default: k\n"
	path := write(t, dir, "f.yaml", good)
	watched(t, path, func(w *watch) {
		for _, step := range []struct {
			content string
			want    []string
		}{
			{oneKey + "    mode: of\n", []string{"ERROR :5: environments.R.mode: unknown mode"}},
			{"environments: {S: {mode: off}}\n", []string{`ERROR there is no environment "R"; there are: S`}},
			{oneKey + "    mode: of\n", nil},
			{good, []string{"INFO " + path}},
			{oneKey + "    mode: of\n", []string{"ERROR :5: environments.R.mode: unknown mode"}},
		} {
			write(t, dir, "f.yaml", step.content)
			w.looks(4)
			w.expect("k", secret)
			w.records(step.want...)
		}
		if len(w.reloads) != 6 || w.reloads[0].Err != nil || w.reloads[1].Err == nil {
			t.Errorf("got reloads %v; want a good one, and then five", w.reloads)
		}
	})
}

// TestHalfWritten_F04: a file cut in the middle, for longer than two looks, is
// one record without contents, and the second half loads by itself.
func TestHalfWritten_F04(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", oneKey, "    default: k\n")
	next := strings.ReplaceAll(oneKey, "kept-from-every-message-1", "kept-from-every-message-2") + "    default: k\n"
	watched(t, path, func(w *watch) {
		f, err := os.Create(path)
		must(t, err)
		defer f.Close()
		for _, half := range []string{next[:len(next)/2], next[len(next)/2:]} {
			_, err = f.WriteString(half)
			must(t, err)
			must(t, f.Sync())
			w.looks(1)
			w.expect("k", secret)
			if half == next[:len(next)/2] {
				w.looks(4)
				w.expect("k", secret)
				w.records("ERROR " + path + ":4: ")
			}
		}
		w.looks(1)
		w.expect("k", "kept-from-every-message-2")
		w.records("INFO " + path)
	})
}

// TestWatchSecretFile: a secret is replaced by a change of its file alone, and
// a file that is missing for a while does no harm.
func TestWatchSecretFile(t *testing.T) {
	dir := t.TempDir()
	key := write(t, dir, "orders", "first-secret-01234\n")
	path := write(t, dir, "f.yaml", head, "    keys: [{name: k, type: hmac, key: 071fe2459cf64d75, secret: {file: orders}}]\n    default: k\n")
	watched(t, path, func(w *watch) {
		w.expect("k", "first-secret-01234")
		write(t, dir, "orders", "second-secret-0123\r\n")
		w.looks(2)
		w.expect("k", "second-secret-0123")
		w.expect("signature_mismatch", "first-secret-01234")
		w.records("INFO " + path)
		must(t, os.Remove(key))
		w.looks(5)
		w.expect("k", "second-secret-0123")
		w.records("ERROR :3: environments.R.keys[0].secret.file: the file " + filepath.Join(filepath.Dir(path), "orders") + " does not exist")
		write(t, dir, "orders", "third-secret-01234")
		w.looks(2)
		w.expect("k", "third-secret-01234")
		w.records("INFO " + path)
	})
}

// TestWatchEnds: what comes after the context changes nothing.
func TestWatchEnds(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "f.yaml", oneKey, "    default: k\n")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		v, err := config.Watch(ctx, path, "R", quiet, config.WithPollOnly())
		must(t, err)
		cancel()
		write(t, dir, "f.yaml", oneKey)
		w := &watch{t: t, verifier: v}
		w.looks(5)
		w.expect("k", secret)
	})
	for name, bad := range map[string]func() (*core.Verifier, error){
		"poll":        func() (*core.Verifier, error) { return config.Watch(t.Context(), path, "R", config.WithPoll(0)) },
		"environment": func() (*core.Verifier, error) { return config.Watch(t.Context(), path, "S", quiet) },
	} {
		if v, err := bad(); v != nil || err == nil {
			t.Errorf("%s: got %v, %v; want an error alone", name, v, err)
		}
	}
}

// TestOnlyTheSecretsOfTheEnvironment: a process in production needs not have
// the secrets of the tests, but the whole file must be right.
func TestOnlyTheSecretsOfTheEnvironment(t *testing.T) {
	const text = `environments:
  RELEASE:
    keys: [{name: release_key, type: hmac, key: 071fe2459cf64d75, secret: {env: RELEASE_SECRET_OF_THIS_TEST}}]
    default: release_key
  TEST:
    keys: [{name: test_key, type: hmac, key: 171fe2459cf64d75, secret: {file: not-here}}]
    default: test_key
`
	t.Setenv("RELEASE_SECRET_OF_THIS_TEST", "release-secret-0123")
	path := filepath.Join(t.TempDir(), "environments.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	watch := func(env string) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := config.Watch(ctx, path, env, config.WithLogger(slog.New(slog.DiscardHandler)))
		return err
	}
	write(text)
	if err := watch("RELEASE"); err != nil {
		t.Errorf("RELEASE, whose secret is there: %v", err)
	}
	missing := ":6:73: environments.TEST.keys[0].secret.file: the file " + filepath.Join(filepath.Dir(path), "not-here") + " does not exist"
	if err := watch("TEST"); err == nil || err.Error() != path+missing {
		t.Errorf("TEST: got %v, want %s", err, missing)
	}
	if _, err := config.Load(path); err == nil || err.Error() != path+missing {
		t.Errorf("Load: got %v, want %s", err, missing)
	}
	if err := watch("OTHER"); err == nil || !strings.Contains(err.Error(), "there are: RELEASE, TEST") {
		t.Errorf("OTHER: got %v", err)
	}
	write(strings.Replace(text, "default: test_key", "default: nobody", 1))
	if err := watch("RELEASE"); err == nil || !strings.Contains(err.Error(), "environments.TEST.default") {
		t.Errorf("a mistake in TEST: got %v", err)
	}
	write(strings.Replace(text, "{file: not-here}", "test-secret-012345", 1))
	f, err := config.Load(path)
	if err != nil || !slices.Equal(f.Environments(), []string{"RELEASE", "TEST"}) {
		t.Errorf("whole: got %v", err)
	}
}
