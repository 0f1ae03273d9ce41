package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config/internal/follow"
)

// File is an environments file that was loaded and has no problems, with the
// secrets it refers to. It does not change, and is safe for concurrent use.
type File struct {
	path         string
	extension    Extension
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
func Load(path string, opts ...LoadOption) (f *File, err error) {
	var o loadOptions
	for _, set := range opts {
		set.applyToLoad(&o)
	}
	follow.Once(func(s *follow.Snapshot) { f, err = read(s, path, o.extension).load(s, o) })
	return f, err
}

const (
	maxFile   = 1 << 20  // bytes of an environments file
	maxSecret = 64 << 10 // bytes of a file that holds a secret
)

// document is a decoded environments file, without its secrets.
type document struct {
	report
	extension    Extension
	environments []*environment
}

func read(s *follow.Snapshot, path string, with Extension) *document {
	d := &document{report: report{file: path}, extension: with}
	data, err := s.Read(path, maxFile)
	if err != nil {
		rule := "the file cannot be read: " + err.Error()
		if tried := absolute(path); tried != path {
			rule += " (" + tried + ")"
		}
		d.addCause(mark{}, rule, err)
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
	decoder := decoder{report: &d.report, extension: with, targets: targets, aliased: map[ast.Node]bool{}, left: maxValues}
	for _, target := range targets {
		decoder.aliased[target] = true
	}
	environments := decoder.environments(root)
	if decoder.exhausted() {
		return d
	}
	d.environments = environments
	for _, e := range environments {
		e.validate(&d.report)
		for i := range e.keys {
			if k := &e.keys[i]; k.typ != nil {
				k.validate(k.build(nil), false, &d.report)
			}
		}
	}
	return d
}

// secrets returns where the secrets of one environment are, always in the same order.
func (d *document) secrets(env string) (all []secretRef) {
	for _, e := range d.environments {
		if e.name != env {
			continue
		}
		for _, k := range e.keys {
			all = append(all, k.references()...)
		}
		if e.replay != nil {
			all = append(append(all, e.replay.server), e.replay.tls.references()...)
		}
	}
	return all
}

// load reads the secrets, with s, and checks what depends on them. It does not change
// the document, which can be loaded again.
func (d *document) load(s *follow.Snapshot, o loadOptions) (*File, error) {
	r := report{file: d.file, problems: slices.Clone(d.problems), dropped: d.dropped}
	f := &File{path: d.file, extension: d.extension}
	for _, e := range d.environments {
		f.names = append(f.names, e.name)
	}
	for _, name := range o.needed {
		if len(r.problems) == 0 && !slices.Contains(f.names, name) {
			return nil, f.unknown(name)
		}
	}
	for _, e := range d.environments {
		if o.only == "" || o.only == e.name {
			secrets := &secretFinder{report: &r, files: s, optional: len(o.needed) > 0 && !slices.Contains(o.needed, e.name)}
			if o.unread {
				secrets.files = nil
			}
			f.environments = append(f.environments, e.withSecrets(secrets))
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	for _, e := range f.environments {
		c := e.config(newOptions(nil), e.placeholder())
		c.Logger = slog.New(slog.DiscardHandler)
		for _, problem := range problemsOf(core.New(c)) {
			if m, ok := e.secretAt(problem); ok {
				r.add(m, inFile(problem.Rule))
				continue
			}
			r.add(e.mark, problem.Error())
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// Missing names the variables and files that hold secrets of an environment's keys and
// were not read, such as "variable ORDERS_SECRET" and "file /run/secrets/orders". There are
// none without a [LoadOption].
func (f *File) Missing(env string) []string {
	if e, err := f.environment(env); err == nil {
		return slices.Clone(e.missing)
	}
	return nil
}

// Environments returns the names of the environments, in the order of the file.
func (f *File) Environments() []string { return slices.Clone(f.names) }

// Warnings returns what is allowed and likely a mistake: names, ids and secrets outside
// of the gateway's published limits, values such as a reference that was not replaced or
// a secret in quotes, and patterns that match something else than was likely meant. Keys
// of other gateways have other limits, so these are not errors. They hold no secret.
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
// An environment that is not in the file is an error that lists those that are, and
// so is one whose secrets, or the URL of whose replay store, were not read.
func (f *File) Verifier(env string, opts ...Option) (*core.Verifier, error) {
	c, err := f.Config(env, opts...)
	if err != nil {
		return nil, err
	}
	if e, _ := f.environment(env); len(e.missing) > 0 || e.store.store == missingStore {
		return nil, &Problem{File: f.path, Line: e.line, Column: e.column, Field: e.field, Rule: "its secrets were not read; load the file where they are"}
	}
	recorder, err := f.Recorder(env, opts...)
	if err != nil {
		return nil, err
	}
	withRecorder(&c, recorder)
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
//
// In place of each secret that is missing (see [File.Missing]) there is a random one,
// so no request verifies with it. A replay store whose URL was not read is never
// available, and requests that need it are refused whatever on_unavailable says.
// The observer of a section capture is not among the observers: see [File.Recorder].
func (f *File) Config(env string, opts ...Option) (core.Config, error) {
	e, err := f.environment(env)
	if err != nil {
		return core.Config{}, err
	}
	o := newOptions(opts)
	st, err := e.store.open(o)
	if err != nil {
		return core.Config{}, err
	}
	f.mu.Lock()
	f.made = append(f.made, st)
	f.mu.Unlock()
	c := e.config(o, st.ReplayStore)
	if e.store.store == missingStore {
		c.Replay.AllowUnavailable = false
	}
	return c, nil
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
	return nil, f.unknown(name)
}

func (f *File) unknown(name string) error {
	return &Problem{File: f.path,
		Rule: fmt.Sprintf("there is no environment %q; ", name) + choices(name, "there are: ", f.names)}
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
