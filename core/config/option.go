package config

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// An Option sets what a file cannot: the clock, where records go, who sees the
// verdicts. Options that concern watching do nothing elsewhere.
type Option func(*options)

type options struct {
	now       func() time.Time
	logger    *slog.Logger
	observers []core.Observer
	poll      time.Duration
	reloads   []func(Reload)
}

const defaultPoll = time.Second

// settle applies opts to the defaults.
func settle(opts []Option) options {
	o := options{now: time.Now, logger: slog.Default(), poll: defaultPoll}
	for _, set := range opts {
		set(&o)
	}
	return o
}

// WithNow sets the clock of the verifier, [core.Config.Now]. Nil is time.Now.
// It does not change how often a file is looked at.
func WithNow(now func() time.Time) Option {
	return func(o *options) {
		if o.now = now; now == nil {
			o.now = time.Now
		}
	}
}

// WithLogger sets the logger for warnings and reloads, and of the verifier,
// [core.Config.Logger]. Nil is slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(o *options) {
		if o.logger = l; l == nil {
			o.logger = slog.Default()
		}
	}
}

// WithObservers adds observers of the verifier, [core.Config.Observers].
func WithObservers(observers ...core.Observer) Option {
	return func(o *options) { o.observers = append(slices.Clip(o.observers), observers...) }
}

// WithPoll sets how often [Watch] looks at the files; the default is one
// second. A change takes effect after two looks that agree. Watch refuses what
// is not above 0.
func WithPoll(every time.Duration) Option {
	return func(o *options) { o.poll = every }
}

// WithReloads adds a function that [Watch] calls after every attempt to load a
// changed file, and after its first load: for metrics. It is called on the
// watching goroutine (the first time on the caller's) and must return.
func WithReloads(f func(Reload)) Option {
	return func(o *options) {
		if f != nil {
			o.reloads = append(slices.Clip(o.reloads), f)
		}
	}
}

// Reload is one attempt to load the environments file.
type Reload struct {
	// Environment is the one being watched.
	Environment string
	// Err is nil where the policy is now that of the file. Otherwise the
	// policy did not change.
	Err error
}

var errPoll = errors.New("gatewayauth: WithPoll takes a duration above 0")
