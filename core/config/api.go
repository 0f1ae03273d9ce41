package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatewayauth/gatewayauth/core"
)

// apiEntry is a binding as the file has it.
type apiEntry struct {
	mark
	core.API
	twice bool // reported as there before
	// forbids says that allow_unsigned_payload is there, and false.
	forbids bool
	at      map[string]mark
}

// maxAPIs bounds the bindings of all environments: ServeMux compares patterns
// that start with a wildcard pair by pair.
const maxAPIs = 10_000

func (d *decoder) apisTo(dst *[]apiEntry) func(value) {
	return func(v value) {
		items, _ := d.items(v)
		for _, item := range items {
			if d.apis++; d.apis > maxAPIs {
				d.add(item.mark, fmt.Sprintf("more than %d APIs in this file", maxAPIs))
				d.left = 0 // give up
				return
			}
			*dst = append(*dst, d.api(item))
		}
	}
}

func (d *decoder) api(v value) apiEntry {
	a := apiEntry{mark: v.mark}
	a.at = d.mapping(v, fields{
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
	d.required(v, a.at, "match")
	_, keyed := a.at["key"]
	switch {
	case a.at == nil:
	case keyed && a.Open:
		d.add(v.mark, "has both key and open; an API is bound to one key, or open")
	case !keyed && !a.Open:
		d.add(v.mark, "has neither key nor open: true")
	}
	return a
}

var usualMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY"}

// warnMethod reports a method that is likely to be mistyped: what it is for then
// never happens.
func warnMethod(m mark, method string, r *report) {
	if method != "" && !slices.Contains(usualMethods, method) {
		r.add(m, fmt.Sprintf("the method %q is none of %s; is it mistyped?", method, strings.Join(usualMethods, ", ")))
	}
}

// method returns the method of the pattern, "" where it has none.
func (a *apiEntry) method() string {
	return a.Match[:max(0, strings.IndexAny(a.Match, " \t"))]
}

// warn reports what the pattern says and is likely not to be meant to say. Stripped
// is the prefix that paths have lost when they arrive. What no request would match is
// an error, of the core.
func (a *apiEntry) warn(stripped string, r *report) {
	m := a.at["match"]
	host, path, _ := strings.Cut(strings.TrimLeft(a.Match[len(a.method()):], " \t"), "/")
	if path != "" && host != "" && host != "localhost" && !strings.Contains(host, ".") {
		r.add(m, fmt.Sprintf("%q is the host; a path begins with a slash", host))
	}
	if stripped != "" && strings.HasPrefix("/"+path+"/", stripped+"/") {
		r.add(m, fmt.Sprintf("it starts with %s, which rewrite.add_prefix says was stripped; a pattern is for the path as it is received", stripped))
	}
	if literal := foreign.FindString(path); literal != "" {
		r.add(m, fmt.Sprintf("%q is taken literally; a wildcard is a whole segment, {name}, "+
			"and percent-encoding shows that the character is meant", literal))
	}
	if a.Open && (strings.HasSuffix(path, "/") || path == "" || strings.HasSuffix(path, "...}")) {
		r.add(m, openSubtree)
	}
}

// openSubtree is a text of the command's as well: it has the warning also where
// secrets are not found.
const openSubtree = "every path below is open to everyone; list those that need no key, and write {$} at the end for the folder alone"

// foreign is what other routers' patterns may have inside of a segment, and an
// honest path as well.
var foreign = regexp.MustCompile(`[^/]*(?:\*|[^0-9A-Za-z/:\x80-\x{10ffff}]:[A-Za-z_])[^/]*`)

// bound reports bindings that are there twice or that name no key.
func (r *report) bound(e *environment) {
	known := map[string]bool{}
	for _, k := range e.keys {
		known[k.name] = true
	}
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
			r.add(a.at["key"], "no key of this environment has this name")
		}
	}
	if e.policy.Default != "" && !known[e.policy.Default] {
		r.add(e.at["default"], "no key of this environment has this name")
	}
}
