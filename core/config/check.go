package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

const nobody = "nobody's key"

// check has the core judge what does not depend on keys, so that its rules
// stand in one place, and gives its verdicts their lines. APIs go in for their
// patterns alone, those that are not open with a key that nobody has; those
// reported before stay out.
func (e *environment) check(r *report) {
	c := e.policy
	c.Logger = slog.New(slog.DiscardHandler)
	c.Mode, c.Default, c.ExposeReason, c.APIs = core.Off, "", false, nil
	if e.replay != nil {
		c.Replay.Store, c.Replay.AllowUnavailable = absent{}, false
	}
	for _, a := range e.checked() {
		api := a.API
		if api.Key = ""; !a.Open {
			api.Key = nobody
		}
		c.APIs = append(c.APIs, api)
	}
	at := e.fieldsAt()
	for _, problem := range problemsOf(core.New(c)) {
		m := at[problem.Field]
		if m == ofStandIn {
			continue
		}
		if m == (mark{}) { // the file does not have the field
			m, problem.Rule = e.mark, problem.Error()
		}
		if r.add(m, inFile(problem.Rule)); r.dropped {
			return
		}
	}
}

// ofStandIn marks the fields that do not hold what the file has.
var ofStandIn = mark{line: -1}

// fieldsAt tells where in the file the fields of core.Config stand.
func (e *environment) fieldsAt() map[string]mark {
	at := map[string]mark{
		"ClockSkew":         e.at["clock_skew"],
		"MaxBody":           e.at["max_body"],
		"MaxBuffered":       e.at["max_buffered"],
		"BodyTimeout":       e.at["body_timeout"],
		"Hosts":             e.at["hosts"],
		"Rewrite.AddPrefix": e.rewrite["add_prefix"],
		"Rewrite.Host":      e.rewrite["host"],
	}
	items := func(field string, marks []mark) {
		for i, m := range marks {
			at[fmt.Sprintf("%s[%d]", field, i)] = m
		}
	}
	items("RequireSigned", e.lists["require_signed"])
	items("RequireSignedWithBody", e.lists["require_signed_with_body"])
	items("AllowUnsigned", e.lists["allow_unsigned"])
	items("Hosts", e.lists["hosts"])
	if e.replay != nil {
		items("Replay.ExemptMethods", e.replay.exempt)
	}
	for i, a := range e.checked() {
		field := fmt.Sprintf("APIs[%d]", i)
		match := a.at["match"]
		at[field], at[field+".Match"], at[field+".MaxBody"], at[field+".Key"] = match, match, match, ofStandIn
		if m, set := a.at["max_body"]; set {
			at[field+".MaxBody"] = m
		}
	}
	return at
}

// checked are the APIs whose patterns the core judges.
func (e *environment) checked() []apiEntry {
	return slices.DeleteFunc(slices.Clone(e.apis), func(a apiEntry) bool { return a.Match == "" || a.twice })
}

// problemsOf returns the configuration problems in the error of a constructor or of
// a scheme's Validate.
func problemsOf(_ any, err error) (all []core.ConfigError) {
	if problem, ok := err.(*core.ConfigError); ok {
		one := *problem
		one.Rule = strings.ReplaceAll(one.Rule, "\n", " ")
		return append(all, one)
	}
	switch wrapped := err.(type) {
	case interface{ Unwrap() []error }:
		for _, err := range wrapped.Unwrap() {
			all = append(all, problemsOf(nil, err)...)
		}
	case interface{ Unwrap() error }:
		all = problemsOf(nil, wrapped.Unwrap())
	case error: // of no field
		all = append(all, core.ConfigError{Rule: strings.ReplaceAll(err.Error(), "\n", " "), Err: err})
	}
	return all
}
