package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Config configures [New]. Zero fields have the defaults that they name.
type Config struct {
	// Dir is the folder for the files. It is made if it does not exist.
	Dir string
	// Max is how many files are kept; 0 means 100.
	Max int
	// PerMinute is how many requests are written in a minute; 0 means 10.
	PerMinute int
	// Bodies is how many bytes of a body are written; 0 means 64 KiB, and a negative
	// number none.
	Bodies int64
	// CredentialHeader is the header that holds the gateway's credential, as in
	// [core.Config]; "" means Authorization. What is no signature there is withheld.
	CredentialHeader string
	// Withhold are names of further headers whose values are secrets.
	Withhold []string
	// Now is the clock that names files; nil means [time.Now].
	Now func() time.Time
	// Logger takes records about requests that were not kept; nil means [slog.Default].
	Logger *slog.Logger
}

// Bounds of the numbers.
const (
	maxFiles     = 100_000
	maxPerMinute = 10_000
	maxBodies    = 64 << 20
	maxWriting   = 4 // files at one time
)

// Suffix is the end of the name of a file.
const Suffix = ".http"

// Stats counts refused requests.
type Stats struct {
	// Written are in files, of which the oldest may be deleted by now.
	Written uint64
	// Skipped were too many in their minute, or would have had to wait for others.
	Skipped uint64
	// Failed could not be written.
	Failed uint64
	// Err is the last error of the file system: a file could not be written, or the oldest
	// not be deleted.
	Err error
}

// A Recorder is a [core.Observer] that writes the refused requests of one environment.
// It can be used by several goroutines at the same time.
type Recorder struct {
	config Config

	mu     sync.Mutex
	idle   sync.Cond // of mu: busy is 0
	minute int64     // of the clock
	inIt   int       // requests taken in that minute
	busy   int       // files that are being written
	number int       // of files with one time
	stats  Stats
	losses losses
	files  sync.Mutex // guards the folder
}

// New makes the folder, and deletes its oldest files if there are more than Max.
func New(c Config) (*Recorder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Max == 0 {
		c.Max = 100
	}
	if c.PerMinute == 0 {
		c.PerMinute = 10
	}
	if c.Bodies == 0 {
		c.Bodies = 64 << 10
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	r := &Recorder{config: c, losses: losses{}}
	r.idle.L = &r.mu
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, &core.ConfigError{Field: "Dir", Rule: "the folder cannot be made: " + reason(err) + "; make it, writable for the service's user"}
	}
	// What cannot be written later shall not be found out at the first refusal.
	probe, err := os.CreateTemp(c.Dir, ".probe-*")
	if err != nil {
		return nil, &core.ConfigError{Field: "Dir", Rule: "cannot be written to: " + reason(err)}
	}
	probe.Close()
	if err := errors.Join(os.Remove(probe.Name()), r.deleteOldest()); err != nil {
		return nil, &core.ConfigError{Field: "Dir", Rule: reason(err)}
	}
	return r, nil
}

// Validate reports all that is wrong with the fields, each as a [core.ConfigError]. It
// does not look at the folder.
func (c *Config) Validate() error {
	var problems []error
	if c.Dir == "" {
		problems = append(problems, &core.ConfigError{Field: "Dir", Rule: "empty"})
	}
	bounded := func(field string, n, most int64) {
		if n > most {
			problems = append(problems, &core.ConfigError{Field: field, Rule: fmt.Sprintf("%d is more than %d", n, most)})
		}
	}
	bounded("Max", int64(c.Max), maxFiles)
	bounded("PerMinute", int64(c.PerMinute), maxPerMinute)
	bounded("Bodies", c.Bodies, maxBodies)
	if c.Max < 0 {
		problems = append(problems, &core.ConfigError{Field: "Max", Rule: "negative"})
	}
	if c.PerMinute < 0 {
		problems = append(problems, &core.ConfigError{Field: "PerMinute", Rule: "negative"})
	}
	return errors.Join(problems...)
}

// reason is an error of the file system without the operation and the paths.
func reason(err error) string {
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		return failed.Err.Error()
	}
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return failed.Err.Error()
	}
	return err.Error()
}

// Observe writes the request of a refusal. It does not wait for the file.
func (r *Recorder) Observe(_ context.Context, e core.Event) {
	if e.Err == nil || e.Request == nil || e.Request.URL == nil { // the last is not a request of a server
		return
	}
	name, lost := r.enter(&e)
	r.log(lost, e.Environment)
	if name == "" {
		return
	}
	text := r.config.text(&e) // now: the request is the server's afterwards
	environment := e.Environment
	go func() {
		defer r.leave()
		failed := r.write(name, text)
		var undeleted error
		if failed == nil {
			undeleted = r.deleteOldest()
		}
		r.log(r.count(failed, undeleted), environment)
	}()
}

// enter returns the name of the file of a request; empty if it is not to be written.
func (r *Recorder) enter(e *core.Event) (name string, lost []loss) {
	now := r.config.Now().UTC()
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := now.Unix() / 60; minute != r.minute {
		r.minute, r.inIt = minute, 0
	}
	switch {
	case r.inIt >= r.config.PerMinute:
		r.stats.Skipped++
		r.losses.add(slog.LevelWarn, notKept, fmt.Sprintf("per_minute: more than %d in a minute", r.config.PerMinute))
	case r.busy >= maxWriting:
		r.stats.Skipped++
		r.losses.add(slog.LevelWarn, notKept, fmt.Sprintf("%d files were still being written", maxWriting))
	default:
		r.inIt++
		r.busy++
		r.number++
		name = fmt.Sprintf("%s-%06d-%s%s", now.Format("20060102T150405.000Z"), r.number%1_000_000, e.Code, Suffix)
	}
	return name, r.losses.due(now)
}

// count counts a request whose file was written or not, and older ones that could not be
// deleted.
func (r *Recorder) count(failed, undeleted error) []loss {
	now := r.config.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if failed != nil {
		r.stats.Failed++
		r.stats.Err = failed
		r.losses.add(slog.LevelError, notKept, reason(failed))
		return r.losses.due(now)
	}
	r.stats.Written++
	if undeleted != nil {
		r.stats.Err = undeleted
		r.losses.add(slog.LevelError, notDeleted, reason(undeleted))
	}
	return r.losses.due(now)
}

func (r *Recorder) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy--; r.busy == 0 {
		r.idle.Broadcast()
	}
}

// write writes a file whole or not at all. It makes the folder if it is gone.
func (r *Recorder) write(name string, text []byte) error {
	r.files.Lock()
	defer r.files.Unlock()
	if err := os.MkdirAll(r.config.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(r.config.Dir, ".capture-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(r.config.Dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// deleteOldest deletes files of requests until Max are left, besides those that cannot be
// deleted. Somebody else may have deleted some.
func (r *Recorder) deleteOldest() error {
	r.files.Lock()
	defer r.files.Unlock()
	names, err := Files(r.config.Dir)
	for ; len(names) > r.config.Max; names = names[1:] {
		if failed := os.Remove(names[0]); failed != nil && !errors.Is(failed, fs.ErrNotExist) {
			err = failed
		}
	}
	return err
}

// Files returns the paths of the files in a folder, the oldest first.
func Files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if e.Type().IsRegular() && isCapture(e.Name()) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, nil
}

// isCapture reports whether a file's name is one that a Recorder gives.
func isCapture(name string) bool {
	stem, ok := strings.CutSuffix(name, Suffix)
	parts := strings.SplitN(stem, "-", 3)
	if !ok || len(parts) != 3 || len(parts[1]) != 6 {
		return false
	}
	_, err := time.Parse("20060102T150405.000Z", parts[0])
	return err == nil && !slices.ContainsFunc([]byte(parts[1]), func(b byte) bool { return b < '0' || b > '9' })
}

// Wait waits until the files of all requests so far are written.
func (r *Recorder) Wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.busy > 0 {
		r.idle.Wait()
	}
}

// Stats returns the counts.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}
