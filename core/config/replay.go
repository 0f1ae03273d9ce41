package config

import (
	"cmp"
	"context"
	"crypto/hmac"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay"
)

// replayEntry is the section replay of an environment, as the file has it.
type replayEntry struct {
	mark
	at       map[string]mark
	settings           // without the URL and what it needs for TLS, which are read with the secrets
	server   secretRef // the URL
	tls      tlsEntry
}

// storeFields are the fields that only one type of store has.
var storeFields = []struct {
	store  string
	fields []string
}{
	{memoryStore, []string{"max_entries", "refuse_before_start"}},
	{redisStore, []string{"url", "on_unavailable", "timeout", "prefix", "tls"}},
}

func (d *decoder) replayTo(e *environment, at map[string]mark) func(value) {
	return func(v value) {
		r := &replayEntry{mark: v.mark}
		e.replay = r
		written := "{store: memory}"
		if plain(v) == redisStore {
			written = "{store: redis, url: {env: REDIS_URL}}"
		}
		r.at = d.mapping(v, written, fields{
			"store":          d.textTo(&r.store),
			"exempt_methods": d.listTo(at, "replay.exempt_methods", "[GET, HEAD]", &e.policy.Replay.ExemptMethods),
			"retries":        d.retriesTo(at, &e.policy.Replay.Retries),
			"max_entries":    d.countTo(&r.maxEntries),

			"refuse_before_start": d.boolTo(&r.refuseBeforeStart),
			"url":                 d.secretTo(&r.server),
			"on_unavailable":      d.unavailableTo(&e.policy.Replay.AllowUnavailable),
			"timeout":             d.durationTo(&r.timeout),
			"prefix":              d.textTo(&r.prefix),
			"tls":                 d.tlsTo(&r.tls),
		})
		d.required(v, r.at, "store", "memory, for one process, or redis, for several")
		if r.store == "" {
			return // reported as missing or empty
		}
		var known []string
		for _, t := range storeFields {
			known = append(known, t.store)
		}
		if !slices.Contains(known, r.store) {
			d.add(r.at["store"], "unknown store; write "+strings.Join(known, " or "))
			return
		}
		for _, t := range storeFields {
			for _, name := range t.fields {
				if m, set := r.at[name]; set && t.store != r.store {
					d.add(m, "a store of type "+r.store+" has no such field; leave it out")
				}
			}
		}
		if r.store == redisStore {
			d.required(v, r.at, "url", "the address of the server, such as {env: REDIS_URL}")
			if r.redis = d.extension.Redis; r.redis == nil {
				d.add(r.at["store"], notLinked(redisStorePackage, loaders))
			}
			r.check(d.report)
		}
	}
}

func (d *decoder) retriesTo(at map[string]mark, dst *core.Retries) func(value) {
	return func(v value) {
		inner := d.mapping(v, "{methods: [PUT, DELETE], within: 5s}", fields{
			"methods": d.listTo(at, "replay.retries.methods", "[PUT, DELETE]", &dst.Methods),
			"within":  d.durationTo(&dst.Within),
		})
		for _, name := range []string{"methods", "within"} {
			m, set := inner[name]
			if !set {
				m = v.child(name)
			}
			at["replay.retries."+name] = m
		}
	}
}

func (d *decoder) unavailableTo(allow *bool) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if *allow = text == "allow"; ok && !*allow && text != "reject" {
			d.add(v.mark, "unknown value; write reject or allow")
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

// checkReplay reports an environment with a replay store and no key that signs requests.
func (r *report) checkReplay(e *environment) {
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

// check reports what the store finds wrong with the settings other than the URL.
func (e *replayEntry) check(r *report) {
	at := map[string]mark{"Prefix": e.at["prefix"], "Timeout": e.at["timeout"]}
	for _, problem := range e.settings.problems() {
		if m, found := at[problem.Field]; found {
			r.add(m, problem.Rule)
		}
	}
}

// find returns the settings of the store with the URL.
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
	if !e.tls.find(secrets, &found) {
		found.store = missingStore
		return found
	}
	for _, problem := range found.problems() {
		switch problem.Field {
		case "URL":
			secrets.add(e.server.mark, problem.Rule+hint(found.url.Reveal(), address))
		case "TLS":
			secrets.add(e.at["tls"], problem.Rule)
		}
	}
	return found
}

// settings are the settings of a replay store; zero if there is none.
type settings struct {
	store      string
	maxEntries int

	refuseBeforeStart bool

	redis   *RedisStores // nil where it is not linked, which is a problem
	url     core.Secret
	timeout time.Duration
	prefix  string
	tls     tlsSettings
}

const (
	memoryStore = "memory"
	redisStore  = "redis"
	// missingStore is one whose URL is not known.
	missingStore = "missing"
)

// store is an open replay store, or none.
type store struct {
	settings
	core.ReplayStore // nil if there is none
	close            func() error
}

// open makes the store. It does not wait for a server.
func (s settings) open(o options) (*store, error) {
	made := &store{settings: s, close: func() error { return nil }}
	var err error
	switch s.store {
	case memoryStore:
		made.ReplayStore, err = replay.New(replay.Config{MaxEntries: s.maxEntries, RefuseBefore: s.start(o.now)})
	case missingStore:
		made.ReplayStore = absent{}
	case redisStore:
		c := s.config()
		c.Logger = o.logger
		var opened RedisStore
		if opened, err = s.redis.Open(c); err == nil {
			made.ReplayStore, made.close = opened, opened.Close
		}
	}
	if err != nil {
		return nil, err
	}
	return made, nil
}

func (s settings) config() RedisConfig {
	return RedisConfig{URL: s.url, TLS: s.tls.config, Prefix: s.prefix, Timeout: s.timeout}
}

// start is the time from which a new store remembers, zero where that does not matter.
func (s settings) start(now func() time.Time) (start time.Time) {
	if s.refuseBeforeStart {
		start = now()
	}
	return start
}

// problems are what is wrong with the settings of a store on a Redis server.
func (s settings) problems() []core.ConfigError {
	if s.redis == nil {
		return nil
	}
	return problemsOf(nil, s.redis.Validate(s.config()))
}

// serves reports whether s can be kept with other settings. A store in memory is kept
// when max_entries changes, since a new one would have forgotten all requests.
func (s *store) serves(other settings) bool {
	if s.store == memoryStore {
		return other.store == memoryStore
	}
	return s.store == other.store && same(s.url, other.url) && s.tls.equal(other.tls) && s.prefix == other.prefix && s.timeout == other.timeout
}

func same(a, b core.Secret) bool { return hmac.Equal([]byte(a.Reveal()), []byte(b.Reveal())) }

// absent is the store of a policy that is only checked, or whose URL is not known.
type absent struct{}

var errAbsent = errors.New("no replay store")

func (absent) Add(context.Context, core.ReplayEntry) (bool, error) { return false, errAbsent }

func (absent) Permit(context.Context, core.ReplayEntry, time.Duration) error { return errAbsent }

func (absent) Redeem(context.Context, core.ReplayEntry) (bool, error) { return false, errAbsent }

// stores keeps the replay store of an environment across reloads.
type stores struct {
	current *store
	retired []retired // that requests under an older policy may still use
}

type retired struct {
	*store
	until time.Time
}

// take returns a store for the settings: the current one, a retired one, or a new one.
// The caller passes it to use or to leave.
func (s *stores) take(want settings, o options) (*store, error) {
	if s.current != nil && s.current.serves(want) {
		return s.current, nil
	}
	for _, old := range s.retired {
		if old.serves(want) {
			return old.store, nil
		}
	}
	return want.open(o)
}

// use makes st the current store. The one before is closed later, when the requests that
// use it have ended.
func (s *stores) use(st *store, after time.Duration) {
	if st == s.current {
		return
	}
	s.retired = slices.DeleteFunc(s.retired, func(r retired) bool { return r.store == st })
	if s.current != nil {
		s.retired = append(s.retired, retired{s.current, time.Now().Add(after)})
	}
	s.current = st
}

// leave closes a store that was taken and is not used.
func (s *stores) leave(st *store) {
	if st != s.current && !slices.ContainsFunc(s.retired, func(r retired) bool { return r.store == st }) {
		st.close()
	}
}

// sweep closes the retired stores that no request uses any more, and returns the time
// until the next can be closed, 0 if there is none.
func (s *stores) sweep() (next time.Duration) {
	now := time.Now()
	s.retired = slices.DeleteFunc(s.retired, func(r retired) bool {
		left := r.until.Sub(now)
		if left <= 0 {
			r.close()
			return true
		}
		next = min(cmp.Or(next, left), left)
		return false
	})
	return next
}

// close closes all.
func (s *stores) close() {
	for _, r := range s.retired {
		r.close()
	}
	if s.current != nil {
		s.current.close()
	}
}
