package config

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// An Option sets what a file cannot: the clock, the logger, the observers. Options for
// watching have no effect elsewhere, and an [Extension] has one for [Watch] alone: a [File]
// has those that it was loaded with.
type Option interface{ apply(*options) }

type option func(*options)

func (set option) apply(o *options) { set(o) }

type options struct {
	extension Extension
	now       func() time.Time
	logger    *slog.Logger
	observers []core.Observer
	poll      time.Duration
	pollOnly  bool
	reloads   []func(Reload)
}

const defaultPoll = time.Second

// newOptions applies opts to the defaults.
func newOptions(opts []Option) options {
	o := options{now: time.Now, logger: slog.Default(), poll: defaultPoll}
	for _, set := range opts {
		set.apply(&o)
	}
	return o
}

// WithNow sets the clock of the verifier, [core.Config.Now]. Nil is time.Now.
// It does not change how often a file is looked at.
func WithNow(now func() time.Time) Option {
	return option(func(o *options) {
		if o.now = now; now == nil {
			o.now = time.Now
		}
	})
}

// WithLogger sets the logger for warnings and reloads, and of the verifier,
// [core.Config.Logger]. Nil is slog.Default().
func WithLogger(l *slog.Logger) Option {
	return option(func(o *options) {
		if o.logger = l; l == nil {
			o.logger = slog.Default()
		}
	})
}

// WithObservers adds observers of the verifier, [core.Config.Observers].
func WithObservers(observers ...core.Observer) Option {
	return option(func(o *options) { o.observers = append(slices.Clip(o.observers), observers...) })
}

// WithPoll sets how often [Watch] looks at the files without notice of a change; the
// default is one second. Watch returns an error for a duration that is not above 0.
func WithPoll(every time.Duration) Option {
	return option(func(o *options) { o.poll = every })
}

// WithPollOnly makes [Watch] do without notice from the file system: a change takes
// effect after two looks ([WithPoll]) that agree.
func WithPollOnly() Option {
	return option(func(o *options) { o.pollOnly = true })
}

// WithReloads adds a function that [Watch] calls after every attempt to load a
// changed file, and after its first load: for metrics. It is called on the
// watching goroutine (the first time on the caller's) and must return.
func WithReloads(f func(Reload)) Option {
	return option(func(o *options) {
		if f != nil {
			o.reloads = append(slices.Clip(o.reloads), f)
		}
	})
}

// Reload is the result of one attempt to load the environments file, with totals over
// all attempts, so that metrics need no state of their own. Its times are the machine's,
// whatever [WithNow] says.
type Reload struct {
	// Environment is the one being watched.
	Environment string
	// Err is nil if the policy is now that of the file. Otherwise the policy did not
	// change. It holds no secret; do not use its text as a label of a metric.
	Err error
	// Time is when the attempt ended.
	Time time.Time
	// LastLoaded is when the policy in force was loaded: a gauge, by convention
	// config_last_loaded_timestamp. If it stays the same while keys are rotated, changes
	// do not reach the files (see the package comment).
	LastLoaded time.Time
	// Loads and Failures count the attempts since Watch was called, the first
	// included. Failures is by convention config_reload_failures_total: one for
	// each content that could not be loaded.
	Loads, Failures int64
}

var errPoll = errors.New("gatewayauth: WithPoll takes a duration above 0")

// A LoadOption says which secrets [Load] needs, or is an [Extension]. Without one it needs
// all secrets.
type LoadOption interface{ applyToLoad(*loadOptions) }

type loadOption func(*loadOptions)

func (set loadOption) applyToLoad(o *loadOptions) { set(o) }

type loadOptions struct {
	extension Extension
	unread    bool     // do without the secrets of all environments
	needed    []string // the environments whose secrets are needed; all if it is empty
	only      string   // the only environment to be loaded; all if it is empty
}

// WithoutSecrets has [Load] read no variable and no file that is to hold a secret.
// Everything else in the file is checked, and secrets that stand in the file itself.
// See [File.Missing].
func WithoutSecrets() LoadOption { return loadOption(func(o *loadOptions) { o.unread = true }) }

// WithSecretsOf has [Load] need the secrets of these environments only. Those of
// other environments are read if they can be; see [File.Missing]. It is for
// programs of an operator who has the secrets of one environment. An environment
// that is not in the file is an error.
func WithSecretsOf(envs ...string) LoadOption {
	return loadOption(func(o *loadOptions) { o.needed = append(o.needed, envs...) })
}
