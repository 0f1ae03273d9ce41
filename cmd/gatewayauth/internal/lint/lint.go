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

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/envfile"
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
	// Path is the file, for findings and for paths relative to it.
	Path string
	// Now is the clock.
	Now time.Time
	// NoSecrets leaves out what needs the values of secrets.
	NoSecrets bool
}

// Check returns the findings of a file that package config has found right.
func Check(f *envfile.File, o Options) []Finding {
	l := &linter{Options: o}
	for _, e := range f.Environments {
		l.environment(e)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return l.found
}

type linter struct {
	Options
	found []Finding
}

func (l *linter) add(s Severity, rule string, at *envfile.Node, format string, args ...any) {
	l.found = append(l.found, Finding{s, rule, l.Path, at.Line, at.Path, fmt.Sprintf(format, args...)})
}

var (
	production  = regexp.MustCompile(`(?i)(^|[^a-z])(prod|production|prd|release|live)([^a-z]|$)`)
	development = regexp.MustCompile(`(?i)(^|[^a-z])(dev|develop|development|local|localhost|test|tests|testing|ci|sandbox)([^a-z]|$)`)
)

// environment looks at one environment.
func (l *linter) environment(e envfile.Environment) {
	live := production.MatchString(e.Name)
	switch mode := e.Value("mode"); {
	case mode == "off" && live:
		l.add(Warning, "mode-off", e.Field("mode"), "nothing is verified in an environment that is named like one in production")
	case mode == "report" && live:
		l.add(Warning, "mode-report", e.Field("mode"), "nothing is refused in an environment that is named like one in production; `check --report` sums up what would be")
	}
	if on(e.Node, "allow_unsigned_payload") {
		l.add(Warning, "unsigned-payload", e.Field("allow_unsigned_payload"), "anyone on the way can change the body of requests that declare it unsigned; allow it to single APIs")
	}
	for _, a := range e.List("apis") {
		if on(a, "allow_unsigned_payload") {
			l.add(Warning, "unsigned-payload", a.Field("allow_unsigned_payload"), "anyone on the way can change the body of requests that declare it unsigned")
		}
	}
	if on(e.Node, "allow_presigned") {
		l.add(Warning, "presigned", e.Field("allow_presigned"), "whoever has such a link can use it, up to a week, and links end up in logs")
	}
	if on(e.Node, "expose_reason") && !development.MatchString(e.Name) {
		l.add(Warning, "expose-reason", e.Field("expose_reason"), "callers are told why they were refused; this is for development")
	}
	if e.Field("hosts") == nil && e.Value("mode") != "off" {
		l.add(Info, "any-host", e.Node, "there are no hosts: a request for any host is accepted, also one that was signed for another service with the same key")
	}
	if signed := e.Field("require_signed"); signed != nil && e.Field("hosts") == nil && !slices.ContainsFunc(signed.Items, func(n *envfile.Node) bool { return strings.EqualFold(n.Text, "host") }) {
		l.add(Warning, "host-not-required", signed, "the host need not be signed: a request for one host can be sent to another that has the same key")
	}
	const wide = 15 * time.Minute
	if skew, err := time.ParseDuration(e.Value("clock_skew")); err == nil && skew > wide {
		l.add(Warning, "wide-skew", e.Field("clock_skew"), "a captured request can be sent again for %s; 15m is what the gateway's clients need", explain.DurationText(skew))
	}
	l.bindings(e)
	l.replay(e)
	l.keys(e)
}

func on(n *envfile.Node, field string) bool { return n.Value(field) == "true" }

// bindings looks for what is bound to nothing.
func (l *linter) bindings(e envfile.Environment) {
	used := map[string]bool{e.Value("default"): true}
	for _, a := range e.List("apis") {
		used[a.Value("key")] = true
		if match := a.Value("match"); on(a, "open") && (strings.HasSuffix(match, "/") || strings.HasSuffix(match, "...}")) {
			l.add(Warning, "open-subtree", a.Field("match"), "every path below is open to everyone; list those that need no key, and write {$} at the end for the folder alone")
		}
	}
	if e.Value("mode") != "off" && e.Value("default") == "" {
		if len(e.List("apis")) == 0 {
			l.add(Warning, "no-bindings", e.Node, "no API is bound to a key, and there is no default: every request is refused")
		} else {
			l.add(Info, "no-default", e.Node, "there is no default: every API that is not listed is refused")
		}
	}
	for _, k := range e.List("keys") {
		if name := k.Value("name"); !used[name] && e.Value("mode") != "off" {
			l.add(Warning, "key-unused", orNode(k.Field("name"), k), "no API is bound to the key %s: requests signed with it are refused", name)
		}
	}
}

// replay looks at the protection against requests that are sent again.
func (l *linter) replay(e envfile.Environment) {
	r := e.Field("replay")
	switch {
	case r == nil && e.Value("mode") != "off" && changes(e):
		l.add(Info, "no-replay", e.Node, "a captured request that changes something can be sent again until its date is too old; see replay")
	case r != nil && r.Value("on_unavailable") == "allow":
		l.add(Warning, "replay-fails-open", r.Field("on_unavailable"), "requests are accepted unchecked while the store is unavailable")
	}
}

// changes reports whether an API may be called with a method that changes things.
func changes(e envfile.Environment) bool {
	if e.Value("default") != "" {
		return true
	}
	return slices.ContainsFunc(e.List("apis"), func(a *envfile.Node) bool {
		method, _, found := strings.Cut(strings.TrimSpace(a.Value("match")), " ")
		return !on(a, "open") && (!found || method != "GET" && method != "HEAD" && method != "OPTIONS")
	})
}
