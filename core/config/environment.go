package config

import (
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

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
	replay *replayEntry // nil if there is none

	capture *captureEntry // nil if there is none
	// at has the places of the fields, also of rewrite.host and hosts[0].
	at map[string]mark

	// Set by withSecrets:
	found    []key // in the order of keys
	built    []key // the same, with a random secret for each that is missing
	store    settings
	missing  []string // places of keys' secrets that were not read
	warnings []*Problem
}

// environments reads the whole file.
func (d *decoder) environments(root ast.Node) (all []*environment) {
	v := d.value(root, placeOf(root))
	at := d.mapping(v, "{environments: {RELEASE: "+writtenEnvironment+"}}", fields{"environments": func(v value) {
		pairs, ok := d.pairs(v)
		if !ok || len(pairs) == 0 {
			d.add(v.mark, "must be a mapping of at least one environment; write {RELEASE: "+writtenEnvironment+"}")
		}
		for _, p := range pairs {
			switch {
			case p.first > 0:
				d.add(p.value.mark, fmt.Sprintf("is set twice, first in line %d; leave one out", p.first))
			case p.name == "":
				d.add(p.value.mark, "an environment needs a name")
			default:
				all = append(all, d.environment(p.name, p.value))
			}
		}
	}})
	d.required(v, at, "environments", "environments: {RELEASE: "+writtenEnvironment+"}")
	return all
}

// writtenEnvironment is an environment as it is written.
const writtenEnvironment = "{keys: [" + writtenKey + "], default: orders_key}"

func (d *decoder) environment(name string, v value) *environment {
	e := &environment{mark: v.mark, name: name}
	inner := map[string]mark{}
	p := &e.policy
	p.Environment = name
	e.at = d.mapping(v, writtenEnvironment, fields{
		"mode":                     d.modeTo(&p.Mode),
		"credential_header":        d.textTo(&p.CredentialHeader),
		"clock_skew":               d.durationTo(&p.ClockSkew),
		"max_body":                 d.sizeTo(&p.MaxBody),
		"max_buffered":             d.sizeTo(&p.MaxBuffered),
		"require_signed":           d.listTo(inner, "require_signed", "[host]", &p.RequireSigned),
		"require_signed_with_body": d.listTo(inner, "require_signed_with_body", "[content-type]", &p.RequireSignedWithBody),
		"hosts":                    d.listTo(inner, "hosts", "[api.example.com]", &p.Hosts),
		"allow_unsigned":           d.listTo(inner, "allow_unsigned", "[x-amz-cf-id]", &p.AllowUnsigned),
		"allow_unsigned_payload":   d.boolTo(&p.AllowUnsignedPayload),
		"allow_presigned":          d.boolTo(&p.AllowPresigned),
		"allow_short_secrets":      d.boolTo(&p.AllowShortSecrets),
		"expose_reason":            d.boolTo(&p.ExposeReason),
		"rewrite":                  d.rewriteTo(inner, &p.Rewrite),
		"body_timeout":             d.durationTo(&p.BodyTimeout),
		"replay":                   d.replayTo(e, inner),
		"capture":                  d.captureTo(&e.capture),
		"keys":                     d.keysTo(&e.keys),
		"apis":                     d.apisTo(&e.apis),
		"default":                  d.textTo(&p.Default),
	})
	maps.Copy(e.at, inner)
	if e.capture != nil {
		e.capture.CredentialHeader = p.CredentialHeader
	}
	if e.at != nil && len(e.keys) == 0 && p.Mode != core.Off {
		place, present := e.at["keys"]
		if !present {
			place = v.child("keys")
		}
		d.add(place, "there is no key, so every request would be refused; list at least one, or set mode: off")
	}
	d.checkDistinct(e.keys)
	d.checkBindings(e)
	d.checkReplay(e)
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
			d.add(v.mark, "unknown mode; write enforce, report or off")
		}
	}
}

// listTo reads a list of texts such as the example, and sets the place of each. An empty
// list is not the same as none.
func (d *decoder) listTo(at map[string]mark, field, example string, dst *[]string) func(value) {
	return func(v value) {
		items, ok := d.items(v, asList(v, example))
		if !ok {
			return
		}
		*dst = []string{}
		for _, item := range items {
			if text, ok := d.text(item); ok {
				at[fmt.Sprintf("%s[%d]", field, len(*dst))] = item.mark
				*dst = append(*dst, text)
			}
		}
	}
}

func (d *decoder) rewriteTo(at map[string]mark, dst *core.Rewrite) func(value) {
	return func(v value) {
		written := "{add_prefix: /v1, host: api.example.com}"
		switch text := plain(v); {
		case strings.ContainsAny(text, " ,*"):
		case strings.HasPrefix(text, "/"):
			written = "{add_prefix: " + text + "}"
		case text != "":
			written = "{host: " + text + "}"
		}
		for name, m := range d.mapping(v, written, fields{
			"add_prefix": d.textTo(&dst.AddPrefix),
			"host":       d.textTo(&dst.Host),
		}) {
			at["rewrite."+name] = m
		}
	}
}

// withSecrets returns a copy of the environment with its secrets, and reports what is
// wrong with them.
func (e environment) withSecrets(secrets *secretFinder) *environment {
	warnings := report{file: secrets.file}
	for i := range e.keys {
		k := &e.keys[i]
		built := k.build(secrets)
		e.found = append(e.found, built)
		if k.typ != nil {
			k.validate(built, true, secrets.report)
			k.warn(built, &warnings)
			built = k.typ.standIn(built)
		}
		e.built = append(e.built, built)
	}
	e.missing = secrets.missing
	if e.replay != nil {
		e.store = e.replay.find(secrets)
	}
	e.warn(&warnings)
	e.warnings = warnings.problems
	return &e
}

// config builds the configuration. It shares nothing with e that the caller could
// change.
func (e *environment) config(o options, store core.ReplayStore) core.Config {
	c := e.policy
	for _, list := range []*[]string{&c.RequireSigned, &c.RequireSignedWithBody, &c.AllowUnsigned, &c.Hosts} {
		*list = slices.Clone(*list)
	}
	c.Replay.ExemptMethods = slices.Clone(c.Replay.ExemptMethods)
	c.Replay.Store = store
	c.Now, c.Logger, c.Observers = o.now, o.logger, slices.Clone(o.observers)
	for _, a := range e.apis {
		c.APIs = append(c.APIs, a.API)
	}
	for _, t := range keyTypes {
		var keys []key
		var scheme func([]key, func() time.Time) core.Scheme
		for i, k := range e.keys {
			if k.typeName == t.name {
				keys, scheme = append(keys, e.built[i]), k.typ.scheme
			}
		}
		if len(keys) > 0 {
			c.Schemes = append(c.Schemes, scheme(keys, o.now))
		}
	}
	return c
}

// validate reports what core finds wrong with everything that does not depend on keys.
// So the rules are in one place, core, and the problems have their lines. Each API that
// is not open gets a key that does not exist, so that core checks its pattern.
func (e *environment) validate(r *report) {
	c := e.policy
	c.Logger = slog.New(slog.DiscardHandler)
	c.Mode, c.Default, c.ExposeReason, c.APIs = core.Off, "", false, nil
	if e.replay != nil {
		c.Replay.Store, c.Replay.AllowUnavailable = absent{}, false
	}
	for _, a := range e.checked() {
		api := a.API
		if api.Key = ""; !a.Open {
			api.Key = "a key that does not exist"
		}
		c.APIs = append(c.APIs, api)
	}
	at := e.fieldsAt()
	for _, problem := range problemsOf(core.New(c)) {
		m := at[problem.Field]
		if m == ofStandIn {
			continue
		}
		if m == (mark{}) { // the field is not in the file
			m, problem.Rule = e.mark, problem.Error()
		}
		if r.add(m, inFile(problem.Rule)); r.dropped {
			return
		}
	}
}

// secretAt returns the place of the secret that a problem of core is about, if it is
// about one.
func (e *environment) secretAt(problem core.ConfigError) (mark, bool) {
	for i, k := range e.keys {
		if k.typ != nil && problem.Key == e.found[i].name {
			m, ok := k.fieldsAt(e.found[i], true)[problem.Field]
			return m, ok
		}
	}
	return mark{}, false
}

// ofStandIn is the place of fields that do not have the file's value.
var ofStandIn = mark{line: -1}

// fieldsAt returns the places in the file of the fields of core.Config.
func (e *environment) fieldsAt() map[string]mark {
	at := map[string]mark{}
	for field, name := range settingNames {
		at[field] = e.at[name]
		for i := 0; ; i++ {
			item := fmt.Sprintf("[%d]", i)
			m, ok := e.at[name+item]
			if !ok {
				break
			}
			at[field+item] = m
		}
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

// checked are the APIs whose patterns core checks: without those reported before.
func (e *environment) checked() []apiEntry {
	return slices.DeleteFunc(slices.Clone(e.apis), func(a apiEntry) bool { return a.Match == "" || a.twice })
}

// settingNames has the name in an environment of each field of [core.Config] that the
// file sets.
var settingNames = map[string]string{
	"Environment":            "environment",
	"Mode":                   "mode",
	"CredentialHeader":       "credential_header",
	"ClockSkew":              "clock_skew",
	"MaxBody":                "max_body",
	"MaxBuffered":            "max_buffered",
	"BodyTimeout":            "body_timeout",
	"RequireSigned":          "require_signed",
	"RequireSignedWithBody":  "require_signed_with_body",
	"AllowUnsigned":          "allow_unsigned",
	"AllowUnsignedPayload":   "allow_unsigned_payload",
	"Hosts":                  "hosts",
	"AllowPresigned":         "allow_presigned",
	"AllowShortSecrets":      "allow_short_secrets",
	"ExposeReason":           "expose_reason",
	"Rewrite.AddPrefix":      "rewrite.add_prefix",
	"Rewrite.Host":           "rewrite.host",
	"Replay.ExemptMethods":   "replay.exempt_methods",
	"Replay.Retries":         "replay.retries",
	"Replay.Retries.Methods": "replay.retries.methods",
	"Replay.Retries.Within":  "replay.retries.within",
	"Default":                "default",
	"APIs":                   "apis",
	"Schemes":                "keys",
}

// Setting returns what the file calls a field of [core.Config], such as
// rewrite.add_prefix for Rewrite.AddPrefix; the field itself where the file has no
// name for it. It is for Hints.Setting of package core/explain.
func Setting(field string) string {
	if name, ok := settingNames[field]; ok {
		return name
	}
	return field
}

// inFile replaces the names of core.Config's fields in a text of core by the file's
// names. Quoted parts are values of the file, and stay as they are.
func inFile(text string) string {
	parts := strings.Split(text, `"`)
	for i := 0; i < len(parts); i += 2 {
		parts[i] = settingName.ReplaceAllStringFunc(parts[i], Setting)
	}
	return strings.Join(parts, `"`)
}

// settingName matches the fields whose names are not English words.
var settingName = func() *regexp.Regexp {
	var names []string
	for field, name := range settingNames {
		if strings.ContainsAny(name, "._") {
			names = append(names, regexp.QuoteMeta(field))
		}
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) }) // one may begin another
	return regexp.MustCompile(`\b(?:` + strings.Join(names, "|") + `)\b`)
}()

// placeholder returns a store for a configuration that is only checked: nil if the
// environment has none.
func (e *environment) placeholder() core.ReplayStore {
	if e.replay == nil {
		return nil
	}
	return absent{}
}
