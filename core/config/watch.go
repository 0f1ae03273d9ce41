package config

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config/internal/follow"
)

// Watch loads a file as [Load] does, and returns a Verifier for one environment
// that follows the file, and every file with a secret of that environment, until
// ctx ends. With an error nothing is watched.
//
// The whole file is checked, but only the secrets of that environment are
// needed: a process in production does not need those of the tests.
//
// It compares contents, not times: after notice of a change from the file system,
// and once a second in any case ([WithPoll]), since not every file system gives
// notice. So it sees writes in place, renames, and the volumes of Kubernetes,
// where a link is replaced and the files themselves never change. A change is
// loaded once two looks in a row found the same, so that a file being written is
// not taken for the whole one: with notice a tenth of a second apart, the first
// when nothing has happened for as long, otherwise a second. A writer that pauses
// for longer in the middle can still be read in half: write to another file and
// rename it.
//
// A change that cannot be loaded leaves the last good policy in force, whatever
// the problem is (a problem in another environment included), and is logged at
// error level, once for each content. The next content that can be loaded takes
// effect by itself, with one record at info level. Requests that are being
// verified finish under the policy they started with. [WithReloads] gives metrics
// of all this.
//
// Watch cannot see a change that does not reach the files: Kubernetes does not update
// mounts with subPath, and environment variables are read anew only when a file
// changes.
//
// The replay store stays the same for as long as its settings do, so that a reload
// forgets nothing; see the package comment for what happens otherwise. A store
// that is no longer used is closed. The recorder of a section capture stays the same for
// as long as the section does, so that a reload does not permit more files in a minute.
//
// One goroutine does this, and another one waits for notices. Both end when ctx
// does. The Verifier then stays as it is, but a replay store on a server is closed:
// requests that need it are refused with 503. So end ctx after the servers that
// use the Verifier have shut down.
func Watch(ctx context.Context, path, env string, opts ...Option) (*core.Verifier, error) {
	w := &watcher{path: path, env: env, options: newOptions(opts), reported: map[follow.Sum]bool{}}
	if w.poll <= 0 {
		return nil, errPoll
	}
	var sum follow.Sum
	var loaded *File
	var err error
	follow.Once(func(s *follow.Snapshot) { // if this is too early, the next looks correct it
		w.read(s)
		sum = s.Sum()
		loaded, err = w.doc.load(s, loadOptions{only: w.env})
	})
	if err == nil {
		err = w.apply(loaded)
	}
	if err != nil {
		return nil, err
	}
	w.tell(nil)
	w.loaded()
	files := follow.New(follow.Options{Read: w.read, Settled: w.reload, Looked: w.stores.sweep,
		Poll: w.poll, PollOnly: w.pollOnly, Logger: w.logger}, sum)
	go func() {
		defer w.stores.close()
		files.Run(ctx)
	}()
	return w.verifier, nil
}

// watcher follows the files of one environment.
type watcher struct {
	path, env string
	options
	verifier *core.Verifier
	stores   stores
	recorder recorder
	linger   time.Duration // how long a request may be verified under the policy in force

	doc      *document // decoded from the content that docSum stands for
	docSum   follow.Sum
	reported map[follow.Sum]bool // bad contents since the last good one
	state    Reload              // of the last attempt
}

// read reads all files, and decodes the environments file if it has changed.
func (w *watcher) read(s *follow.Snapshot) {
	s.Read(w.path, maxFile) // decoding reports the error
	if sum := s.Sum(); w.doc == nil || sum != w.docSum {
		w.doc, w.docSum = read(s, w.path, w.extension), sum
	}
	for _, ref := range w.doc.secrets(w.env) {
		if path := ref.file(w.path); path != "" {
			s.Read(path, maxSecret)
		}
	}
}

// reload puts a new content in force, and reports the result.
func (w *watcher) reload(s *follow.Snapshot) {
	f, err := w.doc.load(s, loadOptions{only: w.env})
	if err == nil {
		err = w.apply(f)
	}
	w.tell(err)
	if err == nil {
		clear(w.reported)
		w.loaded()
		return
	}
	if sum := s.Sum(); !w.reported[sum] {
		w.reported[sum] = true
		w.logger.Error("gatewayauth: environments file not loaded; the last good policy stays",
			slog.String("file", w.path), slog.String("environment", w.env), slog.String("error", err.Error()))
	}
}

// loaded logs what is in force.
func (w *watcher) loaded() {
	w.logger.Info("gatewayauth: environments file loaded",
		slog.String("file", w.path), slog.String("environment", w.env), slog.String("mode", w.verifier.Mode().String()))
}

// apply puts the environment in force.
func (w *watcher) apply(f *File) error {
	e, err := f.environment(w.env)
	if err != nil {
		return err
	}
	recorder, err := w.recorder.take(f, e, w.options)
	if err != nil {
		return err
	}
	st, err := w.stores.take(e.store, w.options)
	if err != nil {
		return err
	}
	c := e.config(w.options, st.ReplayStore)
	withRecorder(&c, recorder.Recorder)
	if w.verifier == nil {
		w.verifier, err = core.New(c)
	} else {
		err = w.verifier.Reload(c)
	}
	if err != nil {
		w.stores.leave(st)
		return err
	}
	w.stores.use(st, w.linger)
	w.recorder = recorder
	w.linger = cmp.Or(c.BodyTimeout, 30*time.Second) + 30*time.Second
	f.logWarnings(w.env, w.logger)
	if s := e.store; st.store == memoryStore && (st.maxEntries != s.maxEntries || st.refuseBeforeStart != s.refuseBeforeStart) {
		w.logger.Warn("gatewayauth: the replay store stays as it is; max_entries and refuse_before_start count from the next start",
			slog.String("file", w.path), slog.String("environment", w.env))
	}
	return nil
}

func (w *watcher) tell(err error) {
	now := time.Now()
	w.state.Environment, w.state.Err, w.state.Time = w.env, err, now
	if err == nil {
		w.state.LastLoaded = now
		w.state.Loads++
	} else {
		w.state.Failures++
	}
	for _, f := range w.reloads {
		f(w.state)
	}
}
