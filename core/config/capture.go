package config

import (
	"path/filepath"
	"reflect"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/capture"
)

// captureEntry is the section capture of an environment.
type captureEntry struct {
	mark
	at map[string]mark
	capture.Config
}

func (d *decoder) captureTo(dst **captureEntry) func(value) {
	return func(v value) {
		c := &captureEntry{mark: v.mark}
		*dst = c
		written := "{dir: /var/lib/orders/refused}"
		if text := plain(v); text != "" && !strings.ContainsAny(text, ",:*") {
			written = "{dir: " + text + "}"
		}
		c.at = d.mapping(v, written, fields{
			"dir":        d.textTo(&c.Dir),
			"max":        d.countTo(&c.Max),
			"per_minute": d.countTo(&c.PerMinute),
			"bodies":     d.sizeTo(&c.Bodies),
		})
		d.required(v, c.at, "dir", "the folder for the files, such as /var/lib/orders/refused")
		if c.Dir == "" {
			return // reported as missing or empty
		}
		for _, problem := range problemsOf(nil, c.Validate()) {
			d.add(c.place(problem.Field), problem.Rule)
		}
	}
}

// place returns where the file has a field of [capture.Config].
func (c *captureEntry) place(field string) mark {
	name := map[string]string{"Dir": "dir", "Max": "max", "PerMinute": "per_minute", "Bodies": "bodies"}[field]
	if m, ok := c.at[name]; ok {
		return m
	}
	return c.mark
}

// Recorder returns a new observer that keeps refused requests, as the section capture of an
// environment says; nil if it has none. [File.Verifier] and [Watch] make their own. For
// a Verifier that is made of [File.Config], add it to the observers.
func (f *File) Recorder(env string, opts ...Option) (*capture.Recorder, error) {
	e, err := f.environment(env)
	if err != nil {
		return nil, err
	}
	return f.recorder(e, newOptions(opts))
}

func (f *File) recorder(e *environment, o options) (*capture.Recorder, error) {
	if e.capture == nil {
		return nil, nil
	}
	c := e.capture.Config
	c.Now, c.Logger = o.now, o.logger
	if !filepath.IsAbs(c.Dir) {
		c.Dir = filepath.Join(filepath.Dir(f.path), c.Dir)
	}
	recorder, err := capture.New(c)
	for _, problem := range problemsOf(nil, err) {
		m := e.capture.place(problem.Field)
		return nil, &Problem{File: f.path, Line: m.line, Column: m.column, Field: m.field, Rule: problem.Rule, cause: err}
	}
	return recorder, nil
}

// recorder keeps the recorder of an environment across reloads.
type recorder struct {
	*capture.Recorder               // nil if the environment has none
	section           *captureEntry // that it was made of
}

// take returns a recorder for the section of an environment: the same one if the section is
// the same, or a new one.
func (r recorder) take(f *File, e *environment, o options) (recorder, error) {
	if r.section != nil && e.capture != nil && reflect.DeepEqual(r.section.Config, e.capture.Config) {
		return r, nil
	}
	made, err := f.recorder(e, o)
	return recorder{made, e.capture}, err
}

// withRecorder adds the recorder to the observers.
func withRecorder(c *core.Config, recorder *capture.Recorder) {
	if recorder != nil {
		c.Observers = append(c.Observers, recorder)
	}
}
