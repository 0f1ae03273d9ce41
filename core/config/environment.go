package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatewayauth/gatewayauth/core"
)

// environment is one environment of the file.
type environment struct {
	mark
	name   string
	policy core.Config // without APIs, schemes and the replay store
	keys   []keyEntry
	apis   []apiEntry
	replay *replayEntry // nil where there is none
	at     map[string]mark
	// lists and rewrite are the places inside of lists, by their field, and of rewrite.
	lists   map[string][]mark
	rewrite map[string]mark

	// Set when the secrets are found:
	found    []key // in the order of keys
	built    []key // the same, with a random secret for each that is missing
	store    settings
	missing  []string // places of keys' secrets that were not read
	warnings []*Problem
}

// environments reads the whole file.
func (d *decoder) environments(root ast.Node) (all []*environment) {
	v := d.value(root, mark{line: lineOf(root)})
	at := d.mapping(v, fields{"environments": func(v value) {
		pairs, ok := d.pairs(v)
		if !ok || len(pairs) == 0 {
			d.add(v.mark, "must be a mapping of at least one environment")
		}
		for _, p := range pairs {
			switch {
			case p.first > 0:
				d.add(p.value.mark, fmt.Sprintf("is set twice, first in line %d", p.first))
			case p.name == "":
				d.add(p.value.mark, "an environment needs a name")
			default:
				all = append(all, d.environment(p.name, p.value))
			}
		}
	}})
	d.required(v, at, "environments")
	return all
}

func (d *decoder) environment(name string, v value) *environment {
	e := &environment{mark: v.mark, name: name, lists: map[string][]mark{}}
	p := &e.policy
	p.Environment = name
	e.at = d.mapping(v, fields{
		"mode":                     d.modeTo(&p.Mode),
		"clock_skew":               d.durationTo(&p.ClockSkew),
		"max_body":                 d.sizeTo(&p.MaxBody),
		"max_buffered":             d.sizeTo(&p.MaxBuffered),
		"require_signed":           d.listTo(e, "require_signed", &p.RequireSigned),
		"require_signed_with_body": d.listTo(e, "require_signed_with_body", &p.RequireSignedWithBody),
		"hosts":                    d.listTo(e, "hosts", &p.Hosts),
		"allow_unsigned":           d.listTo(e, "allow_unsigned", &p.AllowUnsigned),
		"allow_unsigned_payload":   d.boolTo(&p.AllowUnsignedPayload),
		"allow_presigned":          d.boolTo(&p.AllowPresigned),
		"expose_reason":            d.boolTo(&p.ExposeReason),
		"rewrite":                  d.rewriteTo(e),
		"body_timeout":             d.durationTo(&p.BodyTimeout),
		"replay":                   d.replayTo(e),
		"keys":                     d.keysTo(&e.keys),
		"apis":                     d.apisTo(&e.apis),
		"default":                  d.textTo(&p.Default),
	})
	if e.at != nil && len(e.keys) == 0 && p.Mode != core.Off {
		place, present := e.at["keys"]
		if !present {
			place = v.child("keys")
		}
		d.add(place, "there is no key, so nothing could be accepted")
	}
	d.distinct(e.keys)
	d.bound(e)
	d.protected(e)
	return e
}

func (d *decoder) modeTo(dst *core.Mode) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		var err error
		if *dst, err = core.ParseMode(text); err != nil {
			d.add(v.mark, "is none of enforce, report, off")
		}
	}
}

// listTo reads a list of texts. An empty list is not the same as none.
func (d *decoder) listTo(e *environment, field string, dst *[]string) func(value) {
	return func(v value) {
		items, ok := d.items(v)
		if !ok {
			return
		}
		*dst = []string{}
		for _, item := range items {
			if text, ok := d.text(item); ok {
				*dst = append(*dst, text)
				e.lists[field] = append(e.lists[field], item.mark)
			}
		}
	}
}

func (d *decoder) rewriteTo(e *environment) func(value) {
	return func(v value) {
		e.rewrite = d.mapping(v, fields{
			"add_prefix": d.textTo(&e.policy.Rewrite.AddPrefix),
			"host":       d.textTo(&e.policy.Rewrite.Host),
		})
	}
}
