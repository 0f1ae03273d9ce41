package config

import (
	"fmt"
	"log/slog"
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
	c.Mode, c.Default, c.ExposeReason, c.APIs = core.Off, "", false, nil
	if e.replay != nil {
		c.Replay.Store, c.Replay.AllowUnavailable = absent{}, false
	}
	for _, a := range e.apis {
		if a.Match != "" && !a.twice {
			api := a.API
			if api.Key = ""; !a.Open {
				api.Key = nobody
			}
			c.APIs = append(c.APIs, api)
		}
	}
	places := e.places()
	for _, text := range verdicts(c) {
		if strings.HasSuffix(text, fmt.Sprintf("no key is named %q", nobody)) {
			continue
		}
		m, rule, found := find(places, text)
		if !found {
			m, rule = e.mark, text
		}
		if r.add(m, inFile(rule)); r.dropped {
			return
		}
	}
}

// place is where in the file that stands which the core, or a scheme, calls
// prefix.
type place struct {
	prefix string
	mark   mark
}

// find returns what a verdict is about, and the verdict without the name of that.
func find(places []place, verdict string) (m mark, rule string, found bool) {
	for _, p := range places {
		if rest, ok := strings.CutPrefix(verdict, p.prefix); ok {
			return p.mark, rest, true
		}
	}
	return mark{}, "", false
}

func (e *environment) places() []place {
	places := []place{
		{"ClockSkew: ", e.at["clock_skew"]},
		{"MaxBody: ", e.at["max_body"]},
		{"MaxBuffered: ", e.at["max_buffered"]},
		{"BodyTimeout: ", e.at["body_timeout"]},
		{"Rewrite.AddPrefix: ", e.rewrite["add_prefix"]},
		{"Rewrite.Host: ", e.rewrite["host"]},
	}
	for _, list := range []struct {
		name, field string
		texts       []string
	}{
		{"RequireSigned", "require_signed", e.policy.RequireSigned},
		{"RequireSignedWithBody", "require_signed_with_body", e.policy.RequireSignedWithBody},
		{"AllowUnsigned", "allow_unsigned", e.policy.AllowUnsigned},
		{"Hosts", "hosts", e.policy.Hosts},
	} {
		for i, text := range list.texts {
			if list.name != "Hosts" {
				text = strings.ToLower(text) // as the core names headers
			}
			places = append(places, place{fmt.Sprintf("%s: %q ", list.name, text), e.lists[list.field][i]})
		}
	}
	places = append(places, place{"Hosts: ", e.at["hosts"]})
	if e.replay != nil {
		for i, m := range e.replay.exempt {
			places = append(places, place{fmt.Sprintf("Replay.ExemptMethods: %q ", e.policy.Replay.ExemptMethods[i]), m})
		}
	}
	for _, a := range e.apis {
		if m, set := a.at["max_body"]; set {
			places = append(places, place{fmt.Sprintf("API %q: MaxBody: ", a.Match), m})
		}
		places = append(places, place{fmt.Sprintf("API %q: ", a.Match), a.at["match"]})
	}
	return places
}

// verdicts returns what core.New finds wrong, one text each.
func verdicts(c core.Config) []string {
	c.Logger = slog.New(slog.DiscardHandler)
	_, err := core.New(c)
	var texts []string
	for _, err := range leaves(err) {
		texts = append(texts, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return texts
}

// leaves returns the errors that core.New joined, without the introduction in
// front of them.
func leaves(err error) (all []error) {
	if intro, ok := err.(interface{ Unwrap() error }); ok {
		if _, ok := intro.Unwrap().(interface{ Unwrap() []error }); ok {
			err = intro.Unwrap()
		}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err != nil {
			all = append(all, err)
		}
		return all
	}
	for _, err := range joined.Unwrap() {
		all = append(all, leaves(err)...)
	}
	return all
}
