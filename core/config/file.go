package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config/internal/follow"
)

// File is an environments file that was loaded whole and found right, with the
// secrets it refers to. It does not change, and is safe for concurrent use.
type File struct {
	path         string
	names        []string // of all environments in the file
	environments []*environment

	mu   sync.Mutex
	made []*store // by Config and Verifier
}

// Load reads an environments file and every secret it refers to, in all its
// environments, and checks all of it as [core.New] would. With an error there
// is no File; the error holds every problem, see [Problem].
//
// The file is a regular file of at most 1 MiB, a file with a secret one of at
// most 64 KiB. Load reads each once; it cannot tell whether someone is writing
// to it at that moment, which [Watch] can.
func Load(path string) (f *File, err error) {
	follow.Once(func(s *follow.Snapshot) { f, err = read(s, path).load(s, "") })
	return f, err
}

const (
	maxFile   = 1 << 20  // bytes of an environments file
	maxSecret = 64 << 10 // bytes of a file that holds a secret
)

// document is the text of an environments file, decoded, its secrets not yet
// found.
type document struct {
	report
	environments []*environment
}

func read(s *follow.Snapshot, path string) *document {
	d := &document{report: report{file: path}}
	data, err := s.Read(path, maxFile)
	if err != nil {
		d.addCause(mark{}, "the file cannot be read: "+err.Error(), err)
		return d
	}
	root := syntax(data, &d.report)
	if root == nil {
		return d
	}
	targets := resolveAliases(root, &d.report)
	if len(d.problems) > 0 {
		return d
	}
	decoder := decoder{report: &d.report, targets: targets, left: maxValues}
	environments := decoder.environments(root)
	if decoder.exhausted() {
		return d
	}
	d.environments = environments
	for _, e := range environments {
		e.check(&d.report)
		for i := range e.keys {
			if k := &e.keys[i]; k.typ != nil {
				k.judge(k.build(leaving), false, &d.report)
			}
		}
	}
	return d
}

// secrets returns the secrets of one environment, in an order that does not
// change.
func (d *document) secrets(env string) (all []secretRef) {
	for _, e := range d.environments {
		if e.name != env {
			continue
		}
		for _, k := range e.keys {
			all = append(all, k.references()...)
		}
		if e.replay != nil {
			all = append(all, e.replay.server)
		}
	}
	return all
}

// load finds the secrets, in what the snapshot read, and makes the last check:
// of all environments, or of the one named, which is then the only one in the
// File. The document stays as it is, for the next time.
func (d *document) load(s *follow.Snapshot, only string) (*File, error) {
	r := report{file: d.file, problems: slices.Clone(d.problems), dropped: d.dropped}
	f := &File{path: d.file}
	for _, undone := range d.environments {
		f.names = append(f.names, undone.name)
		if only != "" && undone.name != only {
			continue
		}
		e := *undone
		warnings := report{file: d.file}
		for i := range e.keys {
			k := &e.keys[i]
			built := k.build(resolving(s, &r))
			e.built = append(e.built, built)
			if k.typ != nil {
				k.judge(built, true, &r)
				k.warn(built, &warnings)
			}
		}
		if e.replay != nil {
			e.store = e.replay.find(s, &r)
		}
		e.warn(&warnings)
		e.warnings = warnings.problems
		f.environments = append(f.environments, &e)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	for _, e := range f.environments {
		c := e.config(settle(nil), e.placeholder())
		c.Logger = slog.New(slog.DiscardHandler)
		for _, problem := range problemsOf(core.New(c)) {
			r.add(e.mark, problem.Error())
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// Environments returns the names of the environments, in the order of the file.
func (f *File) Environments() []string { return slices.Clone(f.names) }

// Warnings returns what is allowed and looks wrong: names, ids and secrets that
// the gateway would not have taken (its published limits), values that are
// likely not what was meant, such as a reference that nothing has replaced or a
// secret in quotes, and patterns that are likely to say something else than what is
// meant, or more. Keys of other gateways look otherwise, so these are not errors.
// They hold no secret.
func (f *File) Warnings() []*Problem {
	var all []*Problem
	for _, e := range f.environments {
		all = append(all, e.warnings...)
	}
	return all
}

// Verifier returns a new Verifier for one environment, and logs the warnings
// about that environment. It does not follow changes of the file; [Watch] does.
// A replay store that it has is closed by [File.Close].
//
// An environment that is not in the file is an error that lists those that are.
func (f *File) Verifier(env string, opts ...Option) (*core.Verifier, error) {
	c, err := f.Config(env, opts...)
	if err != nil {
		return nil, err
	}
	f.logWarnings(env, c.Logger)
	return core.New(c)
}

// Config returns the configuration of one environment, for [core.New] and
// [core.Verifier.Reload]. An environment that is not in the file is an error that
// lists those that are.
//
// Every call builds new schemes, and a new replay store where the environment has
// one: it knows nothing of what another one in memory has recorded. To keep the
// store of a Verifier when you reload it, set Replay.Store in the result to the
// one that it has, as [Watch] does. [File.Close] closes the stores.
func (f *File) Config(env string, opts ...Option) (core.Config, error) {
	e, err := f.environment(env)
	if err != nil {
		return core.Config{}, err
	}
	o := settle(opts)
	st, err := e.store.open(o.logger)
	if err != nil {
		return core.Config{}, err
	}
	f.mu.Lock()
	f.made = append(f.made, st)
	f.mu.Unlock()
	return e.config(o, st.ReplayStore), nil
}

// Close closes the connections of the replay stores that [File.Config] and
// [File.Verifier] have made. What uses such a store refuses with 503 from then
// on, or accepts unchecked where on_unavailable says so; close the File when
// nothing uses them any more. Without a store on a server there is nothing to
// close.
func (f *File) Close() error {
	f.mu.Lock()
	made := f.made
	f.made = nil
	f.mu.Unlock()
	var problems []error
	for _, st := range made {
		problems = append(problems, st.close())
	}
	return errors.Join(problems...)
}

// environment finds one by its name.
func (f *File) environment(name string) (*environment, error) {
	for _, e := range f.environments {
		if e.name == name {
			return e, nil
		}
	}
	return nil, &Problem{File: f.path,
		Rule: fmt.Sprintf("there is no environment %q; there are: %s", name, strings.Join(f.Environments(), ", "))}
}

// config builds the configuration, sharing nothing that could be changed but the
// replay store.
func (e *environment) config(o options, store core.ReplayStore) core.Config {
	c := e.policy
	for _, list := range []*[]string{&c.RequireSigned, &c.RequireSignedWithBody, &c.AllowUnsigned, &c.Hosts} {
		*list = slices.Clone(*list)
	}
	c.Replay.ExemptMethods = slices.Clone(c.Replay.ExemptMethods)
	c.Replay.Store = store
	c.Now, c.Logger, c.Observers = o.now, o.logger, slices.Clone(o.observers)
	for _, a := range e.apis {
		c.APIs = append(c.APIs, a.API)
	}
	for _, t := range keyTypes {
		var keys []key
		for i, k := range e.keys {
			if k.typeName == t.name {
				keys = append(keys, e.built[i])
			}
		}
		if len(keys) > 0 {
			c.Schemes = append(c.Schemes, t.scheme(keys, o.now))
		}
	}
	return c
}

func (f *File) logWarnings(env string, l *slog.Logger) {
	for _, e := range f.environments {
		if e.name != env {
			continue
		}
		for _, p := range e.warnings {
			l.LogAttrs(context.Background(), slog.LevelWarn, "gatewayauth: the environments file has something unusual",
				slog.String("environment", env), slog.String("warning", p.Error()))
		}
	}
}
