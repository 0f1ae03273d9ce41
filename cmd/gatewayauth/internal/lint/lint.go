// Package lint finds settings of an environments file that are valid but often wrong.
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

// Severity is the severity of a finding.
type Severity string

// The severities. Only errors and warnings change the exit code.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// A Finding is an error or questionable setting in the file. It contains no secret.
type Finding struct {
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Field    string   `json:"field,omitempty"`
	Text     string   `json:"text"`
}

// String returns the finding as one line.
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place += ":" + strconv.Itoa(f.Line)
		if f.Column > 0 {
			place += ":" + strconv.Itoa(f.Column)
		}
	}
	if f.Field != "" {
		place += ": " + f.Field
	}
	return fmt.Sprintf("%s: %s: %s (%s)", place, f.Severity, f.Text, f.Rule)
}

// Options configure [Check].
type Options struct {
	// Path is the name of the file in findings.
	Path string
	// Now is the time at which previous secrets are checked.
	Now time.Time
}

// Check returns the findings of a file.
func Check(f *config.File, o Options) []Finding {
	l := &linter{Options: o}
	outlines := f.Outlines()
	for _, e := range outlines {
		l.environment(&e)
	}
	l.shared(outlines)
	slices.SortStableFunc(l.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return l.found
}

type linter struct {
	Options
	found []Finding
}

func (l *linter) add(s Severity, rule string, at config.Place, format string, args ...any) {
	l.found = append(l.found, Finding{s, rule, l.Path, at.Line, at.Column, at.Field, fmt.Sprintf(format, args...)})
}

var (
	production  = regexp.MustCompile(`(?i)(^|[^a-z])(prod|production|prd|release|live)([^a-z]|$)`)
	development = regexp.MustCompile(`(?i)(^|[^a-z])(dev|develop|development|local|localhost|test|tests|testing|ci|sandbox)([^a-z]|$)`)
)

// environment adds the findings of one environment.
func (l *linter) environment(e *config.Outline) {
	c, live := &e.Config, production.MatchString(e.Name)
	switch {
	case c.Mode == core.Off && live:
		l.add(Warning, "mode-off", e.Place("mode"), "mode off verifies nothing, and this environment is named like one in production: set mode: enforce")
	case c.Mode == core.Report && live:
		l.add(Warning, "mode-report", e.Place("mode"), "mode report refuses nothing, and this environment is named like one in production: find what would be refused with `check --report`, then set mode: enforce")
	}
	if c.AllowUnsignedPayload {
		l.add(Warning, "unsigned-payload", e.Place("allow_unsigned_payload"), "anyone between client and service can change the body of requests that declare it unsigned: allow it only for single APIs")
	}
	for i, a := range c.APIs {
		if a.AllowUnsignedPayload {
			l.add(Warning, "unsigned-payload", e.Place(fmt.Sprintf("apis[%d].allow_unsigned_payload", i)), "anyone between client and service can change the body of requests that declare it unsigned")
		}
	}
	if c.AllowPresigned {
		l.add(Warning, "presigned", e.Place("allow_presigned"), "anyone who has a presigned link can use it until it expires, up to a week later, and links appear in logs")
	}
	if c.ExposeReason && !development.MatchString(e.Name) {
		l.add(Warning, "expose-reason", e.Place("expose_reason"), "responses tell callers why they are refused: use it for development only")
	}
	if c.Hosts == nil && c.Mode != core.Off {
		l.add(Info, "any-host", e.Place(""), "hosts is not set: a request for any host is accepted, also one that was signed for another service with the same key")
	}
	if c.RequireSigned != nil && c.Hosts == nil && !slices.ContainsFunc(c.RequireSigned, func(name string) bool { return strings.EqualFold(name, "host") }) {
		l.add(Warning, "host-not-required", e.Place("require_signed"), "require_signed does not have host: a request for one host can be sent to another that has the same key")
	}
	const wide = 15 * time.Minute
	if c.ClockSkew > wide {
		l.add(Warning, "wide-skew", e.Place("clock_skew"), "a captured request can be sent again for %s: the gateway's clients need 15m", explain.DurationText(c.ClockSkew))
	}
	l.bindings(e)
	l.replay(e)
	l.keys(e)
}

// bindings adds the findings about bindings of APIs: open subtrees, unused keys, no
// default.
func (l *linter) bindings(e *config.Outline) {
	c := &e.Config
	used := map[string]bool{c.Default: true}
	for i, a := range c.APIs {
		used[a.Key] = true
		if a.Open && (strings.HasSuffix(a.Match, "/") || strings.HasSuffix(a.Match, "...}")) {
			l.add(Warning, "open-subtree", e.Place(fmt.Sprintf("apis[%d].match", i)), "every path below is open to everyone: list the paths that need no key, and write {$} at the end of a pattern for that path alone")
		}
	}
	if c.Mode == core.Off {
		return
	}
	switch {
	case c.Default != "":
	case len(c.APIs) == 0:
		l.add(Warning, "no-bindings", e.Place(""), "no API is bound to a key, and default is not set: every request is refused")
	default:
		l.add(Info, "no-default", e.Place(""), "default is not set: requests for APIs that are not listed are refused")
	}
	for i, k := range e.Keys {
		if !used[k.Name] {
			l.add(Warning, "key-unused", e.Place(fmt.Sprintf("keys[%d].name", i)), "no API is bound to the key %s: requests signed with it are refused", k.Name)
		}
	}
}

// replay adds the findings about protection against replays.
func (l *linter) replay(e *config.Outline) {
	switch {
	case !e.Replay && e.Config.Mode != core.Off && changes(&e.Config):
		l.add(Info, "no-replay", e.Place(""), "replay is not set: a captured request that changes data can be sent again until its date is too old")
	case e.Config.Replay.AllowUnavailable:
		l.add(Warning, "replay-fails-open", e.Place("replay.on_unavailable"), "while the replay store is unavailable, replays are accepted")
	}
	r := &e.Config.Replay
	var refused []string
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE"} {
		if !slices.Contains(r.ExemptMethods, method) && !slices.Contains(r.Retries.Methods, method) {
			refused = append(refused, method)
		}
	}
	if e.Replay && len(refused) > 0 {
		l.add(Info, "gateway-retries", e.Place("replay"), "if the gateway sends a request again (retry_count of APIG, proxy_next_upstream of nginx), the second one is refused as replayed for %s: turn retries off there, or set replay.retries for PUT and DELETE and replay.exempt_methods for the others", strings.Join(refused, ", "))
	}
}

// changes reports whether a request of a method that changes data can match an API.
func changes(c *core.Config) bool {
	if c.Default != "" {
		return true
	}
	return slices.ContainsFunc(c.APIs, func(a core.API) bool {
		method, _, found := strings.Cut(strings.TrimSpace(a.Match), " ")
		return !a.Open && (!found || method != "GET" && method != "HEAD" && method != "OPTIONS")
	})
}
