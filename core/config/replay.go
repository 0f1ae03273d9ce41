package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// replayEntry is the section replay of an environment, as the file has it.
type replayEntry struct {
	mark
	at       map[string]mark
	settings           // but for the URL, which is found with the secrets
	server   secretRef // the URL
	exempt   []mark    // of the items of exempt_methods
}

// storeFields are the fields that belong to one type of store.
var storeFields = []struct {
	store  string
	fields []string
}{
	{memoryStore, []string{"max_entries"}},
	{redisStore, []string{"url", "on_unavailable", "timeout", "prefix"}},
}

func (d *decoder) replayTo(e *environment) func(value) {
	return func(v value) {
		r := &replayEntry{mark: v.mark}
		e.replay = r
		r.at = d.mapping(v, fields{
			"store":          d.textTo(&r.store),
			"exempt_methods": d.exemptTo(e),
			"max_entries":    d.countTo(&r.maxEntries),
			"url":            d.secretTo(&r.server),
			"on_unavailable": d.unavailableTo(&e.policy.Replay.AllowUnavailable),
			"timeout":        d.durationTo(&r.timeout),
			"prefix":         d.textTo(&r.prefix),
		})
		d.required(v, r.at, "store")
		if r.store == "" {
			return // reported as missing or empty
		}
		var known []string
		for _, t := range storeFields {
			known = append(known, t.store)
		}
		if !slices.Contains(known, r.store) {
			d.add(r.at["store"], "is none of "+strings.Join(known, ", "))
			return
		}
		for _, t := range storeFields {
			for _, name := range t.fields {
				if m, set := r.at[name]; set && t.store != r.store {
					d.add(m, "does not belong to a store of type "+r.store)
				}
			}
		}
		if r.store == redisStore {
			d.required(v, r.at, "url")
			r.check(d.report)
		}
	}
}

// exemptTo reads the methods that are not checked for replays.
func (d *decoder) exemptTo(e *environment) func(value) {
	return func(v value) {
		items, _ := d.items(v)
		for _, item := range items {
			if method, ok := d.text(item); ok {
				e.policy.Replay.ExemptMethods = append(e.policy.Replay.ExemptMethods, method)
				e.replay.exempt = append(e.replay.exempt, item.mark)
			}
		}
	}
}

func (d *decoder) unavailableTo(allow *bool) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if *allow = text == "allow"; ok && !*allow && text != "reject" {
			d.add(v.mark, "is neither reject nor allow")
		}
	}
}

const mostEntries = 1_000_000_000 // 16 GB

var countForm = regexp.MustCompile(`^[0-9]{1,10}$`)

func (d *decoder) countTo(dst *int) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !countForm.MatchString(text) || n < 1 || n > mostEntries {
			d.add(v.mark, "is not a whole number from 1 to "+strconv.Itoa(mostEntries))
			return
		}
		*dst = int(n)
	}
}

// protected reports an environment that asks for what none of its keys can give.
func (r *report) protected(e *environment) {
	signs := func(k keyEntry) bool { return k.typ == nil || k.typ.signs }
	if e.replay == nil || len(e.keys) == 0 || slices.ContainsFunc(e.keys, signs) {
		return
	}
	var types []string
	for _, t := range keyTypes {
		if !t.signs {
			types = append(types, t.name)
		}
	}
	r.add(e.replay.mark, "no key of this environment signs requests (types "+strings.Join(types, ", ")+
		" do not), so that a replay cannot be told from another request")
}

// check has the store judge what does not depend on the URL.
func (e *replayEntry) check(r *report) {
	at := map[string]mark{"Prefix": e.at["prefix"], "Timeout": e.at["timeout"]}
	for _, problem := range e.settings.problems() {
		if m, found := at[problem.Field]; found {
			r.add(m, problem.Rule)
		}
	}
}

// find returns the settings of the store, with the URL found.
func (e *replayEntry) find(secrets *secretFinder) settings {
	found := e.settings
	if e.store != redisStore {
		return found
	}
	found.url = secrets.find(e.server)
	if found.url.IsZero() {
		found.store = missingStore // or a problem was reported
		return found
	}
	for _, problem := range found.problems() {
		if problem.Field == "URL" {
			secrets.add(e.server.mark, problem.Rule+hint(found.url.Reveal(), address))
		}
	}
	return found
}

// settings are what a replay store is made of; the zero settings are none.
type settings struct {
	store      string
	maxEntries int
	url        core.Secret
	timeout    time.Duration
	prefix     string
}
