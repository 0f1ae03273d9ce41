// Package lint finds what is allowed in an environments file and deserves a
// second look.
package lint

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// Severity says how bad a finding is.
type Severity string

// The severities. Only the first two change the exit code.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// A Finding is one thing in the file, without any value of a secret.
type Finding struct {
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"`
	Field    string   `json:"field,omitempty"`
	Text     string   `json:"text"`
}

// String returns the finding as one line.
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place += ":" + strconv.Itoa(f.Line)
	}
	if f.Field != "" {
		place += ": " + f.Field
	}
	return fmt.Sprintf("%s: %s: %s (%s)", place, f.Severity, f.Text, f.Rule)
}

// Options say how to look.
type Options struct {
	// Path is the file, for findings.
	Path string
	// Now is the clock.
	Now time.Time
}

// Check returns the findings of a file.
func Check(f *config.File, o Options) []Finding {
	l := &linter{Options: o}
	for _, e := range f.Outlines() {
		l.environment(&e)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return l.found
}

type linter struct {
	Options
	found []Finding
}

func (l *linter) add(s Severity, rule string, at config.Place, format string, args ...any) {
	l.found = append(l.found, Finding{s, rule, l.Path, at.Line, at.Field, fmt.Sprintf(format, args...)})
}

var (
	production  = regexp.MustCompile(`(?i)(^|[^a-z])(prod|production|prd|release|live)([^a-z]|$)`)
	development = regexp.MustCompile(`(?i)(^|[^a-z])(dev|develop|development|local|localhost|test|tests|testing|ci|sandbox)([^a-z]|$)`)
)

// environment looks at one environment.
func (l *linter) environment(e *config.Outline) {
	c, live := &e.Config, production.MatchString(e.Name)
	switch {
	case c.Mode == core.Off && live:
		l.add(Warning, "mode-off", e.Place("mode"), "nothing is verified in an environment that is named like one in production")
	case c.Mode == core.Report && live:
		l.add(Warning, "mode-report", e.Place("mode"), "nothing is refused in an environment that is named like one in production; `check --report` sums up what would be")
	}
	if c.AllowUnsignedPayload {
		l.add(Warning, "unsigned-payload", e.Place("allow_unsigned_payload"), "anyone on the way can change the body of requests that declare it unsigned; allow it to single APIs")
	}
	for i, a := range c.APIs {
		if a.AllowUnsignedPayload {
			l.add(Warning, "unsigned-payload", e.Place(fmt.Sprintf("apis[%d].allow_unsigned_payload", i)), "anyone on the way can change the body of requests that declare it unsigned")
		}
	}
	if c.AllowPresigned {
		l.add(Warning, "presigned", e.Place("allow_presigned"), "whoever has such a link can use it, up to a week, and links end up in logs")
	}
	if c.ExposeReason && !development.MatchString(e.Name) {
		l.add(Warning, "expose-reason", e.Place("expose_reason"), "callers are told why they were refused; this is for development")
	}
	if c.Hosts == nil && c.Mode != core.Off {
		l.add(Info, "any-host", e.Place(""), "there are no hosts: a request for any host is accepted, also one that was signed for another service with the same key")
	}
	if c.RequireSigned != nil && c.Hosts == nil && !slices.ContainsFunc(c.RequireSigned, func(name string) bool { return strings.EqualFold(name, "host") }) {
		l.add(Warning, "host-not-required", e.Place("require_signed"), "the host need not be signed: a request for one host can be sent to another that has the same key")
	}
	const wide = 15 * time.Minute
	if c.ClockSkew > wide {
		l.add(Warning, "wide-skew", e.Place("clock_skew"), "a captured request can be sent again for %s; 15m is what the gateway's clients need", explain.DurationText(c.ClockSkew))
	}
	l.bindings(e)
	l.replay(e)
	l.keys(e)
}

// bindings looks for what is bound to nothing.
func (l *linter) bindings(e *config.Outline) {
	c := &e.Config
	used := map[string]bool{c.Default: true}
	for i, a := range c.APIs {
		used[a.Key] = true
		if a.Open && (strings.HasSuffix(a.Match, "/") || strings.HasSuffix(a.Match, "...}")) {
			l.add(Warning, "open-subtree", e.Place(fmt.Sprintf("apis[%d].match", i)), "every path below is open to everyone; list those that need no key, and write {$} at the end for the folder alone")
		}
	}
	if c.Mode == core.Off {
		return
	}
	switch {
	case c.Default != "":
	case len(c.APIs) == 0:
		l.add(Warning, "no-bindings", e.Place(""), "no API is bound to a key, and there is no default: every request is refused")
	default:
		l.add(Info, "no-default", e.Place(""), "there is no default: every API that is not listed is refused")
	}
	for i, k := range e.Keys {
		if !used[k.Name] {
			l.add(Warning, "key-unused", e.Place(fmt.Sprintf("keys[%d].name", i)), "no API is bound to the key %s: requests signed with it are refused", k.Name)
		}
	}
}

// replay looks at the protection against requests that are sent again.
func (l *linter) replay(e *config.Outline) {
	switch {
	case !e.Replay && e.Config.Mode != core.Off && changes(&e.Config):
		l.add(Info, "no-replay", e.Place(""), "a captured request that changes something can be sent again until its date is too old; see replay")
	case e.Config.Replay.AllowUnavailable:
		l.add(Warning, "replay-fails-open", e.Place("replay.on_unavailable"), "requests are accepted unchecked while the store is unavailable")
	}
}

// changes reports whether an API may be called with a method that changes things.
func changes(c *core.Config) bool {
	if c.Default != "" {
		return true
	}
	return slices.ContainsFunc(c.APIs, func(a core.API) bool {
		method, _, found := strings.Cut(strings.TrimSpace(a.Match), " ")
		return !a.Open && (!found || method != "GET" && method != "HEAD" && method != "OPTIONS")
	})
}
