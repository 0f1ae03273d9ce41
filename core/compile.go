package core

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxClockSkew   = time.Hour
	maxBodyTimeout = time.Hour
	maxKeyTimeout  = time.Minute
)

// compiler turns a Config into a policy, and collects what is wrong with it.
type compiler struct {
	*policy
	keys     keyIndex
	problems []error
}

// validators check one subject of a Config each, and put its compiled form into the
// policy. Later ones use what earlier ones have compiled.
var validators = []func(*compiler){
	(*compiler).validateMode,
	(*compiler).validateBounds,
	(*compiler).validateLimits,
	(*compiler).validateCredentialHeader,
	(*compiler).validateRequired,
	(*compiler).validateHosts,
	(*compiler).validateRewrite,
	(*compiler).validateReplay,
	(*compiler).validateRetries,
	(*compiler).validateSchemes,
	(*compiler).validateAllowed,
	(*compiler).validateObservers,
	(*compiler).validateBindings,
}

// compile checks the configuration and turns it into an immutable policy. All
// problems are reported at once, each as a [ConfigError].
func (c Config) compile() (*policy, error) {
	x := compiler{policy: &policy{Config: c.WithDefaults()}, keys: keyIndex{names: map[string]bool{}, ids: map[string]bool{}, short: c.AllowShortSecrets}}
	for _, validate := range validators {
		validate(&x)
	}
	if err := errors.Join(x.problems...); err != nil {
		return nil, fmt.Errorf("gatewayauth: environment %q: %w", c.Environment, err)
	}
	p := x.policy
	p.challenge = challenge(p.algorithms)
	p.openOrigin = &origin{environment: c.Environment, mode: c.Mode}
	return p, nil
}

// problem reports what is wrong with a field.
func (x *compiler) problem(field, rule string, args ...any) {
	x.problems = append(x.problems, &ConfigError{Field: field, Rule: fmt.Sprintf(rule, args...)})
}

// wrongValue is problem for a field whose value is shown.
func (x *compiler) wrongValue(field, value, rule string) {
	x.problems = append(x.problems, &ConfigError{Field: field, Value: strconv.Quote(value), Rule: rule})
}

func (x *compiler) validateMode() {
	if x.Environment == "" {
		x.problem("Environment", "empty")
	}
	if x.Mode > Off {
		x.problem("Mode", "%v is none of Enforce, Report, Off", x.Mode)
	}
}

func (x *compiler) validateBounds() {
	bounded(x, "ClockSkew", x.ClockSkew, maxClockSkew)
	bounded(x, "MaxBody", x.MaxBody, math.MaxInt64-1)
	bounded(x, "MaxBuffered", x.MaxBuffered, math.MaxInt64-1)
	if x.MaxBuffered < x.MaxBody {
		x.problem("MaxBuffered", "%d bytes are fewer than MaxBody, %d", x.MaxBuffered, x.MaxBody)
	}
	bounded(x, "BodyTimeout", x.BodyTimeout, maxBodyTimeout)
	bounded(x, "KeyTimeout", x.KeyTimeout, maxKeyTimeout)
	bounded(x, "LogLimit", x.LogLimit, 1<<20)
}

func (x *compiler) validateLimits() {
	l := &x.Limits
	bounded(x, "Limits.Target", l.Target, 1<<20)
	bounded(x, "Limits.Authorization", l.Authorization, 1<<20)
	bounded(x, "Limits.SignedHeaders", l.SignedHeaders, 1<<16)
	bounded(x, "Limits.Headers", l.Headers, 1<<20)
	bounded(x, "Limits.QueryParameters", l.QueryParameters, 1<<20)
	bounded(x, "Limits.KeyLookups", l.KeyLookups, 1<<20)
}

// bounded reports a value out of bounds.
func bounded[T int | int64 | time.Duration](x *compiler, field string, v, most T) {
	if v < 0 || v > most {
		x.problem(field, "%v is not between 0 and %v", v, most)
	}
}

func (x *compiler) validateRewrite() {
	if prefix := x.Rewrite.AddPrefix; prefix != "" && (prefix[0] != '/' || clean(prefix) != prefix || strings.HasSuffix(prefix, "/") ||
		strings.ContainsAny(prefix, "?#% \r\n\x00")) {
		x.problem("Rewrite.AddPrefix", "%q is not a plain path such as /v1, without a slash at its end", prefix)
	}
	if host := x.Rewrite.Host; host != "" && !isHost(host) {
		x.problem("Rewrite.Host", "%q is not an authority", host)
	}
}

func (x *compiler) validateReplay() {
	x.Replay.ExemptMethods = slices.Clone(x.Replay.ExemptMethods)
	for i, method := range x.Replay.ExemptMethods {
		if strings.ToUpper(method) != method || !isHeaderName(strings.ToLower(method)) {
			x.wrongValue(item("Replay.ExemptMethods", i), method, "is not a method in upper case")
		}
	}
	if x.Replay.Store == nil && (len(x.Replay.ExemptMethods) > 0 || x.Replay.AllowUnavailable || len(x.Replay.Retries.Methods) > 0) {
		x.problem("Replay", "set, without a store")
	}
}

func (x *compiler) validateSchemes() {
	if len(x.Schemes) == 0 && x.Mode != Off {
		x.problem("Schemes", "none, so nothing could be accepted")
	}
	for i, s := range x.Schemes {
		field := item("Schemes", i)
		if s == nil {
			x.problem(field, "nil")
			continue
		}
		if v, ok := s.(Validator); ok {
			if err := v.Validate(); err != nil {
				x.schemeProblem(s, err)
				continue
			}
		}
		if set, fixed := s.Keys().(*KeySet); s.Keys() == nil || fixed && set == nil {
			x.problem(field, "nil as its source of keys")
			continue
		}
		for _, err := range x.keys.add(s.Keys()) {
			x.schemeProblem(s, err)
		}
		x.addScheme(s)
	}
}

// schemeProblem reports what is wrong with a scheme's own configuration.
func (x *compiler) schemeProblem(s Scheme, err error) {
	x.problems = append(x.problems, fmt.Errorf("scheme %s: %w", s.Name(), err))
}

// addScheme notes what the policy needs to know of a scheme.
func (x *compiler) addScheme(s Scheme) {
	made := newCompiledScheme(s, x.Environment, x.Mode)
	if err := made.setPrefixes(); err != nil {
		x.schemeProblem(s, err)
	}
	x.schemes = append(x.schemes, made)
	for _, prefix := range made.prefixes {
		if !slices.Contains(protocolPrefixes[:], prefix) && !slices.Contains(x.prefixes, prefix) {
			x.prefixes = append(x.prefixes, prefix)
		}
	}
	x.addCredentialHeader(made)
	for _, a := range s.Algorithms() {
		if !slices.Contains(x.algorithms, a) {
			x.algorithms = append(x.algorithms, a)
		}
	}
}

func (x *compiler) validateObservers() {
	x.Observers = slices.Clone(x.Observers)
	for i, o := range x.Observers {
		if o == nil {
			x.problem(item("Observers", i), "nil")
		}
	}
}

// challenge is the value of WWW-Authenticate: one challenge per algorithm. The realm is
// the same everywhere: the name of an environment is nobody's business outside.
func challenge(algorithms []string) string {
	if len(algorithms) == 0 {
		return ""
	}
	return strings.Join(algorithms, " realm=\"gateway\", ") + " realm=\"gateway\""
}

// compiledScheme is a scheme of a policy, with what a request would otherwise ask it for
// each time.
type compiledScheme struct {
	Scheme
	set         *KeySet              // that its source was, if it was one of [Keys]
	keys        map[string]*fixedKey // of the set, by id
	environment string
	mode        Mode
	origins     []origin // of identities, by algorithm
	prefixes    []string // of the headers that must be signed where they are present
	notSigned   string   // what a request is told that leaves one unsigned
}

// fixedKey is a key, and where its use is counted.
type fixedKey struct {
	key   *Key
	usage *keyUsage
}

func newCompiledScheme(s Scheme, environment string, mode Mode) *compiledScheme {
	x := &compiledScheme{Scheme: s, environment: environment, mode: mode}
	if set, fixed := s.Keys().(*KeySet); fixed {
		x.set = set
		x.keys = make(map[string]*fixedKey, len(set.byID))
		for id, key := range set.byID {
			x.keys[id] = &fixedKey{key: key}
		}
	}
	for _, algorithm := range s.Algorithms() {
		x.origins = append(x.origins, origin{environment, s.Name(), algorithm, mode})
	}
	return x
}

// origin returns that of an algorithm; not all schemes tell all theirs.
func (x *compiledScheme) origin(algorithm string) *origin {
	for i := range x.origins {
		if x.origins[i].algorithm == algorithm {
			return &x.origins[i]
		}
	}
	return &origin{x.environment, x.Name(), algorithm, x.mode}
}

// canonicalizer returns the scheme as a [Canonicalizer], false where it is none and for
// no scheme.
func (x *compiledScheme) canonicalizer() (Canonicalizer, bool) {
	if x == nil {
		return nil, false
	}
	c, ok := x.Scheme.(Canonicalizer)
	return c, ok
}
