package follow

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// notices are the events of the file system in the folders of the files. What an
// event says does not matter: the files are read. Without events they are read at
// intervals.
type notices struct {
	changes  <-chan fsnotify.Event // nil without events
	failures <-chan error
	poll     time.Duration
	logger   *slog.Logger
	watcher  *fsnotify.Watcher
	told     bool // the log has that some events will not come
}

// newWatcher is replaced by tests. The buffer lets one look answer many events.
var newWatcher = func() (*fsnotify.Watcher, error) { return fsnotify.NewBufferedWatcher(64) }

func newNotices(o Options) *notices {
	n := &notices{poll: o.Poll, logger: o.Logger}
	if o.PollOnly {
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

// failed handles an error that came in place of an event. Lost events do no harm,
// since a look follows every error.
func (n *notices) failed(err error) {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		n.tell(err)
		n.close()
	}
}

// follow watches the folders of the files, and nothing else. It reports whether
// any folder is new: changes in it may have gone without an event so far.
func (n *notices) follow(paths []string) (more bool) {
	if n.watcher == nil {
		return false
	}
	wanted := folders(paths)
	had := n.watcher.WatchList()
	for _, dir := range had {
		if !slices.Contains(wanted, dir) {
			n.watcher.Remove(dir) // fails if it is gone
		}
	}
	for _, dir := range wanted {
		// Add those that are watched too: the name may be that of another folder now.
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

// folders are those whose entries decide which file a path leads to: the folder of
// the file, and the folder of each symbolic link on the way. The versions of a volume
// are left out: Kubernetes replaces them and changes nothing inside.
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
