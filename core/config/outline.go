package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// Outline is one environment as the file has it, with the places of its fields: for
// programs that check a file or list what it holds.
type Outline struct {
	Name string
	// Config has the fields of core.Config that the file sets, as it sets them:
	// without defaults, schemes, clock, logger and replay store.
	Config core.Config
	// Replay reports whether there is a section replay.
	Replay  bool
	Keys    []OutlineKey
	Secrets []OutlineSecret

	places map[string]Place
}

// Place is where a field is in the file.
type Place struct {
	Line   int    // from 1
	Column int    // in characters, from 1; 0 where it is not known
	Field  string // such as environments.RELEASE.keys[0].secret
}

// OutlineKey is a key without its secrets.
type OutlineKey struct {
	Name, Type string
	// ID is what requests carry.
	ID           string
	InsecureHTTP bool
	// Previous are the ends of the previous secrets, zero for one without an end.
	Previous []time.Time
}

// OutlineSecret is a secret of a key, or the URL of a replay store.
type OutlineSecret struct {
	Place
	// Key and Type are those of the key, empty for those of a replay store.
	Key, Type string
	// Name is the field that holds the secret.
	Name string
	// Literal reports whether the secret stands in the file itself.
	Literal bool
	// Value is the secret, zero if it was not read.
	Value core.Secret
}

func (m mark) place() Place { return Place{m.line, m.column, m.field} }

// Place returns the place of a field, named as in apis[0].match; the place of the
// environment if the name is empty or the file does not have the field.
func (o *Outline) Place(field string) Place {
	if p, ok := o.places[field]; ok {
		return p
	}
	return o.places[""]
}

// Outlines returns the outlines of all environments, in the order of the file.
func (f *File) Outlines() []Outline {
	return each(f.environments, (*environment).outline)
}

func (e *environment) outline() Outline {
	c := e.config(newOptions(nil), nil)
	c.Schemes, c.Now, c.Logger = nil, nil, nil
	o := Outline{Name: e.name, Config: c, Replay: e.replay != nil, places: map[string]Place{"": e.mark.place()}}
	fields := func(at map[string]mark) {
		for _, m := range at {
			o.places[strings.TrimPrefix(m.field, e.field+".")] = m.place()
		}
	}
	fields(e.at)
	for _, a := range e.apis {
		fields(a.at)
	}
	for i, k := range e.keys {
		fields(k.at)
		id, _ := k.id()
		outlined := OutlineKey{Name: k.name, Type: k.typeName, ID: id, InsecureHTTP: k.flags["insecure_http"]}
		o.add(k, k.secrets, e.found[i].secrets)
		for j, p := range k.previous {
			fields(p.at)
			fields(map[string]mark{"": p.mark})
			outlined.Previous = append(outlined.Previous, p.until)
			o.add(k, p.secrets, e.found[i].previous[j].secrets)
		}
		o.Keys = append(o.Keys, outlined)
	}
	if e.replay != nil {
		fields(e.replay.at)
		fields(e.replay.tls.at)
		if e.replay.store == redisStore {
			o.Secrets = append(o.Secrets, e.replay.server.outline("url", e.store.url))
			if _, shown := e.replay.tls.at["key"]; shown {
				o.Secrets = append(o.Secrets, e.replay.tls.key.outline("key", e.store.tls.source[2]))
			}
		}
	}
	return o
}

// add adds the secrets of a key, or of one that it was before.
func (o *Outline) add(k keyEntry, refs map[string]secretRef, found map[string]core.Secret) {
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		s := refs[name].outline(name, found[name])
		s.Key, s.Type = k.name, k.typeName
		o.Secrets = append(o.Secrets, s)
	}
}

func (ref secretRef) outline(name string, value core.Secret) OutlineSecret {
	form := ""
	switch {
	case ref.env != "":
		form = ".env"
	case ref.path != "":
		form = ".file"
	}
	return OutlineSecret{Place: ref.as(strings.TrimSuffix(ref.field, form)).place(), Name: name, Literal: form == "", Value: value}
}
