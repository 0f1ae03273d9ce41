package config

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// notices come from the file system when something happens in the folders of
// files. What happened does not matter, the files are looked at; and whoever
// gets none looks from time to time.
type notices struct {
	changes  <-chan fsnotify.Event // nil where there are none
	failures <-chan error
	options
	watcher *fsnotify.Watcher
	told    bool // that some notices will not come
}

// newWatcher is replaced where it shall fail. A buffer lets one look follow many
// notices at once.
var newWatcher = func() (*fsnotify.Watcher, error) { return fsnotify.NewBufferedWatcher(64) }

func newNotices(o options) *notices {
	n := &notices{options: o}
	if o.pollOnly {
		return n
	}
	w, err := newWatcher()
	if err != nil {
		n.tell(err)
		return n
	}
	n.watcher, n.changes, n.failures = w, w.Events, w.Errors
	return n
}

func (n *notices) on() bool { return n.watcher != nil }

func (n *notices) tell(err error) {
	if !n.told {
		n.told = true
		n.logger.Warn("gatewayauth: no notice of changed files; they are looked at from time to time",
			slog.Duration("every", n.poll), slog.String("error", err.Error()))
	}
}

// failed takes an error that came in place of notices. Lost ones are no harm,
// since a look follows.
func (n *notices) failed(err error) {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		n.tell(err)
		n.close()
	}
}

// follow watches the folders of the files, and nothing else. It reports whether
// there are new ones among them: what happened there before is not known.
func (n *notices) follow(paths []string) (more bool) {
	if n.watcher == nil {
		return false
	}
	wanted := folders(paths)
	had := n.watcher.WatchList()
	for _, dir := range had {
		if !slices.Contains(wanted, dir) {
			n.watcher.Remove(dir) // fails where it is gone
		}
	}
	for _, dir := range wanted {
		// Also those that are watched: the name may stand for another folder now.
		switch err := n.watcher.Add(dir); {
		case err == nil:
			more = more || !slices.Contains(had, dir)
		case !errors.Is(err, fs.ErrNotExist):
			n.tell(err)
		}
	}
	return more
}

func (n *notices) close() {
	if n.watcher != nil {
		n.watcher.Close()
		n.watcher, n.changes, n.failures = nil, nil, nil
	}
}

// folders are those in which something happens when another file is found at one
// of the paths: where it is, and where a link on the way to it is. Volumes are
// replaced, and nothing in them changes.
func folders(paths []string) (all []string) {
	seen := map[string]bool{}
	var follow func(path string)
	follow = func(path string) {
		for file := true; !seen[path]; file = false {
			seen[path] = true
			dir := filepath.Dir(path)
			target, err := os.Readlink(path)
			if link := err == nil; file || link {
				// By one name: fsnotify mixes up folders that have two.
				real, err := realFolder(dir)
				if err == nil && filepath.Base(dir) != volumeLink && !slices.Contains(all, real) {
					all = append(all, real)
				}
				if link && !filepath.IsAbs(target) {
					target = filepath.Join(real, target)
				}
				if link {
					follow(target)
				}
			}
			path = dir
		}
	}
	for _, path := range paths {
		follow(path)
	}
	return all
}

func realFolder(dir string) (string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}
