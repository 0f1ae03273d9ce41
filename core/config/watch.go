package config

import (
	"context"
	"log/slog"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Watch loads a file as [Load] does, and returns a Verifier for one environment
// that follows the file, and every file with a secret of that environment, until
// ctx ends. With an error nothing is watched.
//
// The whole file is checked, but only the secrets of that environment are
// needed: a process in production does without those of the tests.
//
// It compares contents, not times, once a second ([WithPoll]): writes in place,
// renames, and the volumes of Kubernetes, where a link is replaced and the
// files themselves never change. A change is loaded once two looks in a row
// found the same, so that a file being written is not taken for the whole one.
// A writer that pauses for longer in the middle can still be read in half:
// write to another file and rename it.
//
// A change that cannot be loaded leaves the last good policy in force, whatever
// the problem is (a problem in another environment included), and is logged at
// error level, once for each content. The next content that can be loaded takes
// effect by itself, with one record at info level. Requests that are being
// judged finish under the policy they started with.
//
// What never reaches the files cannot be seen: Kubernetes does not update
// mounts with subPath, and environment variables are read anew only when a file
// changes.
//
// One goroutine does this. It ends when ctx does, and the Verifier then stays
// as it is.
func Watch(ctx context.Context, path, env string, opts ...Option) (*core.Verifier, error) {
	w := &watcher{path: path, env: env, opts: opts, options: settle(opts), reported: map[fingerprint]bool{}}
	if w.poll <= 0 {
		return nil, errPoll
	}
	f, sum, err := w.start()
	if err != nil {
		return nil, err
	}
	if w.verifier, err = f.Verifier(env, opts...); err != nil {
		return nil, err
	}
	w.settled, w.last = sum, sum
	w.tell(nil)
	go w.run(ctx)
	return w.verifier, nil
}

// watcher follows the files of one environment.
type watcher struct {
	path, env string
	opts      []Option
	options
	verifier *core.Verifier

	doc      *document // decoded from the content that docSum stands for
	docSum   fingerprint
	last     fingerprint          // of the last look
	settled  fingerprint          // of what was last loaded, or found bad
	reported map[fingerprint]bool // bad contents since the last good one
}

func (w *watcher) run(ctx context.Context) {
	ticker := time.NewTicker(w.poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.look()
		}
	}
}

// start makes the first look. There is no other to compare it with; the ones
// that follow correct it if it came too early.
func (w *watcher) start() (f *File, sum fingerprint, err error) {
	for attempt := 1; ; attempt++ {
		s := newSnapshot()
		sum = w.read(s)
		if f, err = w.doc.load(s, w.env); !s.moved() || attempt == 3 {
			return f, sum, err
		}
	}
}

// read reads all files and decodes the environments file if it is another.
func (w *watcher) read(s *snapshot) fingerprint {
	s.read(w.path, maxFile) // the error comes again when it is decoded
	if sum := s.sum(); w.doc == nil || sum != w.docSum {
		w.doc, w.docSum = read(s, w.path), sum
	}
	for _, ref := range w.doc.secrets(w.env) {
		if path := ref.file(w.path); path != "" {
			s.read(path, maxSecret)
		}
	}
	return s.sum()
}

// look compares the files with the last look, and loads what is new in both.
func (w *watcher) look() {
	s := newSnapshot()
	sum := w.read(s)
	if s.moved() {
		w.last = fingerprint{} // neither the old content nor the new one, and no look to agree with
		return
	}
	again := sum == w.last
	w.last = sum
	if !again || sum == w.settled {
		return
	}
	w.settled = sum
	err := w.reload(s)
	w.tell(err)
	if err == nil {
		clear(w.reported)
		w.logger.Info("gatewayauth: environments file loaded",
			slog.String("file", w.path), slog.String("environment", w.env))
		return
	}
	if !w.reported[sum] {
		w.reported[sum] = true
		w.logger.Error("gatewayauth: environments file not loaded; the last good policy stays",
			slog.String("file", w.path), slog.String("environment", w.env), slog.String("error", err.Error()))
	}
}

// reload applies what the snapshot holds.
func (w *watcher) reload(s *snapshot) error {
	f, err := w.doc.load(s, w.env)
	if err != nil {
		return err
	}
	c, err := f.Config(w.env, w.opts...)
	if err != nil {
		return err
	}
	if err := w.verifier.Reload(c); err != nil {
		return err
	}
	f.logWarnings(w.env, w.logger)
	return nil
}

func (w *watcher) tell(err error) {
	for _, f := range w.reloads {
		f(Reload{Environment: w.env, Err: err})
	}
}
