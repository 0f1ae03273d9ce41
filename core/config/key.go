package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// keyEntry is a key as the file has it.
type keyEntry struct {
	mark
	name, id, typeName string
	typ                *keyType // nil where it is not known or not supported
	secret             secretRef
	previous           []previousEntry
	texts              map[string]string
	secrets            map[string]secretRef
	at                 map[string]mark
}

type previousEntry struct {
	secret secretRef
	until  time.Time
}

// keysTo reads the list of keys.
func (d *decoder) keysTo(dst *[]keyEntry) func(value) {
	return func(v value) {
		items, _ := d.items(v)
		for _, item := range items {
			*dst = append(*dst, d.keyEntry(item))
		}
	}
}

// keyEntry reads one key. Which of the fields that only some types have may be
// there is known when all of them are read, so they are kept until then.
func (d *decoder) keyEntry(v value) keyEntry {
	k := keyEntry{mark: v.mark, texts: map[string]string{}, secrets: map[string]secretRef{}}
	special := map[string]value{}
	known := fields{
		"name":     d.textTo(&k.name),
		"type":     d.textTo(&k.typeName),
		"key":      d.textTo(&k.id),
		"secret":   d.secretTo(&k.secret),
		"previous": d.previousTo(&k.previous),
	}
	for _, t := range keyTypes {
		for _, name := range slices.Concat(t.texts, t.secrets) {
			known[name] = func(v value) { special[name] = v }
		}
	}
	k.at = d.mapping(v, known)
	d.required(v, k.at, "name", "type")
	if k.typ = d.keyType(k); k.typ == nil {
		return k
	}
	d.required(v, k.at, append([]string{"key", "secret"}, k.typ.required...)...)
	for name, v := range special {
		switch {
		case slices.Contains(k.typ.secrets, name):
			k.secrets[name] = d.secret(v)
		case slices.Contains(k.typ.texts, name):
			k.texts[name], _ = d.text(v)
			if strings.Contains(k.texts[name], "/") && slices.Contains(scoped, name) {
				d.add(v.mark, "holds a slash, which separates the parts of a scope")
			}
		default:
			d.add(v.mark, "does not belong to a key of type "+k.typ.name)
		}
	}
	if k.typ.check != nil {
		if field, rule := k.typ.check(k.texts); rule != "" {
			d.add(special[field].mark, rule)
		}
	}
	return k
}

// keyType finds the type, and reports what this version cannot verify.
func (d *decoder) keyType(k keyEntry) *keyType {
	if k.typeName == "" {
		return nil // reported as missing or empty
	}
	t := findType(k.typeName)
	switch {
	case t == nil:
		var all []string
		for _, t := range keyTypes {
			all = append(all, t.name)
		}
		d.add(k.at["type"], "is none of "+strings.Join(all, ", "))
	case t.scheme == nil:
		d.add(k.at["type"], t.name+" is not supported by this version")
		t = nil
	}
	return t
}

func (d *decoder) previousTo(dst *[]previousEntry) func(value) {
	return func(v value) {
		items, _ := d.items(v)
		for _, item := range items {
			var p previousEntry
			at := d.mapping(item, fields{"secret": d.secretTo(&p.secret), "until": d.timeTo(&p.until)})
			d.required(item, at, "secret")
			*dst = append(*dst, p)
		}
	}
}

func (d *decoder) timeTo(dst *time.Time) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		var err error
		if *dst, err = time.Parse(time.RFC3339, text); err != nil {
			d.add(v.mark, "is not a date such as 2027-01-01T00:00:00Z (RFC 3339)")
		}
	}
}

// distinct reports names and ids that stand for two keys.
func (r *report) distinct(keys []keyEntry) {
	names, ids := map[string]int{}, map[string]int{}
	for _, k := range keys {
		if first, twice := names[k.name]; twice && k.name != "" {
			r.add(k.at["name"], fmt.Sprintf("the name %q is already that of the key in line %d", k.name, first))
		} else {
			names[k.name] = k.at["name"].line
		}
		if k.typ == nil {
			continue // of some types the key is a secret, not an id
		}
		if first, twice := ids[k.id]; twice && k.id != "" {
			r.add(k.at["key"], fmt.Sprintf("the id %q is already that of the key in line %d", k.id, first))
		} else {
			ids[k.id] = k.at["key"].line
		}
	}
}

// resolve finds the secrets of a key.
func (k *keyEntry) resolve(s *snapshot, r *report) key {
	built := key{texts: k.texts, secrets: map[string]core.Secret{}}
	built.Name, built.ID, built.Secret = k.name, k.id, k.secret.resolve(s, r)
	for _, p := range k.previous {
		built.Previous = append(built.Previous, core.PreviousSecret{Secret: p.secret.resolve(s, r), Until: p.until})
	}
	for name, ref := range k.secrets {
		built.secrets[name] = ref.resolve(s, r)
	}
	return built
}

// warn reports what the gateway would not have let anyone enter.
func (k *keyEntry) warn(built key, r *report) {
	nameLimit.warn(k.at["name"], k.name, r)
	k.typ.key.warn(k.at["key"], k.id, r)
	k.typ.secret.warn(k.secret.mark, built.Secret.Reveal(), r)
	for i, p := range built.Previous {
		k.typ.secret.warn(k.previous[i].secret.mark, p.Secret.Reveal(), r)
	}
}

func (l limit) warn(m mark, text string, r *report) {
	if l.form != nil && text != "" && !l.form.MatchString(text) {
		r.add(m, "outside of the gateway's published limits: "+l.rule)
	}
}
