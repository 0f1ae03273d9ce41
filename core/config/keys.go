package config

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// keyEntry is a key as the file has it.
type keyEntry struct {
	mark
	name, typeName string
	typ            *keyType // nil where it is not known
	texts          map[string]string
	flags          map[string]bool
	secrets        map[string]secretRef
	previous       []previousEntry
	at             map[string]mark
}

type previousEntry struct {
	mark
	at      map[string]mark
	secrets map[string]secretRef
	until   time.Time
}

// writtenKey is a key as it is written.
const writtenKey = "{name: orders_key, type: hmac, key: ID, secret: {env: VARIABLE}}"

// keysTo reads the list of keys.
func (d *decoder) keysTo(dst *[]keyEntry) func(value) {
	return func(v value) {
		items, _ := d.items(v, "["+writtenKey+"]")
		for _, item := range items {
			*dst = append(*dst, d.keyEntry(item))
		}
	}
}

// keyEntry reads one key. The type may come after the other fields and says how they
// are read, so they are kept until all have been seen.
func (d *decoder) keyEntry(v value) keyEntry {
	k := keyEntry{mark: v.mark, texts: map[string]string{}, flags: map[string]bool{}, secrets: map[string]secretRef{}}
	var kept []pair
	known := fields{"name": d.textTo(&k.name), "type": d.textTo(&k.typeName)}
	for _, name := range append(fieldNames(anyType.fields), "previous") {
		known[name] = func(v value) { kept = append(kept, pair{name: name, value: v}) }
	}
	k.at = d.mapping(v, writtenKey, known)
	d.required(v, k.at, "name", "the name that apis and default have for the key")
	d.required(v, k.at, "type", "one of "+strings.Join(KeyTypes(), ", "))
	k.typ = d.keyType(k)
	as := k.typ
	if as == nil {
		as = anyType
	}
	for _, f := range as.fields {
		if f.required != "" {
			d.required(v, k.at, f.name, f.required)
		}
	}
	for _, p := range kept {
		d.keyField(&k, as, p)
	}
	return k
}

// keyField reads a field of a key as the type has it.
func (d *decoder) keyField(k *keyEntry, t *keyType, p pair) {
	f := t.field(p.name)
	switch {
	case p.name == "previous" && len(t.rotating()) > 0:
		d.previous(&k.previous, t.rotating(), p.value)
	case f == nil:
		d.add(p.value.mark, "a key of type "+t.name+" has no such field; leave it out")
	case f.kind == hiddenField:
		k.secrets[f.name] = d.secret(p.value)
	case f.kind == flagField:
		var set bool
		d.boolTo(&set)(p.value)
		k.flags[f.name] = set
	default:
		text, ok := d.text(p.value)
		k.texts[f.name] = text
		if ok && f.check != nil {
			if rule := f.check(text); rule != "" {
				d.add(p.value.mark, rule)
			}
		}
	}
}

// keyType finds the type.
func (d *decoder) keyType(k keyEntry) *keyType {
	if k.typeName == "" {
		return nil // reported as missing or empty
	}
	t := findType(k.typeName, d.extension)
	switch {
	case t == nil:
		d.add(k.at["type"], "unknown type; "+d.typeChoices(k.typeName))
	case t.scheme == nil:
		d.add(k.at["type"], notLinked(t.extendedBy, loaders))
	}
	return t
}

// previous reads the list of earlier secrets. Each entry has at least one of the fields
// that rotate; the others are as they are now.
func (d *decoder) previous(dst *[]previousEntry, rotating []string, v value) {
	var written []string
	for _, name := range rotating {
		written = append(written, name+": {env: VARIABLE}")
	}
	entry := "{" + strings.Join(written, ", ") + "}"
	items, _ := d.items(v, "["+entry+"]")
	for _, item := range items {
		p := previousEntry{mark: item.mark, secrets: map[string]secretRef{}}
		known := fields{"until": d.timeTo(&p.until)}
		for _, name := range rotating {
			known[name] = func(v value) { p.secrets[name] = d.secret(v) }
		}
		p.at = d.mapping(item, entry, known)
		switch {
		case p.at == nil || len(p.secrets) > 0:
		case len(rotating) == 1:
			d.required(item, p.at, rotating[0], "the earlier secret, as {env: VARIABLE} or {file: path}")
		default:
			d.add(item.mark, "has neither "+strings.Join(rotating, " nor ")+"; write what was different before")
		}
		*dst = append(*dst, p)
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

// id returns the id that requests carry for a key of a known type, and the field that
// holds it.
func (k *keyEntry) id() (id, field string) {
	if f := k.typ.field("key"); f != nil && f.kind == textField {
		return k.texts["key"], "key"
	}
	return k.name, "name"
}

// checkDistinct reports names and ids that two keys have.
func (r *report) checkDistinct(keys []keyEntry) {
	names, ids := map[string]int{}, map[string]int{}
	for _, k := range keys {
		named, twice := names[k.name]
		if twice && k.name != "" {
			r.add(k.at["name"], fmt.Sprintf("the name %q is already that of the key in line %d", k.name, named))
		} else {
			names[k.name] = k.at["name"].line
		}
		if k.typ == nil {
			continue // its id is not known
		}
		id, field := k.id()
		switch first, known := ids[id]; {
		case id == "" || twice && field == "name": // reported
		case known:
			r.add(k.at[field], fmt.Sprintf("the id %q is already that of the key in line %d", id, first))
		default:
			ids[id] = k.at[field].line
		}
	}
}

// references returns all secrets of a key, always in the same order.
func (k *keyEntry) references() (all []secretRef) {
	for _, name := range slices.Sorted(maps.Keys(k.secrets)) {
		all = append(all, k.secrets[name])
	}
	for _, p := range k.previous {
		for _, name := range slices.Sorted(maps.Keys(p.secrets)) {
			all = append(all, p.secrets[name])
		}
	}
	return all
}

// build makes a key of an entry, without secrets if find is nil.
func (k *keyEntry) build(find *secretFinder) key {
	built := key{name: k.name, texts: k.texts, flags: k.flags, secrets: find.all(k.secrets)}
	for _, p := range k.previous {
		built.previous = append(built.previous, previous{find.all(p.secrets), p.until})
	}
	return built
}

// standIn returns the key with a random value for every secret that is missing, so
// that core can check the rest of the configuration and no request verifies with it.
func (t *keyType) standIn(built key) key {
	fill := func(secrets map[string]core.Secret) map[string]core.Secret {
		secrets = maps.Clone(secrets)
		for _, f := range t.fields {
			if s, there := secrets[f.name]; there && s.IsZero() {
				text := rand.Text() + rand.Text()
				if f.length != nil {
					text = text[:f.length(built)]
				}
				secrets[f.name] = core.NewSecret(text)
			}
		}
		return secrets
	}
	built.secrets = fill(built.secrets)
	built.previous = each(built.previous, func(p previous) previous { return previous{fill(p.secrets), p.until} })
	return built
}

// validate reports what the scheme finds wrong with a key of a known type, each at its
// line: problems of secrets, or problems of the other fields, which are known before
// the secrets are read.
func (k *keyEntry) validate(built key, aboutSecrets bool, r *report) {
	at := k.fieldsAt(built, aboutSecrets)
	if len(at) == 0 || k.typ.scheme == nil {
		return
	}
	scheme, ok := k.typ.scheme([]key{built}, time.Now).(core.Validator)
	if !ok {
		return
	}
	for _, problem := range problemsOf(nil, scheme.Validate()) {
		m, found := at[problem.Field]
		if !found {
			continue
		}
		rule := problem.Rule
		k.values(built, func(f keyField, at mark, value string) {
			if at == m {
				rule += hint(value, f.manner)
			}
		})
		r.add(m, rule)
	}
}

// fieldsAt returns the places in the file of the fields of the scheme's key, without
// those that are empty or absent, which were reported before.
func (k *keyEntry) fieldsAt(built key, resolved bool) map[string]mark {
	at := map[string]mark{}
	for _, f := range k.typ.fields {
		switch {
		case f.schemeField == "" || resolved != (f.kind == hiddenField):
		case !resolved:
			if built.texts[f.name] != "" {
				at[f.schemeField] = k.at[f.name]
			}
		default:
			if !built.secrets[f.name].IsZero() {
				at[f.schemeField] = k.secrets[f.name].mark
			}
			for i, p := range built.previous {
				if !p.secrets[f.name].IsZero() {
					at[fmt.Sprintf("Previous[%d].%s", i, f.schemeField)] = k.previous[i].secrets[f.name].mark
				}
			}
		}
	}
	return at
}

// values calls do with every text and every secret of a key of a known type.
func (k *keyEntry) values(built key, do func(f keyField, at mark, value string)) {
	for _, f := range k.typ.fields {
		do(f, k.at[f.name], built.texts[f.name])
		do(f, k.secrets[f.name].mark, built.secrets[f.name].Reveal())
		for i, p := range built.previous {
			do(f, k.previous[i].secrets[f.name].mark, p.secrets[f.name].Reveal())
		}
	}
}
