package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatewayauth/gatewayauth/core"
)

// apiEntry is a binding as the file has it.
type apiEntry struct {
	mark
	core.API
	twice bool // the pattern is that of an earlier API
	// forbids reports whether allow_unsigned_payload is set to false.
	forbids bool
	at      map[string]mark
}

// maxAPIs bounds the bindings of all environments: ServeMux compares patterns
// that start with a wildcard pair by pair.
const maxAPIs = 10_000

// writtenAPI is an API as it is written.
const writtenAPI = `{match: "GET /orders/{id}", key: orders_key}`

func (d *decoder) apisTo(dst *[]apiEntry) func(value) {
	return func(v value) {
		items, _ := d.items(v, "["+writtenAPI+"]")
		for _, item := range items {
			if d.apis++; d.apis > maxAPIs {
				d.add(item.mark, fmt.Sprintf("more than %d APIs in this file", maxAPIs))
				d.left = 0 // stop reading the file
				return
			}
			*dst = append(*dst, d.api(item))
		}
	}
}

func (d *decoder) api(v value) apiEntry {
	a := apiEntry{mark: v.mark}
	a.at = d.mapping(v, writtenAPI, fields{
		"match":    d.textTo(&a.Match),
		"key":      d.textTo(&a.Key),
		"open":     d.boolTo(&a.Open),
		"stream":   d.boolTo(&a.Stream),
		"max_body": d.sizeTo(&a.MaxBody),
		"allow_unsigned_payload": func(v value) {
			d.boolTo(&a.AllowUnsignedPayload)(v)
			b, ok := v.node.(*ast.BoolNode)
			a.forbids = ok && !b.Value
		},
	})
	d.required(v, a.at, "match", `a pattern such as "GET /orders/{id}"`)
	_, keyed := a.at["key"]
	switch {
	case a.at == nil:
	case keyed && a.Open:
		d.add(v.mark, "has both key and open: true; leave one of them out")
	case !keyed && !a.Open:
		d.add(v.mark, "has neither key nor open: true; write the name of a key, or open: true for everyone")
	}
	return a
}

// checkBindings reports APIs with the same pattern, and names of keys that do not exist.
func (r *report) checkBindings(e *environment) {
	names, known := []string{}, map[string]bool{}
	for _, k := range e.keys {
		if k.name != "" && !known[k.name] {
			names = append(names, k.name)
		}
		known[k.name] = true
	}
	const unknown = "no key of this environment has this name; "
	patterns := map[string]int{}
	for i := range e.apis {
		a := &e.apis[i]
		if first, twice := patterns[a.Match]; twice && a.Match != "" {
			r.add(a.at["match"], fmt.Sprintf("the same pattern is already in line %d; an API is bound to one key", first))
			a.twice = true
		} else {
			patterns[a.Match] = a.at["match"].line
		}
		if a.forbids && e.policy.AllowUnsignedPayload {
			r.add(a.at["allow_unsigned_payload"], "false, while the environment allows it to every API; "+
				"take it away there and set it for the APIs that need it")
		}
		if a.Key != "" && !known[a.Key] {
			r.add(a.at["key"], unknown+r.choices(a.Key, "there are: ", names))
		}
	}
	if e.policy.Default != "" && !known[e.policy.Default] {
		r.add(e.at["default"], unknown+r.choices(e.policy.Default, "there are: ", names))
	}
}
